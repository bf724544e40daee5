//! All experiments.

use leptos::prelude::*;
use leptos_router::components::A;

use crate::clock::Ago;
use crate::live::{Pace, live, loaded};
use crate::ui::{Icon, PageHead, empty, skeleton_rows};
use crate::{api, routes};

/// A list, newest change first, narrowed by name as one types.
#[component]
pub fn ExperimentsPage() -> impl IntoView {
    let experiments = live(|| (), Pace { every: |_| Some(5_000), keep: true }, |()| api::experiments());
    let wanted = crate::query::query("name");
    let set = crate::query::set_query();
    let list = loaded(
        experiments,
        || skeleton_rows(6),
        move |all| {
            let shown = move || {
                let wanted = wanted.get().to_lowercase();
                all.with(|all| {
                    all.iter().filter(|e| e.name.to_lowercase().contains(&wanted)).cloned().collect::<Vec<_>>()
                })
            };
            let none = move || {
                let nothing = all.with(Vec::is_empty);
                (nothing || shown().is_empty()).then(|| match nothing {
                    true => empty(
                        Icon::Flask,
                        "No experiments yet",
                        "Training makes one; so does mlflow.set_experiment in Python.",
                        Some("beira train"),
                    )
                    .into_any(),
                    false => view! { <p class="none">"No experiment has this in its name."</p> }.into_any(),
                })
            };
            view! {
                <ul class="card rows">
                    <For each=shown key=|e| (e.experiment_id.clone(), e.name.clone(), e.last_update_time) let:experiment>
                        <li class="row-link">
                            <A href=routes::experiment(&experiment.experiment_id)>
                                <span class="grow"><b>{experiment.name.clone()}</b></span>
                                <span class="muted wide nums">"#"{experiment.experiment_id.clone()}</span>
                                <span class="muted">"changed "<Ago at=experiment.last_update_time/></span>
                            </A>
                        </li>
                    </For>
                    {none}
                </ul>
            }
        },
    );
    view! {
        <PageHead title="Experiments".to_owned()>
            <input
                type="search" placeholder="Find by name" aria-label="Find by name"
                prop:value=wanted
                on:input=move |event| set.run(vec![("name", event_target_value(&event))])
            />
        </PageHead>
        {list}
    }
}
