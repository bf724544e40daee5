//! A run: parameters, metrics and their curves, artifacts, tags; live while it is running.

use contract::mlflow::{KeyValue, Run};
use leptos::prelude::*;

use super::param;
use crate::clock::{Ago, Ticks};
use crate::components::artifacts::Artifacts;
use crate::components::curves::Curves;
use crate::components::key_values::KeyValues;
use crate::components::run_list::{lasted, name};
use crate::components::status::run_status;
use crate::live::{Pace, live, loaded};
use crate::ui::{CopyButton, PageHead, skeleton_page};
use crate::{api, format, routes};

/// Asked for every second while running, every 15 s afterwards (a run can be changed later on).
const PACE: Pace<Run> = Pace {
    every: |run| Some(if run.is_none_or(|r| r.info.status == "RUNNING") { 1_000 } else { 15_000 }),
    keep: false,
};

/// One run.
#[component]
pub fn RunPage() -> impl IntoView {
    let id = param("id");
    let run = live(move || id.get(), PACE, |id| async move { api::run(&id).await });
    loaded(run, skeleton_page, show)
}

fn show(run: Signal<Run>) -> impl IntoView {
    let info = Memo::new(move |_| run.with(|r| r.info.clone()));
    let experiment_id = Memo::new(move |_| info.with(|i| i.experiment_id.clone()));
    let experiment =
        live(move || experiment_id.get(), crate::live::once(), |id| async move { api::experiment(&id).await });
    let up = Signal::derive(move || {
        let name = experiment.data.with(|e| e.as_ref().map_or_else(|| "Experiment".to_owned(), |e| e.name.clone()));
        Some((name, routes::experiment(&experiment_id.get())))
    });
    let status = Memo::new(move |_| info.with(|i| i.status.clone()));
    let ticks = expect_context::<Ticks>();
    let duration = move || {
        ticks.0.track();
        info.with(lasted)
    };
    let params = Memo::new(move |_| run.with(|r| r.data.params.clone()));
    let tags = Memo::new(move |_| {
        run.with(|r| r.data.tags.iter().filter(|t| t.key != "mlflow.runName").cloned().collect::<Vec<KeyValue>>())
    });
    let metrics = Memo::new(move |_| {
        let mut metrics = run.with(|r| r.data.metrics.clone());
        metrics.sort_by_key(|m| !m.key.starts_with("test")); // what the run is judged by comes first
        metrics
    });
    let runs = Memo::new(move |_| vec![run.get()]);
    let id = info.with_untracked(|i| i.run_id.clone());
    view! {
        <PageHead up title=Signal::derive(move || info.with(|i| name(&i.run_name)))>
            {move || run_status(&status.get())}
        </PageHead>
        <dl class="card facts">
            <div><dt>"Started"</dt><dd><Ago at=Signal::derive(move || info.with(|i| i.start_time))/></dd></div>
            <div><dt>"Duration"</dt><dd class="nums">{duration}</dd></div>
            <div><dt>"By"</dt><dd>{move || info.with(|i| if i.user_id.is_empty() { "–".to_owned() } else { i.user_id.clone() })}</dd></div>
            <div class="hash-fact"><dt>"Run id"</dt><dd><code class="clip">{id.clone()}</code><CopyButton text=id.clone() what="the run's id"/></dd></div>
        </dl>
        <Curves runs/>
        <div class="columns">
            <section class="stack">
                <h2>"Metrics"</h2>
                <Show when=move || !metrics.with(Vec::is_empty) fallback=|| view! { <p class="card none">"No metrics were logged yet."</p> }>
                    <div class="card scroll">
                        <table class="wraps">
                            <thead><tr><th scope="col">"Metric"</th><th scope="col" class="num">"Last value"</th><th scope="col" class="num">"Step"</th></tr></thead>
                            <tbody>
                                <For each=move || metrics.get() key=|m| (m.key.clone(), m.value.to_bits(), m.step) let:metric>
                                    <tr>
                                        <th scope="row">{metric.key.clone()}</th>
                                        <td class="num">{format::number(metric.value)}</td>
                                        <td class="num muted">{metric.step}</td>
                                    </tr>
                                </For>
                            </tbody>
                        </table>
                    </div>
                </Show>
            </section>
            <section class="stack">
                <h2>"Parameters"</h2>
                <div class="card"><KeyValues pairs=params none="No parameters were logged."/></div>
            </section>
        </div>
        <section class="stack">
            <h2>"Artifacts"</h2>
            <Artifacts run=Signal::derive(move || info.with(|i| i.run_id.clone())) stage=status/>
        </section>
        <section class="stack">
            <h2>"Tags"</h2>
            <div class="card"><KeyValues pairs=tags none="No tags."/></div>
        </section>
    }
}
