//! An experiment: its runs in a table, the ticked ones compared.

use contract::mlflow::Run;
use leptos::prelude::*;

use super::param;
use crate::api::{self, Runs};
use crate::components::compare::Compare;
use crate::components::curves::Curves;
use crate::components::run_columns::{Column, ColumnPicker, chosen, offered};
use crate::components::run_table::RunTable;
use crate::live::{Pace, live, loaded, once};
use crate::query::{query, set_query};
use crate::routes;
use crate::ui::{Icon, PageHead, empty, skeleton_rows};

/// Runs shown at first, and added with each "more".
const PAGE: usize = 100;

/// Sorted and filtered by the server; filter, order, columns and ticks are in the URL.
#[component]
pub fn ExperimentPage() -> impl IntoView {
    let id = param("id");
    let (filter, sort, columns, select) = (query("filter"), query("sort"), query("columns"), query("select"));
    let set = set_query();
    let max = RwSignal::new(PAGE);
    let experiment = live(move || id.get(), once(), |id| async move { api::experiment(&id).await });
    let order = Memo::new(move |_| read_order(&sort.get()));
    let runs = live(
        move || (id.get(), filter.get(), order.get(), max.get()),
        Pace { every: |_: Option<&Runs>| Some(3_000), keep: true },
        |(id, filter, (by, descends), max)| async move {
            let order = format!("{by} {}", if descends { "DESC" } else { "ASC" });
            api::runs(&id, &filter, &order, max).await
        },
    );
    let selected =
        Memo::new(move |_| select.get().split(',').filter(|s| !s.is_empty()).map(str::to_owned).collect::<Vec<_>>());
    let title = move || experiment.data.with(|e| e.as_ref().map(|e| e.name.clone()).unwrap_or_default());
    let typed = RwSignal::new(filter.get_untracked());
    let search = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        set.run(vec![("filter", typed.get_untracked().trim().to_owned())]);
    };
    // A filter that the server refuses is said at the filter; the runs found before stay.
    let refused = move || {
        runs.error.with(|e| match e {
            Some(api::Error::Api { status: 400, message, .. }) if !filter.with(String::is_empty) => {
                Some(message.clone())
            }
            _ => None,
        })
    };
    let is_refused = Memo::new(move |_| refused().is_some());
    let table = move || {
        loaded(
            runs,
            || skeleton_rows(8),
            move |found| {
                let list = Memo::new(move |_| found.with(|f| f.runs.clone()));
                let all_columns = Memo::new(move |_| list.with(|runs| offered(runs)));
                let shown = Memo::new(move |_| all_columns.with(|all| chosen(&columns.get(), all)));
                let choose = Callback::new(move |columns: Vec<Column>| {
                    set.run(vec![("columns", columns.iter().map(Column::code).collect::<Vec<_>>().join(","))]);
                });
                let on_sort = Callback::new(move |(by, descends): (String, bool)| {
                    set.run(vec![("sort", format!("{}{by}", if descends { "-" } else { "" }))]);
                });
                let on_select = Callback::new(move |id: String| {
                    let mut ids = selected.get_untracked();
                    match ids.iter().position(|s| *s == id) {
                        Some(at) => drop(ids.remove(at)),
                        None => ids.push(id),
                    }
                    set.run(vec![("select", ids.join(","))]);
                });
                let compared = Memo::new(move |_| {
                    let ids = selected.get();
                    list.with(|runs| {
                        ids.iter()
                            .filter_map(|id| runs.iter().find(|r| r.info.run_id == *id).cloned())
                            .collect::<Vec<Run>>()
                    })
                });
                let is_empty = Memo::new(move |_| list.with(Vec::is_empty));
                let nothing = move || match filter.with(String::is_empty) {
                    true => empty(
                        Icon::Flask,
                        "No runs yet",
                        "Runs appear here as soon as they start.",
                        Some("beira train"),
                    )
                    .into_any(),
                    false => view! { <p class="none card">"No run matches this filter."</p> }.into_any(),
                };
                view! {
                    <Show when=move || !is_empty.get() fallback=nothing>
                        <div class="section-head">
                            <p class="muted">
                                {move || {
                                    let n = list.with(Vec::len);
                                    let more = if found.with(|f| f.more) { "the first " } else { "" };
                                    format!("{more}{n} run{}. Tick some to compare them.", if n == 1 { "" } else { "s" })
                                }}
                            </p>
                            <ColumnPicker offered=all_columns chosen=shown on_choose=choose/>
                        </div>
                        <RunTable runs=list columns=shown sort=order on_sort selected on_select/>
                        <Show when=move || found.with(|f| f.more)>
                            <button class="button" type="button" on:click=move |_| max.update(|m| *m += PAGE)>"Show more runs"</button>
                        </Show>
                    </Show>
                    <Show when=move || !compared.with(Vec::is_empty)>
                        <div class="section-head">
                            <h2>{move || format!("Comparing {}", compared.with(Vec::len))}</h2>
                            <button class="button small" type="button" on:click=move |_| set.run(vec![("select", String::new())])>"Clear"</button>
                        </div>
                        <Curves runs=compared/>
                        <Compare runs=compared/>
                    </Show>
                }
            },
        )
    };
    view! {
        <PageHead up=("Experiments".to_owned(), routes::EXPERIMENTS.to_owned()) title=Signal::derive(title)/>
        <form class="filter" role="search" on:submit=search>
            <input
                type="search" class="mono" spellcheck="false" autocapitalize="off" aria-label="Filter"
                placeholder="metrics.test_auc > 0.8 and params.learner = 'boosting'"
                aria-invalid=move || is_refused.get().to_string()
                prop:value=typed
                on:input=move |event| typed.set(event_target_value(&event))
            />
            <button class="button" type="submit">"Filter"</button>
        </form>
        <Show when=move || is_refused.get()>
            <p class="note bad" role="alert">{refused}</p>
        </Show>
        <Show when=move || !is_refused.get() || runs.data.with(Option::is_some)>{table()}</Show>
    }
}

/// `-metrics.auc` is descending; nothing is the newest first.
fn read_order(sort: &str) -> (String, bool) {
    match sort.strip_prefix('-') {
        Some(by) => (by.to_owned(), true),
        None if sort.is_empty() => ("attributes.start_time".to_owned(), true),
        None => (sort.to_owned(), false),
    }
}
