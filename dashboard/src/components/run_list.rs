//! The newest runs.

use contract::api::RunCard;
use leptos::prelude::*;
use leptos_router::components::A;

use super::status::run_status;
use crate::clock::{Ago, now};
use crate::{format, routes};

/// A short list of runs, one line each.
#[component]
pub fn RunList(#[prop(into)] runs: Signal<Vec<RunCard>>) -> impl IntoView {
    view! {
        <ul class="card rows">
            <For each=move || runs.get() key=|run| (run.info.run_id.clone(), run.info.status.clone()) let:run>
                <li class="row-link">
                    <A href=routes::run(&run.info.run_id)>
                        <span class="grow">
                            <b>{name(&run.info.run_name)}</b>
                            <small class="muted">{run.experiment_name.clone()}</small>
                        </span>
                        <span class="nums wide muted">
                            {run.info.end_time.map(|end| format::duration(end - run.info.start_time))}
                        </span>
                        <span class="muted when"><Ago at=run.info.start_time/></span>
                        <span class="state">{run_status(&run.info.status)}</span>
                    </A>
                </li>
            </For>
        </ul>
    }
}

/// A run's name; it may be empty.
pub fn name(name: &str) -> String {
    if name.is_empty() { "unnamed run".to_owned() } else { name.to_owned() }
}

/// Names of runs that are shown together; those that share one are told apart by their ids.
pub fn names(runs: &[contract::mlflow::Run]) -> Vec<String> {
    let plain: Vec<String> = runs.iter().map(|r| name(&r.info.run_name)).collect();
    let shared = |one: &String| plain.iter().filter(|other| *other == one).count() > 1;
    let apart = |(one, run): (&String, &contract::mlflow::Run)| match shared(one) {
        true => format!("{one} {}", run.info.run_id.chars().take(6).collect::<String>()),
        false => one.clone(),
    };
    plain.iter().zip(runs).map(apart).collect()
}

/// How long a run took, or has been going on.
pub fn lasted(info: &contract::mlflow::RunInfo) -> String {
    match info.end_time {
        Some(end) => format::duration(end - info.start_time),
        None if info.status == "RUNNING" && info.start_time > 0 => {
            format::duration((now() - info.start_time) / 1000 * 1000)
        }
        None => "–".to_owned(),
    }
}
