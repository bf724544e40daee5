//! One feature: reference against live.

use contract::api::{Drift, DriftState};
use leptos::prelude::*;

use super::status::drift_state;
use crate::charts::{Histogram, Histograms};
use crate::format;

/// A feature's two distributions, its PSI and the verdict.
#[component]
pub fn DriftCard(#[prop(into)] drift: Signal<Drift>) -> impl IntoView {
    let name = drift.with_untracked(|d| d.name.clone());
    let data = Signal::derive(move || drift.with(Histogram::of));
    let state = Memo::new(move |_| drift.with(|d| d.state));
    let psi = move || {
        drift.with(|d| match (d.psi, d.psi_limit) {
            (Some(psi), Some(limit)) => format!("PSI {psi:.3} · chance explains {limit:.3}"),
            (Some(psi), None) => format!("PSI {psi:.3}"),
            _ => String::new(),
        })
    };
    let ends = move || {
        data.with(|h| {
            let end = |text: Option<&String>| text.cloned().unwrap_or_default();
            (end(h.bins.first()), end(h.bins.last()))
        })
    };
    let rows = move || {
        drift.with(|d| {
            let few = d.state == DriftState::InsufficientData;
            let of = d.rows_needed.filter(|_| few).map(|needed| format!(" of {} needed", format::count(needed)));
            format!("{} rows{}", format::count(d.rows), of.unwrap_or_default())
        })
    };
    view! {
        <figure class="card chart-card">
            <figcaption>
                <b title=name.clone()>{name.clone()}</b>
                {move || drift_state(state.get())}
            </figcaption>
            <Histograms label=format!("{name}: reference and live distribution") data height=96.0/>
            <p class="ends"><span>{move || ends().0}</span><span>{move || ends().1}</span></p>
            <p class="muted nums small-text"><span>{psi}</span><span>{rows}</span></p>
        </figure>
    }
}
