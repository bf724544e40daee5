//! Head of a page: where we are, what it is called, what can be done.

use leptos::prelude::*;
use leptos_router::components::A;

use super::{Icon, icon};

/// Title with the way back above it; `children` are the actions at its right.
#[component]
pub fn PageHead(
    /// Name and address of the page above.
    #[prop(optional, into)]
    up: MaybeProp<(String, String)>,
    #[prop(into)] title: Signal<String>,
    /// A line under the title.
    #[prop(optional, into)]
    text: MaybeProp<String>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    set_title(title);
    let way_back = move || {
        up.get().map(|(name, href)| {
            view! {
                <nav class="crumbs" aria-label="Breadcrumb">
                    <A href=href>{name}</A>
                    {icon(Icon::Chevron)}
                </nav>
            }
        })
    };
    view! {
        <header class="page-head">
            <div class="page-title">
                {way_back}
                <h1>{title}</h1>
                {move || text.get().map(|text| view! { <p class="muted">{text}</p> })}
            </div>
            {children.map(|children| view! { <div class="actions">{children()}</div> })}
        </header>
    }
}

/// Names the browser's tab.
pub fn set_title(title: Signal<String>) {
    Effect::new(move |_| {
        let title = title.get();
        document().set_title(&if title.is_empty() { "Beira".to_owned() } else { format!("{title} · Beira") });
    });
}
