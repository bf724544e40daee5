//! A model in production: traffic, latency, errors, features against their training data.

use contract::api::{DriftState, Percentiles, Production};
use leptos::prelude::*;

use super::param;
use crate::charts::{LineChart, StackedBars, XAxis};
use crate::components::alarm_banner::AlarmBanner;
use crate::components::drift_card::DriftCard;
use crate::components::events::Events;
use crate::components::model_head::ModelHead;
use crate::components::origin::legend;
use crate::components::performance::PerformanceTable;
use crate::components::totals::Totals;
use crate::components::traffic::{self, Split};
use crate::live::{Pace, live, loaded};
use crate::query::{query, set_query};
use crate::ui::{Icon, Segmented, Stat, empty, skeleton_page};
use crate::{api, format};

/// Ranges in minutes with their names.
const RANGES: [(&str, &str); 4] = [("15", "15 min"), ("60", "1 h"), ("1440", "24 h"), ("10080", "7 d")];

/// Fresh every two seconds; range, split and percentile are in the URL.
#[component]
pub fn ProductionPage() -> impl IntoView {
    let name = param("name");
    let (range, set) = (query("minutes"), set_query());
    let minutes = Memo::new(move |_| {
        let known = RANGES.iter().find(|r| r.0 == range.get()).map_or("60", |r| r.0);
        known.parse::<u32>().unwrap_or(60)
    });
    let production = live(
        move || (name.get(), minutes.get()),
        Pace { every: |_| Some(2_000), keep: true },
        |(name, minutes)| async move { api::production(&name, minutes).await },
    );
    let chosen = Signal::derive(move || minutes.get().to_string());
    view! {
        <ModelHead name/>
        <div class="section-head">
            <p class="live muted"><i></i>"Live, every 2 s while this tab is open"</p>
            <Segmented
                label="Range"
                options=RANGES.map(|(value, text)| (value.to_owned(), text.to_owned())).to_vec()
                value=chosen
                on_choose=Callback::new(move |value| set.run(vec![("minutes", value)]))
            />
        </div>
        {loaded(production, skeleton_page, show)}
    }
}

fn show(production: Signal<Production>) -> impl IntoView {
    let quiet = Memo::new(move |_| production.with(|p| p.totals.is_empty()));
    let events = Memo::new(move |_| production.with(|p| p.events.clone()));
    let now = Memo::new(move |_| production.with(|p| p.to_ms));
    let nothing = || {
        empty(
            Icon::Pulse,
            "No predictions in this range",
            "Ask the model in the playground, from a page with the package beira, or over HTTP; counts appear here within seconds.",
            None,
        )
    };
    let alarms = Memo::new(move |_| production.with(|p| p.alarms.clone()));
    view! {
        <AlarmBanner alarms/>
        <Show when=move || !quiet.get() fallback=nothing>
            <Traffic production/>
            <PerformanceTable production/>
            <Features production/>
        </Show>
        <section class="stack">
            <h2>"Life of the model"</h2>
            <Events events now_ms=now/>
        </section>
    }
}

