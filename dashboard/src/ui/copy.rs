//! Copies a text.

use leptos::prelude::*;

use super::{Icon, icon};

/// A small button that copies `text` and says so.
#[component]
pub fn CopyButton(#[prop(into)] text: String, #[prop(into)] what: String) -> impl IntoView {
    let done = RwSignal::new(false);
    let copy = move |_| {
        let clipboard = window().navigator().clipboard();
        let writing = wasm_bindgen_futures::JsFuture::from(clipboard.write_text(&text));
        leptos::task::spawn_local(async move {
            if writing.await.is_ok() {
                done.try_set(true);
                gloo_timers::future::TimeoutFuture::new(1_500).await;
                done.try_set(false);
            }
        });
    };
    let label = move || if done.get() { "Copied".to_owned() } else { format!("Copy {what}") };
    view! {
        <button class="icon-button small" type="button" on:click=copy title=label.clone() aria-label=label>
            {move || icon(if done.get() { Icon::Check } else { Icon::Copy })}
        </button>
    }
}
