//! Nothing here yet, and what brings something here.

use leptos::prelude::*;

use super::{CopyButton, Icon, icon};

/// An empty state: headline, sentence, and a command to type.
pub fn empty(sign: Icon, title: &'static str, text: &'static str, command: Option<&'static str>) -> impl IntoView {
    view! {
        <div class="empty">
            <span class="empty-sign">{icon(sign)}</span>
            <h2>{title}</h2>
            <p>{text}</p>
            {command.map(|command| view! {
                <div class="command">
                    <code>{command}</code>
                    <CopyButton text=command what="the command"/>
                </div>
            })}
        </div>
    }
}
