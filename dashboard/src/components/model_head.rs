//! Head of a model's pages, with the way between them.

use leptos::prelude::*;
use leptos_router::components::A;

use crate::routes;
use crate::ui::PageHead;

/// Name of the model and tabs for its versions, production and playground.
#[component]
pub fn ModelHead(#[prop(into)] name: Signal<String>, #[prop(optional)] children: Option<Children>) -> impl IntoView {
    let tabs = move || {
        let name = name.get();
        view! {
            <nav class="tabs" aria-label="Model">
                <A href=routes::model(&name) exact=true>"Versions"</A>
                <A href=routes::production(&name)>"Production"</A>
                <A href=routes::playground(&name)>"Playground"</A>
            </nav>
        }
    };
    let up = ("Models".to_owned(), routes::MODELS.to_owned());
    let actions = children.map(|children| children());
    view! {
        <PageHead up=up title=name>{actions}</PageHead>
        {tabs}
    }
}
