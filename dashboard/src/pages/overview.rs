//! First page: what there is, what is served, what happened last.

use contract::api::Overview;
use leptos::prelude::*;
use leptos_router::components::A;

use crate::components::model_card::ModelCard;
use crate::components::run_list::RunList;
use crate::live::{Pace, live, loaded};
use crate::ui::{CopyButton, Icon, PageHead, Stat, empty, skeleton_page};
use crate::{api, format, routes};

/// Counts, models, newest runs; fresh every three seconds.
#[component]
pub fn OverviewPage() -> impl IntoView {
    let overview = live(|| (), Pace { every: |_| Some(3_000), keep: true }, |()| api::overview());
    loaded(overview, skeleton_page, |overview| {
        let first_time = Memo::new(move |_| overview.with(|o| o.runs == 0 && o.models.is_empty()));
        move || if first_time.get() { welcome(overview).into_any() } else { all(overview).into_any() }
    })
}

fn all(overview: Signal<Overview>) -> impl IntoView {
    let total =
        move || overview.with(|o| o.models.iter().flat_map(|m| &m.predictions).map(|p| p.predictions).sum::<u64>());
    let errors = move || overview.with(|o| o.models.iter().map(|m| m.errors).sum::<u64>());
    let running = move || {
        let n = overview.with(|o| o.running);
        if n > 0 { format!("{n} running now") } else { "none running".to_owned() }
    };
    let models = Memo::new(move |_| overview.with(|o| o.models.iter().map(|m| m.name.clone()).collect::<Vec<_>>()));
    let runs = Memo::new(move |_| overview.with(|o| o.recent_runs.clone()));
    let count = |n: u64| format::count(n);
    view! {
        <PageHead
            title="Overview".to_owned()
            text=Signal::derive(move || Some(format!("Beira {}", overview.with(|o| o.version.clone()))))
        />
        <div class="card stats">
            <Stat label="Predictions, 24 h" value=Signal::derive(move || count(total())) note=Signal::derive(move || {
                Some(match errors() { 0 => "no errors".to_owned(), n => format!("{} errors", format::count(n)) })
            })/>
            <Stat label="Models" value=Signal::derive(move || count(models.with(|m| m.len() as u64))) note=Signal::derive(move || {
                let champions = overview.with(|o| o.models.iter().filter(|m| m.champion.is_some()).count());
                Some(format!("{champions} with a champion"))
            })/>
            <Stat label="Runs" value=Signal::derive(move || count(overview.with(|o| o.runs))) note=Signal::derive(move || Some(running()))/>
            <Stat label="Experiments" value=Signal::derive(move || count(overview.with(|o| o.experiments)))/>
        </div>
        <section class="stack">
            <div class="section-head"><h2>"Models"</h2><A href=routes::MODELS>"All models"</A></div>
            <div class="grid">
                <For each=move || models.get() key=|name| name.clone() let:name>
                    {model(overview, name)}
                </For>
            </div>
            <Show when=move || models.with(Vec::is_empty)>
                {empty(Icon::Cube, "No model yet", "Train one from a CSV file, or register one from a run.", Some("beira train"))}
            </Show>
        </section>
        <section class="stack">
            <div class="section-head"><h2>"Newest runs"</h2><A href=routes::EXPERIMENTS>"All experiments"</A></div>
            <RunList runs/>
        </section>
    }
}

/// The card of one model, which follows the model as the overview changes.
pub fn model(overview: Signal<Overview>, name: String) -> impl IntoView {
    let card = Memo::new(move |before: Option<&contract::api::ModelCard>| {
        let now = overview.with(|o| o.models.iter().find(|m| m.name == name).cloned());
        now.or_else(|| before.cloned()).unwrap_or_default()
    });
    view! { <ModelCard card/> }
}

fn welcome(overview: Signal<Overview>) -> impl IntoView {
    let step = |title: &'static str, text: &'static str, command: String| {
        view! {
            <li class="card">
                <h3>{title}</h3>
                <p class="muted">{text}</p>
                <div class="command"><code>{command.clone()}</code><CopyButton text=command what="the command"/></div>
            </li>
        }
    };
    view! {
        <PageHead
            title="Welcome to Beira".to_owned()
            text=Signal::derive(move || Some(format!("Version {}. Nothing has been trained or logged yet; any of these fills this page.", overview.with(|o| o.version.clone()))))
        />
        <ol class="grid steps">
            {step("Train on sample data", "Red wine quality: features, a model, its curves, its module; in under a minute.", "beira train".to_owned())}
            {step("Train on your own CSV", "Writes a pipeline.yaml to look over, then trains.", "beira init data.csv && beira train pipeline.yaml".to_owned())}
            {step("Log from Python", "MLflow's client works unchanged: set this, change nothing else.", format!("export MLFLOW_TRACKING_URI={}", api::origin()))}
        </ol>
        <p class="muted">"Have an ONNX file at hand? "<A href=routes::COMPILE>"Drop it here"</A>" and see what it compiles to."</p>
    }
}
