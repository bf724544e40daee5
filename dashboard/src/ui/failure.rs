//! Something went wrong, and what helps.

use leptos::prelude::*;

use super::{Icon, icon};
use crate::api::Error;

/// An error in the place of the content.
pub fn failure(error: &Error, retry: Option<Callback<()>>) -> impl IntoView + use<> {
    let sign = if error.is_missing() { Icon::Search } else { Icon::Warning };
    view! {
        <div class="empty failure" role="alert">
            <span class="empty-sign">{icon(sign)}</span>
            <h2>{error.title()}</h2>
            <p>{error.help()}</p>
            {retry.map(|retry| view! {
                <button class="button" type="button" on:click=move |_| retry.run(())>"Try again"</button>
            })}
        </div>
    }
}
