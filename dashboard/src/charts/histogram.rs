//! Reference and live on the same bins, as shares: wide grey bars behind narrow coloured ones.

use contract::profile::Bins;
use leptos::html::Div;
use leptos::prelude::*;

use super::cursor::{self, pointer_x, tooltip};
use super::width::width_of;
use crate::format;

/// Two distributions on the same bins.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// Texts of the bins, and of `missing` and `unseen` where there are such rows.
    pub bins: Vec<String>,
    /// Training rows in each.
    pub reference: Vec<u64>,
    /// Production rows in each.
    pub live: Vec<u64>,
}

impl Histogram {
    /// From a feature's bins and counts; missing and unseen rows are bins of their own.
    pub fn of(drift: &contract::api::Drift) -> Histogram {
        let mut bins = labels(&drift.bins);
        let mut reference = drift.reference.clone();
        let mut live = drift.live.clone();
        reference.resize(bins.len(), 0);
        live.resize(bins.len(), 0);
        for (name, before, now) in
            [("missing", drift.reference_missing, drift.live_missing), ("unseen", 0, drift.live_unseen)]
        {
            if before + now > 0 {
                bins.push(name.to_owned());
                reference.push(before);
                live.push(now);
            }
        }
        Histogram { bins, reference, live }
    }
}

/// What each bin holds, in words.
pub fn labels(bins: &Bins) -> Vec<String> {
    match bins {
        Bins::Categories(names) => names.clone(),
        Bins::Edges(edges) => {
            let text = |edge: &f64| format::significant(*edge, 4);
            let between = edges.windows(2).map(|pair| format!("{} – {}", text(&pair[0]), text(&pair[1])));
            match (edges.first(), edges.last()) {
                (Some(first), Some(last)) => std::iter::once(format!("< {}", text(first)))
                    .chain(between)
                    .chain(std::iter::once(format!("≥ {}", text(last))))
                    .collect(),
                _ => vec!["any value".to_owned()],
            }
        }
    }
}

/// Two overlaid histograms, `height` pixels tall.
#[component]
pub fn Histograms(#[prop(into)] label: String, #[prop(into)] data: Signal<Histogram>, height: f64) -> impl IntoView {
    let place = NodeRef::<Div>::new();
    let width = width_of(place);
    let over = RwSignal::new(None::<usize>);
    let point = move |event: web_sys::PointerEvent| {
        let n = data.with_untracked(|d| d.bins.len());
        if let Some(pixel) = pointer_x(&event, place).filter(|_| n > 0) {
            let bin = (pixel / width.get_untracked() * n as f64).clamp(0.0, n as f64 - 1.0) as usize;
            over.set(Some(bin));
        }
    };
    let say = move || {
        let bin = over.get()?;
        data.with(|d| {
            let title = d.bins.get(bin)?.clone();
            let line = |class, name: &str, counts: &[u64]| cursor::Line {
                class,
                name: name.to_owned(),
                value: percent(counts.get(bin).copied().unwrap_or(0), counts.iter().sum()),
            };
            let lines = vec![line("reference", "reference", &d.reference), line("live", "live", &d.live)];
            let x = (bin as f64 + 0.5) / d.bins.len() as f64 * width.get();
            Some(tooltip(x, width.get(), title, lines))
        })
    };
    view! {
        <div
            class="chart histogram"
            node_ref=place
            style:height=format!("{height}px")
            role="img"
            aria-label=label
            on:pointermove=point
            on:pointerdown=point
            on:pointerleave=move |_| over.set(None)
        >
            <svg width=width height=height aria-hidden="true">
                {move || (width.get() > 0.0).then(|| data.with(|d| draw(d, width.get(), height, over.get())))}
            </svg>
            {say}
        </div>
    }
}

fn percent(count: u64, total: u64) -> String {
    if total == 0 { "–".to_owned() } else { format!("{:.1} %", count as f64 / total as f64 * 100.0) }
}

fn draw(data: &Histogram, width: f64, height: f64, over: Option<usize>) -> impl IntoView + use<> {
    let share = |counts: &[u64]| {
        let total = counts.iter().sum::<u64>().max(1) as f64;
        counts.iter().map(|c| *c as f64 / total).collect::<Vec<_>>()
    };
    let (reference, live) = (share(&data.reference), share(&data.live));
    let top = reference.iter().chain(&live).copied().fold(1e-9, f64::max);
    let step = width / data.bins.len().max(1) as f64;
    let bar = |share: f64, i: usize, inset: f64| {
        let h = share / top * (height - 4.0);
        let (x, y, w) = (i as f64 * step + inset, height - 1.0 - h, (step - 2.0 * inset).max(1.0));
        if h > 0.0 { format!("M{x:.1} {:.1}V{y:.1}h{w:.1}V{:.1}Z", height - 1.0, height - 1.0) } else { String::new() }
    };
    let all =
        |shares: &[f64], inset: f64| shares.iter().enumerate().map(|(i, s)| bar(*s, i, inset)).collect::<String>();
    let (gap, inset) = ((step * 0.06).clamp(0.5, 2.0), (step * 0.28).clamp(1.0, 12.0));
    let lit = over.map(|i| view! { <rect class="lit" x=i as f64 * step y="0" width=step height=height/> });
    view! {
        <g>
            {lit}
            <path class="bar reference" d=all(&reference, gap)/>
            <path class="bar live" d=all(&live, inset)/>
            <line class="axis" x1="0" x2=width y1=height - 0.5 y2=height - 0.5/>
        </g>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_in_words() {
        assert_eq!(labels(&Bins::Edges(vec![0.5, 1.25])), ["< 0.5", "0.5 – 1.25", "≥ 1.25"]);
        assert_eq!(labels(&Bins::Edges(vec![])), ["any value"]);
        assert_eq!(labels(&Bins::Categories(vec!["red".to_owned()])), ["red"]);
    }
}
