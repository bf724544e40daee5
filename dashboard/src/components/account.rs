//! Who is signed in, and the way out. Nothing where the server has no accounts.

use leptos::prelude::*;

use crate::api;
use crate::ui::{Icon, icon};

/// Name and role, and a button that ends the session.
#[component]
pub fn Account() -> impl IntoView {
    let caller = LocalResource::new(api::caller);
    // Without an answer there is no button; what the page itself asks for says what is wrong.
    let signed_in = move || caller.get().and_then(Result::ok).and_then(|caller| Some((caller.name?, caller.role?)));
    move || {
        signed_in().map(|(name, role)| {
            let label = format!("Sign out {name}");
            view! {
                <form class="account" method="post" action="/signout">
                    <span class="account-name">{name}<small class="muted">{role}</small></span>
                    <button class="icon-button" aria-label=label.clone() title=label>{icon(Icon::Leave)}</button>
                </form>
            }
        })
    }
}
