//! A model on the first page and in the list of models.

use contract::api::ModelCard as Card;
use leptos::prelude::*;
use leptos_router::components::A;

use super::origin::{ORIGINS, origin_color};
use crate::charts::Sparkline;
use crate::charts::cursor::color;
use crate::ui::{Tone, badge};
use crate::{format, routes};

/// One model: who is champion, and how many predictions came from where.
#[component]
pub fn ModelCard(#[prop(into)] card: Signal<Card>) -> impl IntoView {
    let name = card.with_untracked(|c| c.name.clone());
    let total = move || card.with(|c| c.predictions.iter().map(|o| o.predictions).sum::<u64>());
    let versions = move || {
        card.with(|c| match (&c.champion, &c.latest_version) {
            (Some(champion), Some(latest)) if champion != latest => format!("version {latest} is newer"),
            (None, Some(latest)) => format!("version {latest}, no champion yet"),
            (None, None) => "no version yet".to_owned(),
            _ => "newest version".to_owned(),
        })
    };
    let champion = move || card.with(|c| c.champion.clone()).map(|v| badge(Tone::Accent, format!("champion v{v}")));
    let errors =
        move || card.with(|c| (c.errors > 0).then(|| badge(Tone::Bad, format!("{} errors", format::count(c.errors)))));
    let by_origin = ORIGINS.into_iter().rev().map(|origin| {
        let here =
            move || card.with(|c| c.predictions.iter().find(|o| o.origin == origin).map_or(0, |o| o.predictions));
        view! {
            <li class=color(origin_color(origin))>
                <i></i>
                <span>{origin.name()}</span>
                <b>{move || format::count(here())}</b>
            </li>
        }
    });
    let (own, production, playground) = (routes::model(&name), routes::production(&name), routes::playground(&name));
    view! {
        <article class="card model-card">
            <header>
                <h3><A href=own>{name}</A></h3>
                {champion}
            </header>
            <p class="muted">{versions} " "{errors}</p>
            <div class="model-traffic">
                <div>
                    <span class="stat-value">{move || format::count(total())}</span>
                    <span class="stat-note">"predictions in 24 h"</span>
                </div>
                <Sparkline
                    values=Signal::derive(move || card.with(|c| c.per_minute.clone()))
                    label="Predictions per minute, last 30 minutes"
                />
            </div>
            <ul class="origins">{by_origin.collect_view()}</ul>
            <footer>
                <A href=production>"Production"</A>
                <A href=playground>"Playground"</A>
            </footer>
        </article>
    }
}