#[component]
fn Traffic(production: Signal<Production>) -> impl IntoView {
    let (split, percentile, log, set) = (query("split"), query("latency"), query("log"), set_query());
    let cursor = RwSignal::new(None);
    let by = move || if split.get() == "version" { Split::Version } else { Split::Origin };
    let requests = Memo::new(move |_| production.with(|p| traffic::bars(p, by(), |w| w.predictions)));
    let errors = Memo::new(move |_| production.with(|p| traffic::bars(p, by(), |w| w.errors)));
    let pick = move || -> fn(&Percentiles) -> f64 {
        match percentile.get().as_str() {
            "p90" => |l| l.p90_us,
            "p99" => |l| l.p99_us,
            _ => |l| l.p50_us,
        }
    };
    let latency = Memo::new(move |_| production.with(|p| traffic::latency(p, pick())));
    let domain = Memo::new(move |_| production.with(|p| (p.from_ms as f64, p.to_ms as f64)));
    let totals = Memo::new(move |_| production.with(|p| p.totals.clone()));
    let sum = move |count: fn(&contract::api::Total) -> u64| totals.with(|t| t.iter().map(count).sum::<u64>());
    let predictions = Signal::derive(move || format::count(sum(|t| t.predictions)));
    let rate = Signal::derive(move || {
        let minutes = (domain.get().1 - domain.get().0).max(1.0) / 60_000.0;
        Some(format!("{} per minute", format::compact(sum(|t| t.predictions) as f64 / minutes)))
    });
    let failed = Signal::derive(move || format::count(sum(|t| t.errors)));
    let share = Signal::derive(move || {
        let (errors, predictions) = (sum(|t| t.errors) as f64, sum(|t| t.predictions) as f64);
        Some(format!("{} % of calls", format::significant(errors / (errors + predictions).max(1.0) * 100.0, 2)))
    });
    let drifting = Memo::new(move |_| {
        production.with(|p| {
            let count = |state| p.features.iter().filter(|f| f.state == state).count();
            (count(DriftState::Drift), count(DriftState::InsufficientData), p.features.len())
        })
    });
    let drift_value = Signal::derive(move || match drifting.get() {
        (.., 0) => "–".to_owned(),
        (drift, ..) => drift.to_string(),
    });
    let drift_note = Signal::derive(move || {
        Some(match drifting.get() {
            (.., 0) => "the module has no profile".to_owned(),
            (_, few, all) if few == all => "not enough data yet".to_owned(),
            (_, 0, all) => format!("of {all} features"),
            (_, few, all) => format!("of {all} features, {few} not enough data"),
        })
    });
    let versions = Signal::derive(move || {
        let mut versions = totals.with(|t| t.iter().map(|t| t.version.clone()).collect::<Vec<_>>());
        versions.sort();
        versions.dedup();
        versions.into_iter().map(|v| format!("v{v}")).collect::<Vec<_>>().join(", ")
    });
    let layers = Memo::new(move |_| requests.with(|b| b.layers.clone()));
    let curves =
        Memo::new(move |_| latency.with(|l| l.iter().map(|s| (s.name.clone(), s.color, s.dashed)).collect::<Vec<_>>()));
    let options =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(v, t)| ((*v).to_owned(), (*t).to_owned())).collect::<Vec<_>>();
    let value_or = |value: Memo<String>, other: &'static str| {
        Signal::derive(move || if value.with(String::is_empty) { other.to_owned() } else { value.get() })
    };
    view! {
        <div class="card stats">
            <Stat label="Predictions" value=predictions note=rate/>
            <Stat label="Errors" value=failed note=share/>
            <Stat label="Drifting features" value=drift_value note=drift_note/>
            <Stat label="Versions with traffic" value=versions/>
        </div>
        <section class="card panel">
            <div class="section-head">
                <h2>"Requests"</h2>
                <Segmented
                    label="Split requests"
                    options=options(&[("origin", "By origin"), ("version", "By version")])
                    value=value_or(split, "origin")
                    on_choose=Callback::new(move |v| set.run(vec![("split", v)]))
                />
            </div>
            {move || legend(layers.get().into_iter().map(|(n, c)| (n, c, false)).collect())}
            <StackedBars label="Predictions per window" bars=requests cursor/>
        </section>
        <div class="columns">
            <section class="card panel">
                <div class="section-head">
                    <h2>"Time of one prediction"</h2>
                    <div class="controls">
                        <label class="check">
                            <input
                                type="checkbox"
                                prop:checked=move || log.get() != "0"
                                on:change=move |event| set.run(vec![("log", if event_target_checked(&event) { String::new() } else { "0".to_owned() })])
                            />
                            "Log scale"
                        </label>
                        <Segmented
                            label="Percentile"
                            options=options(&[("p50", "p50"), ("p90", "p90"), ("p99", "p99")])
                            value=value_or(percentile, "p50")
                            on_choose=Callback::new(move |v| set.run(vec![("latency", v)]))
                        />
                    </div>
                </div>
                {move || legend(curves.get())}
                <LineChart
                    label="Latency percentile over time, by origin"
                    series=latency
                    x_axis=XAxis::Time
                    domain=Signal::derive(move || Some(domain.get()))
                    log=Signal::derive(move || log.get() != "0")
                    format=format::micros
                    from_zero=true
                    cursor
                />
            </section>
            <section class="card panel">
                <div class="section-head"><h2>"Errors"</h2></div>
                {move || legend(layers.get().into_iter().map(|(n, c)| (n, c, false)).collect())}
                <StackedBars label="Errors per window" bars=errors cursor/>
            </section>
        </div>
        <Totals totals/>
    }
}

#[component]
fn Features(production: Signal<Production>) -> impl IntoView {
    let names = Memo::new(move |_| production.with(|p| p.features.iter().map(|f| f.name.clone()).collect::<Vec<_>>()));
    let version =
        move || production.with(|p| p.drift_version.clone()).map(|v| format!("version {v}, against its training data"));
    let score = Memo::new(move |_| {
        let named = |s: contract::api::Drift| contract::api::Drift { name: format!("score: {}", s.name), ..s };
        production.with(|p| p.score.clone()).map(named)
    });
    let has_score = Memo::new(move |_| score.with(Option::is_some));
    let feature = move |name: String| {
        Memo::new(move |before: Option<&contract::api::Drift>| {
            let now = production.with(|p| p.features.iter().find(|f| f.name == name).cloned());
            now.or_else(|| before.cloned()).unwrap_or_else(|| nothing(&name))
        })
    };
    let of_score = Memo::new(move |_| score.get().unwrap_or_else(|| nothing("score")));
    view! {
        <section class="stack">
            <div class="section-head">
                <h2>"Features"</h2>
                <ul class="legend">
                    <li class="reference"><i></i>"training data"</li>
                    <li class="live-mark"><i></i>"production"</li>
                    <li class="muted">{version}</li>
                </ul>
            </div>
            <Show
                when=move || !names.with(Vec::is_empty)
                fallback=|| view! { <p class="card none">"The module carries no profile of its training data, so there is nothing to compare with. Models trained by beira train carry one."</p> }
            >
                <div class="grid charts">
                    <Show when=move || has_score.get()><DriftCard drift=of_score/></Show>
                    <For each=move || names.get() key=|name| name.clone() let:name>
                        <DriftCard drift=feature(name)/>
                    </For>
                </div>
            </Show>
        </section>
    }
}

/// A feature that has just gone.
fn nothing(name: &str) -> contract::api::Drift {
    contract::api::Drift {
        name: name.to_owned(),
        bins: contract::profile::Bins::Edges(vec![]),
        reference: vec![],
        reference_missing: 0,
        live: vec![],
        live_missing: 0,
        live_unseen: 0,
        psi: None,
        psi_limit: None,
        rows: 0,
        rows_needed: None,
        state: DriftState::InsufficientData,
    }
}
