//! Metric curves of one run or several, one small chart for each metric.

use std::collections::BTreeMap;

use contract::mlflow::{Metric, Run};
use leptos::prelude::*;

use crate::api;
use crate::charts::{LineChart, Series, XAxis};
use crate::components::origin::legend;
use crate::components::run_list::names;
use crate::live::{Pace, live};
use crate::query::{query, set_query};
use crate::ui::Segmented;

/// Charts shown before the reader asks for all.
const FIRST: usize = 24;

/// Curves of all metrics of `runs`, each run in its own colour. A metric is asked for again only
/// when its last point has changed.
#[component]
pub fn Curves(#[prop(into)] runs: Signal<Vec<Run>>) -> impl IntoView {
    let (x, smooth, log) = (query("x"), query("smooth"), query("log"));
    let set = set_query();
    let cursor = RwSignal::new(None);
    let view = CurveView {
        x: Signal::derive(move || if x.get() == "time" { XAxis::Time } else { XAxis::Step }),
        smoothing: Signal::derive(move || smooth.get().parse::<f64>().unwrap_or(0.0).clamp(0.0, 0.99)),
        log: Signal::derive(move || log.get() == "1"),
        cursor,
        drawn: RwSignal::new(Default::default()),
    };
    let keys = Memo::new(move |_| {
        runs.with(|runs| {
            let mut keys: BTreeMap<String, bool> = BTreeMap::new();
            for metric in runs.iter().flat_map(|run| &run.data.metrics) {
                *keys.entry(metric.key.clone()).or_default() |= metric.step > 0;
            }
            let mut keys: Vec<(String, bool)> = keys.into_iter().collect();
            keys.sort_by_key(|(_, steps)| !steps);
            keys
        })
    });
    let all = RwSignal::new(false);
    let with_steps = move || keys.with(|keys| keys.iter().filter(|(_, steps)| *steps).count());
    // Metrics without steps may be curves over time or single values: only their history tells.
    let shown = move || {
        let keys = keys.get();
        let most = if all.get() { usize::MAX } else { FIRST };
        let (steps, others): (Vec<_>, Vec<_>) = keys.into_iter().partition(|(_, steps)| *steps);
        steps.into_iter().take(most).chain(others.into_iter().take(FIRST)).collect::<Vec<_>>()
    };
    let hidden = move || with_steps().saturating_sub(FIRST);
    let any = Memo::new(move |_| {
        keys.with(|keys| keys.iter().any(|(_, steps)| *steps)) || view.drawn.with(|d| d.values().any(|v| *v))
    });
    let named = move || {
        runs.with(|runs| {
            let entries = names(runs).into_iter().enumerate().map(|(i, name)| (name, i % 8, i >= 8));
            (runs.len() > 1).then(|| legend(entries.collect()))
        })
    };
    let percent = move || format!("{:.0} %", view.smoothing.get() * 100.0);
    view! {
        <section class="stack" style:display=move || if any.get() { "" } else { "none" }>
            <div class="section-head">
                <h2>"Curves"</h2>
                <div class="controls">
                    <label class="slider">
                        "Smoothing"
                        <input
                            type="range" min="0" max="0.95" step="0.05"
                            prop:value=move || view.smoothing.get().to_string()
                            on:input=move |event| {
                                let value = event_target_value(&event);
                                set.run(vec![("smooth", if value == "0" { String::new() } else { value })]);
                            }
                        />
                        <output>{percent}</output>
                    </label>
                    <label class="check">
                        <input
                            type="checkbox"
                            prop:checked=move || view.log.get()
                            on:change=move |event| {
                                set.run(vec![("log", if event_target_checked(&event) { "1".to_owned() } else { String::new() })]);
                            }
                        />
                        "Log scale"
                    </label>
                    <Segmented
                        label="Horizontal axis"
                        options=[("".to_owned(), "Step".to_owned()), ("time".to_owned(), "Time".to_owned())].to_vec()
                        value=x
                        on_choose=Callback::new(move |value| set.run(vec![("x", value)]))
                    />
                </div>
            </div>
            {named}
            <div class="grid charts">
                <For each=shown key=|key| key.clone() let((key, steps))>
                    <CurveCard key_name=key steps runs view/>
                </For>
            </div>
            <Show when=move || (hidden() > 0) && !all.get()>
                <button class="button" type="button" on:click=move |_| all.set(true)>
                    {move || format!("Show {} more metrics", hidden())}
                </button>
            </Show>
        </section>
    }
}

