//! An address without a page.

use leptos::prelude::*;
use leptos_router::components::A;

use crate::routes;
use crate::ui::{Icon, icon, set_title};

/// Says so, and leads back.
#[component]
pub fn NotFound() -> impl IntoView {
    set_title("Not found".into());
    view! {
        <div class="empty">
            <span class="empty-sign">{icon(Icon::Search)}</span>
            <h1>"There is no such page"</h1>
            <p>"The address may be misspelt, or what was here has been deleted."</p>
            <A href=routes::OVERVIEW attr:class="button">"To the overview"</A>
        </div>
    }
}
