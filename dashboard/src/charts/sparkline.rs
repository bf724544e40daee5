//! A row of counts at the height of a line of text.

use leptos::prelude::*;

use super::path;

const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 40.0;

/// Counts, oldest first; stretched to the width of its place.
#[component]
pub fn Sparkline(#[prop(into)] values: Signal<Vec<u64>>, label: &'static str) -> impl IntoView {
    let pixels = move || {
        values.with(|values| {
            let top = values.iter().copied().max().unwrap_or(0).max(1) as f64;
            let step = WIDTH / values.len().saturating_sub(1).max(1) as f64;
            let y = |v: u64| HEIGHT - 2.0 - v as f64 / top * (HEIGHT - 5.0);
            values.iter().enumerate().map(|(i, v)| (i as f64 * step, y(*v))).collect::<Vec<_>>()
        })
    };
    view! {
        <svg class="sparkline c0" viewBox="0 0 240 40" preserveAspectRatio="none" role="img" aria-label=label>
            <path class="fill" d=move || path::area(&pixels(), HEIGHT)/>
            <path class="stroke" d=move || path::line(pixels().into_iter())/>
        </svg>
    }
}
