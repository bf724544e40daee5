//! Parameters and metrics of several runs side by side.

use std::collections::BTreeMap;

use contract::mlflow::Run;
use leptos::prelude::*;
use leptos_router::components::A;

use super::run_list::names;
use crate::charts::cursor::color;
use crate::query::{query, set_query};
use crate::{format, routes};

/// One line for each parameter and metric in which the runs differ (or, when asked for, all), one
/// column for each run.
#[component]
pub fn Compare(#[prop(into)] runs: Signal<Vec<Run>>) -> impl IntoView {
    let (all, set) = (query("all"), set_query());
    let body = move || {
        let all = all.get() == "1";
        runs.with(|runs| {
            let head = names(runs).into_iter().zip(runs).enumerate().map(|(i, (title, run))| {
                let href = routes::run(&run.info.run_id);
                view! {
                    <th scope="col" class=format!("num {}", color(i))>
                        <A href=href><i class="swatch"></i>{title}</A>
                    </th>
                }
            });
            let differs = |cells: &[Option<String>]| cells.windows(2).any(|pair| pair[0] != pair[1]);
            let lines = lines(runs);
            let none = !all && runs.len() > 1 && !lines.iter().any(|(_, cells)| differs(cells));
            let shown = lines.into_iter().filter(|(_, cells)| all || runs.len() < 2 || differs(cells));
            let rows = shown.map(|(key, cells)| {
                let differs = all && differs(&cells);
                let cells = cells.into_iter().map(|cell| {
                    let cell = cell.unwrap_or_else(|| "–".to_owned());
                    view! { <td class="num" title=cell.clone()>{cell.clone()}</td> }
                });
                view! { <tr class:differs=differs><th scope="row">{key}</th>{cells.collect_view()}</tr> }
            });
            view! {
                <table>
                    <thead><tr><th scope="col">"Parameter or metric"</th>{head.collect_view()}</tr></thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
                {none.then(|| view! { <p class="none">"These runs are the same in every parameter and metric."</p> })}
            }
        })
    };
    let tick = move |event| {
        set.run(vec![("all", if event_target_checked(&event) { "1".to_owned() } else { String::new() })]);
    };
    view! {
        <section class="stack">
            <div class="section-head">
                <h2>"Parameters and metrics"</h2>
                <label class="check">
                    <input type="checkbox" prop:checked=move || all.get() == "1" on:change=tick/>
                    "Show what is equal too"
                </label>
            </div>
            <div class="card scroll compare">{body}</div>
        </section>
    }
}

/// Every key, parameters first, with its value in each run.
fn lines(runs: &[Run]) -> Vec<(String, Vec<Option<String>>)> {
    let mut params: BTreeMap<&str, Vec<Option<String>>> = BTreeMap::new();
    let mut metrics = params.clone();
    for (i, run) in runs.iter().enumerate() {
        for param in &run.data.params {
            params.entry(&param.key).or_insert_with(|| vec![None; runs.len()])[i] = Some(param.value.clone());
        }
        for metric in &run.data.metrics {
            metrics.entry(&metric.key).or_insert_with(|| vec![None; runs.len()])[i] =
                Some(format::number(metric.value));
        }
    }
    params.into_iter().chain(metrics).map(|(key, cells)| (key.to_owned(), cells)).collect()
}

#[cfg(test)]
mod tests {
    use contract::mlflow::{KeyValue, Metric, RunData};

    use super::*;

    #[test]
    fn a_key_that_a_run_lacks_is_a_gap() {
        let param = |value: &str| KeyValue { key: "depth".to_owned(), value: value.to_owned() };
        let metric = Metric { key: "auc".to_owned(), value: 0.5, ..Default::default() };
        let a = Run {
            data: RunData { params: vec![param("3")], metrics: vec![metric], ..Default::default() },
            ..Default::default()
        };
        let b = Run { data: RunData { params: vec![param("4")], ..Default::default() }, ..Default::default() };
        let some = |text: &str| Some(text.to_owned());
        let expected =
            vec![("depth".to_owned(), vec![some("3"), some("4")]), ("auc".to_owned(), vec![some("0.5"), None])];
        assert_eq!(lines(&[a, b]), expected);
    }
}
