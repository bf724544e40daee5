//! A model: its versions.

use contract::api::ModelDetail;
use leptos::prelude::*;

use super::param;
use crate::api;
use crate::components::model_head::ModelHead;
use crate::components::version_card::VersionCard;
use crate::live::{Pace, live, loaded};
use crate::ui::{Icon, Toasts, empty, skeleton_rows};

/// Versions, newest first, with the way to make one champion.
#[component]
pub fn ModelPage() -> impl IntoView {
    let name = param("name");
    let every = |model: Option<&ModelDetail>| {
        let compiling = model.is_some_and(|m| m.versions.iter().any(|v| v.error.as_deref() == Some("compiling")));
        Some(if compiling { 1_000 } else { 5_000 })
    };
    let model = live(move || name.get(), Pace { every, keep: false }, |name| async move { api::model(&name).await });
    let toasts = expect_context::<Toasts>();
    let on_champion = Callback::new(move |version: String| {
        let name = name.get_untracked();
        leptos::task::spawn_local(async move {
            match api::set_alias(&name, "champion", &version).await {
                Ok(()) => toasts.good(format!("Version {version} is champion now.")),
                Err(error) => toasts.bad(error.help()),
            }
            model.refresh();
        });
    });
    let versions = loaded(
        model,
        || skeleton_rows(6),
        move |model| {
            let versions = Memo::new(move |_| model.with(|m| m.versions.clone()));
            let text = move || model.with(|m| m.description.clone()).filter(|d| !d.is_empty());
            view! {
                {move || text().map(|text| view! { <p class="muted">{text}</p> })}
                <div class="stack">
                    <For
                        each=move || versions.get()
                        key=|v| (v.version.version.clone(), v.version.aliases.clone(), v.error.clone(), v.module.as_ref().map(|m| m.sha256.clone()), v.metrics.len())
                        let:detail
                    >
                        <VersionCard detail on_champion/>
                    </For>
                </div>
                <Show when=move || versions.with(Vec::is_empty)>
                    {empty(Icon::Cube, "No versions", "This model has a name and nothing else yet.", None)}
                </Show>
            }
        },
    );
    view! {
        <ModelHead name/>
        {versions}
    }
}
