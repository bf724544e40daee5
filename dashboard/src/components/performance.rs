//! How good the answers are: estimated without labels, realised by late ones, beside the held-out rows.

use contract::api::Production;
use contract::watch::{Measured, Performance, PerformanceState, RealisedDay};
use leptos::prelude::*;

use crate::format;
use crate::ui::{Tone, badge};

/// The estimate of the range and each day's labels, one line each.
#[component]
pub fn PerformanceTable(production: Signal<Production>) -> impl IntoView {
    let lines = Memo::new(move |_| production.with(lines));
    let columns = move || lines.with(|lines| columns(lines));
    let head = move || {
        columns().into_iter().map(|name| view! { <th scope="col" class="num">{words(&name)}</th> }).collect_view()
    };
    let rows = move || {
        let columns = columns();
        lines.with(|lines| lines.iter().map(|line| row(line, &columns)).collect_view())
    };
    view! {
        <section class="stack">
            <div class="section-head">
                <h2>"Performance"</h2>
                <p class="muted small-text">"Rows in brackets: the held-out rows of training are the measure."</p>
            </div>
            <Show
                when=move || lines.with(|lines| !lines.is_empty())
                fallback=|| view! { <p class="card none">"No labels yet. Ask for ids with /predict/…?ids=1 and send what became of them to POST /telemetry/labels."</p> }
            >
                <div class="card scroll">
                    <table class="performance">
                        <thead>
                            <tr>
                                <th scope="col">"From"</th>
                                <th scope="col">"Version"</th>
                                <th scope="col" class="num">"Rows"</th>
                                {head}
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </Show>
        </section>
    }
}

#[derive(Clone, PartialEq)]
struct Line {
    from: String,
    note: &'static str,
    version: String,
    performance: Performance,
}

fn lines(production: &Production) -> Vec<Line> {
    let estimated = production.estimated.iter().filter(|performance| performance.rows > 0).map(|performance| Line {
        from: "estimated".to_owned(),
        note: "from the scores",
        version: production.drift_version.clone().unwrap_or_default(),
        performance: performance.clone(),
    });
    let realised = production.realised.iter().map(|day: &RealisedDay| Line {
        // Days are those of UTC, wherever the reader is.
        from: format!("labels of {}", format::day(day.day_ms, 0)),
        note: if day.browser { "unsigned or from browsers" } else { "" },
        version: day.version.clone(),
        performance: day.performance.clone(),
    });
    estimated.chain(realised).collect()
}

/// Metrics that any line has, in the order of their first appearance.
fn columns(lines: &[Line]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for metric in lines.iter().flat_map(|line| &line.performance.metrics) {
        if !columns.contains(&metric.name) {
            columns.push(metric.name.clone());
        }
    }
    columns
}

fn row(line: &Line, columns: &[String]) -> impl IntoView + use<> {
    let metrics = &line.performance.metrics;
    let cell = |name: &String| match metrics.iter().find(|metric| metric.name == *name) {
        Some(metric) => view! { <td class="num">{value(metric)}</td> }.into_any(),
        None => view! { <td class="num muted">"–"</td> }.into_any(),
    };
    let few = line.performance.rows < line.performance.rows_needed;
    view! {
        <tr>
            <th scope="row">{line.from.clone()}<small class="muted">" "{line.note}</small></th>
            <td>"v"{line.version.clone()}</td>
            <td class="num">
                {format::count(line.performance.rows)}
                {few.then(|| view! { <small class="muted">{format!(" of {} needed", line.performance.rows_needed)}</small> })}
            </td>
            {columns.iter().map(cell).collect_view()}
        </tr>
    }
}

fn value(metric: &Measured) -> impl IntoView + use<> {
    let interval = metric.lower.zip(metric.upper).map(|(lower, upper)| {
        format!("95 % interval {} to {}", format::significant(lower, 3), format::significant(upper, 3))
    });
    let reference = metric.reference.map(|reference| format!(" ({})", format::significant(reference, 3)));
    let worse = metric.state == Some(PerformanceState::Degraded);
    view! {
        <span title=interval>{format::significant(metric.value, 3)}</span>
        <small class="muted">{reference}</small>
        {worse.then(|| badge(Tone::Bad, "worse"))}
    }
}

/// `log_loss` as people write it.
fn words(name: &str) -> String {
    match name {
        "auc" => "AUC".to_owned(),
        "f1" => "F1".to_owned(),
        "mae" => "MAE".to_owned(),
        "rmse" => "RMSE".to_owned(),
        "log_loss" => "log loss".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use contract::watch::Kind;

    use super::*;

    #[test]
    fn estimate_first_then_days() {
        let metric = |name: &str| Measured {
            name: name.to_owned(),
            value: 0.9,
            lower: None,
            upper: None,
            reference: None,
            state: None,
        };
        let performance = |kind, names: &[&str]| Performance {
            kind,
            rows: 10,
            rows_needed: 50,
            metrics: names.iter().map(|name| metric(name)).collect(),
        };
        let day = RealisedDay {
            day_ms: 1_700_000_000_000,
            version: "2".to_owned(),
            browser: true,
            performance: performance(Kind::Realised, &["accuracy", "precision"]),
        };
        let production = Production {
            estimated: Some(performance(Kind::Estimated, &["accuracy", "auc"])),
            drift_version: Some("3".to_owned()),
            realised: vec![day],
            ..Production::default()
        };
        let lines = lines(&production);
        let text: Vec<String> = lines.iter().map(|line| format!("{} v{}", line.from, line.version)).collect();
        assert_eq!(text, ["estimated v3", "labels of 14 Nov v2"]);
        assert_eq!(columns(&lines), ["accuracy", "auc", "precision"]);
    }
}