/// How all charts of a page are shown.
#[derive(Clone, Copy)]
struct CurveView {
    x: Signal<XAxis>,
    smoothing: Signal<f64>,
    log: Signal<bool>,
    cursor: RwSignal<Option<f64>>,
    /// Metrics that turned out to be curves, or not.
    drawn: RwSignal<BTreeMap<String, bool>>,
}

#[component]
fn CurveCard(key_name: String, steps: bool, #[prop(into)] runs: Signal<Vec<Run>>, view: CurveView) -> impl IntoView {
    let key = StoredValue::new(key_name.clone());
    // Which runs have this metric, and its last point: what is drawn changes only when this does.
    let wanted = move || {
        let key = key.get_value();
        runs.with(|runs| {
            let of = |run: &Run| {
                let last = run.data.metrics.iter().find(|m| m.key == key)?;
                Some((run.info.run_id.clone(), last.step, last.timestamp, last.value.to_bits()))
            };
            names(runs)
                .into_iter()
                .zip(runs)
                .enumerate()
                .filter_map(|(i, (name, run))| Some((i, name, of(run)?)))
                .collect::<Vec<_>>()
        })
    };
    type Histories = Vec<(usize, String, Vec<Metric>)>;
    let histories = live(wanted, Pace { every: |_: Option<&Histories>| None, keep: true }, move |wanted| async move {
        let mut all = Vec::new();
        for (i, name, (run, ..)) in wanted {
            let key = key.try_get_value().unwrap_or_default();
            all.push((i, name, api::history(&run, &key).await?));
        }
        Ok(all)
    });
    let is_curve = Memo::new(move |_| {
        histories.data.with(|h| match h {
            Some(h) => h.iter().any(|(.., points)| points.len() > 1),
            None => steps,
        })
    });
    Effect::new(move |_| {
        let is_curve = is_curve.get();
        view.drawn.update(|drawn| {
            drawn.insert(key.get_value(), is_curve);
        });
    });
    let by_time = Memo::new(move |_| {
        let no_steps = |h: &Histories| h.iter().all(|(.., points)| points.iter().all(|p| p.step == 0));
        view.x.get() == XAxis::Time || histories.data.with(|h| h.as_ref().is_some_and(no_steps))
    });
    let series = Memo::new(move |_| {
        let by_time = by_time.get();
        let point = move |p: &Metric| (if by_time { p.timestamp as f64 } else { p.step as f64 }, finite(p.value));
        histories.data.with(|h| {
            let series = h.iter().flatten().map(|(i, name, points)| Series {
                name: name.clone(),
                color: i % 8,
                dashed: *i >= 8,
                points: ascending(points.iter().map(point).collect()),
            });
            series.collect::<Vec<_>>()
        })
    });
    let last = move || {
        let ends = series.with(|all| all.iter().map(|s| s.points.last().map(|p| p.1)).collect::<Vec<_>>());
        if let [Some(only)] = ends.as_slice() { crate::format::number(*only) } else { String::new() }
    };
    let here = Memo::new(move |_| histories.data.with(Option::is_some));
    let label = format!("Curve of {key_name}");
    let x_axis = Signal::derive(move || if by_time.get() { XAxis::Time } else { XAxis::Step });
    view! {
        <figure class="card chart-card" style:display=move || if is_curve.get() { "" } else { "none" }>
            <figcaption><b title=key_name.clone()>{key_name.clone()}</b><span class="nums">{last}</span></figcaption>
            <Show when=move || here.get() fallback=|| view! { <div class="skeleton curve-place"></div> }>
                <LineChart
                    label=label.clone()
                    series
                    x_axis
                    log=view.log
                    smoothing=view.smoothing
                    cursor=view.cursor
                    height=180.0
                />
            </Show>
        </figure>
    }
}

/// MLflow stores infinities as the greatest number; neither has a place on an axis.
fn finite(value: f64) -> f64 {
    if value.abs() >= f64::MAX { f64::NAN } else { value }
}

fn ascending(mut points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}
