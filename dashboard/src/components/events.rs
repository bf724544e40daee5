//! The life of a model on one line: trained, registered, champion, until now.

use contract::api::TimelineEvent;
use leptos::prelude::*;
use leptos_router::components::A;

use crate::clock::Ago;
use crate::routes;

/// Events that are listed below the line.
const LISTED: usize = 8;

/// A line from the first event to now with a mark for each, and the newest in words.
#[component]
pub fn Events(#[prop(into)] events: Signal<Vec<TimelineEvent>>, #[prop(into)] now_ms: Signal<i64>) -> impl IntoView {
    let marks = move || {
        let now = now_ms.get();
        events.with(|events| {
            let first = events.first().map_or(now - 1, |e| e.at_ms).min(now - 1);
            let mark = |event: &TimelineEvent| {
                let share = (event.at_ms - first) as f64 / (now - first) as f64;
                let class = format!("event {}", kind(&event.kind));
                view! { <i class=class style:left=format!("{:.2}%", share.clamp(0.0, 1.0) * 100.0) title=event.text.clone()></i> }
            };
            events.iter().map(mark).collect_view()
        })
    };
    let newest = move || events.with(|e| e.iter().rev().take(LISTED).cloned().collect::<Vec<_>>());
    view! {
        <div class="card life">
            <div class="life-line" aria-hidden="true">{marks}<span class="life-now">"now"</span></div>
            <ol class="life-list">
                <For each=newest key=|event| (event.at_ms, event.kind.clone(), event.version.clone(), event.text.clone()) let:event>
                    <li>
                        <i class=format!("event {}", kind(&event.kind))></i>
                        <span class="grow">{event.text.clone()}</span>
                        {event.run_id.clone().map(|run| view! { <A href=routes::run(&run)>"run"</A> })}
                        <span class="muted nowrap"><Ago at=event.at_ms/></span>
                    </li>
                </For>
            </ol>
        </div>
    }
}

fn kind(kind: &str) -> &'static str {
    match kind {
        "trained" => "trained",
        "alias" => "alias",
        "alarm" => "alarm",
        _ => "registered",
    }
}
