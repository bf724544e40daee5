//! All registered models.

use leptos::prelude::*;

use super::overview::model;
use crate::api;
use crate::live::{Pace, live, loaded};
use crate::ui::{Icon, PageHead, empty, skeleton_cards};

/// A card for each model.
#[component]
pub fn ModelsPage() -> impl IntoView {
    let overview = live(|| (), Pace { every: |_| Some(3_000), keep: true }, |()| api::overview());
    let cards = loaded(
        overview,
        || skeleton_cards(3),
        |overview| {
            let names =
                Memo::new(move |_| overview.with(|o| o.models.iter().map(|m| m.name.clone()).collect::<Vec<_>>()));
            view! {
                <div class="grid">
                    <For each=move || names.get() key=|name| name.clone() let:name>{model(overview, name)}</For>
                </div>
                <Show when=move || names.with(Vec::is_empty)>
                    {empty(Icon::Cube, "No registered models", "Training registers one; so does registered_model_name in mlflow.onnx.log_model.", Some("beira train"))}
                </Show>
            }
        },
    );
    view! {
        <PageHead title="Models".to_owned()/>
        {cards}
    }
}
