//! The shape of what is on its way.

use leptos::prelude::*;

/// Rows of a table.
pub fn skeleton_rows(rows: usize) -> impl IntoView {
    view! {
        <div class="card skeleton-rows" role="status" aria-label="Loading">
            {(0..rows).map(|_| view! { <div class="skeleton row"></div> }).collect_view()}
        </div>
    }
}

/// A grid of cards.
pub fn skeleton_cards(cards: usize) -> impl IntoView {
    view! {
        <div class="grid" role="status" aria-label="Loading">
            {(0..cards).map(|_| view! { <div class="card skeleton tall"></div> }).collect_view()}
        </div>
    }
}

/// A page with a title, cards and a table.
pub fn skeleton_page() -> impl IntoView {
    view! {
        <div class="stack">
            <div class="skeleton title"></div>
            {skeleton_cards(3)}
            {skeleton_rows(6)}
        </div>
    }
}
