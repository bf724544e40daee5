//! One of a few choices.

use leptos::prelude::*;

/// A row of buttons of which one is pressed.
#[component]
pub fn Segmented(
    /// What is chosen here.
    label: &'static str,
    /// Values with their texts.
    #[prop(into)]
    options: Vec<(String, String)>,
    #[prop(into)] value: Signal<String>,
    on_choose: Callback<String>,
) -> impl IntoView {
    let buttons = options.into_iter().map(|(option, text)| {
        let (pressed, chosen) = (option.clone(), option);
        view! {
            <button
                type="button"
                aria-pressed=move || (value.get() == pressed).to_string()
                on:click=move |_| on_choose.run(chosen.clone())
            >
                {text}
            </button>
        }
    });
    view! { <div class="segmented" role="group" aria-label=label>{buttons.collect_view()}</div> }
}
