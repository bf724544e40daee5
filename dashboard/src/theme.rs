//! Light or dark: the system's choice until the reader makes one, which is kept.

use leptos::prelude::*;

use crate::ui::{Icon, icon};

const KEY: &str = "beira-theme";

/// A button that turns to the other scheme.
#[component]
pub fn ThemeToggle() -> impl IntoView {
    let dark = RwSignal::new(is_dark());
    let turn = move |_| {
        let next = !dark.get_untracked();
        dark.set(next);
        let name = if next { "dark" } else { "light" };
        if let Some(root) = document().document_element() {
            // A page without storage keeps the choice until it is left.
            let _ = root.set_attribute("data-theme", name);
            if let Ok(Some(storage)) = window().local_storage() {
                let _ = storage.set_item(KEY, name);
            }
        }
    };
    let label = move || if dark.get() { "Use light colours" } else { "Use dark colours" };
    view! {
        <button class="icon-button" type="button" on:click=turn aria-label=label title=label>
            {move || icon(if dark.get() { Icon::Sun } else { Icon::Moon })}
        </button>
    }
}

fn is_dark() -> bool {
    let chosen = document().document_element().and_then(|root| root.get_attribute("data-theme"));
    match chosen.as_deref() {
        Some("dark") => true,
        Some("light") => false,
        _ => window().match_media("(prefers-color-scheme: dark)").ok().flatten().is_some_and(|m| m.matches()),
    }
}
