//! One number with its name.

use leptos::prelude::*;

/// A figure; `note` says what stands behind it.
#[component]
pub fn Stat(
    label: &'static str,
    #[prop(into)] value: Signal<String>,
    #[prop(optional, into)] note: MaybeProp<String>,
) -> impl IntoView {
    view! {
        <div class="stat">
            <span class="stat-label">{label}</span>
            <span class="stat-value">{value}</span>
            <span class="stat-note">{move || note.get().unwrap_or_default()}</span>
        </div>
    }
}
