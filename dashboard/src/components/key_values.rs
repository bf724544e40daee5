//! Parameters and tags.

use contract::mlflow::KeyValue;
use leptos::prelude::*;

/// Keys with their values, in a table of two columns.
#[component]
pub fn KeyValues(#[prop(into)] pairs: Signal<Vec<KeyValue>>, none: &'static str) -> impl IntoView {
    view! {
        <Show when=move || !pairs.with(Vec::is_empty) fallback=move || view! { <p class="none">{none}</p> }>
            <dl class="pairs">
                <For each=move || pairs.get() key=|pair| (pair.key.clone(), pair.value.clone()) let:pair>
                    <div><dt>{pair.key.clone()}</dt><dd>{pair.value.clone()}</dd></div>
                </For>
            </dl>
        </Show>
    }
}
