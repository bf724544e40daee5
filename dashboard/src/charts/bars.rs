//! Counts per window as stacked bars: one bar for each window, so a window without traffic is a gap.

use leptos::html::Div;
use leptos::prelude::*;

use super::cursor::{self, color, pointer_x, tooltip};
use super::scale::Scale;
use super::scene::time_labels;
use super::width::width_of;
use crate::clock::offset;
use crate::format;

/// What is stacked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bars {
    /// Range of time, milliseconds since 1970.
    pub domain: (f64, f64),
    /// Width of a window in milliseconds.
    pub window_ms: f64,
    /// Names of the layers with their colours, lowest first.
    pub layers: Vec<(String, usize)>,
    /// Start of a window, and one count for each layer; ascending.
    pub windows: Vec<(f64, Vec<f64>)>,
    /// Moments that are marked, with a few words.
    pub marks: Vec<(f64, String)>,
}

const LEFT: f64 = 46.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 22.0;

/// Stacked bars over time.
#[component]
pub fn StackedBars(
    #[prop(into)] label: String,
    #[prop(into)] bars: Signal<Bars>,
    cursor: RwSignal<Option<f64>>,
    #[prop(default = 200.0)] height: f64,
) -> impl IntoView {
    let place = NodeRef::<Div>::new();
    let width = width_of(place);
    let inside = RwSignal::new(false);
    let x_scale = move || Scale::linear(bars.with(|b| b.domain), (LEFT, width.get() - RIGHT));
    let point = move |event: web_sys::PointerEvent| {
        if let Some(pixel) = pointer_x(&event, place) {
            inside.set(true);
            cursor.set(Some(untrack(x_scale).invert(pixel)));
        }
    };
    let leave = move || {
        inside.set(false);
        cursor.set(None);
    };
    let key = move |event: web_sys::KeyboardEvent| {
        let forward = match event.key().as_str() {
            "ArrowRight" => 1.0,
            "ArrowLeft" => -1.0,
            "Escape" => return leave(),
            _ => return,
        };
        event.prevent_default();
        inside.set(true);
        bars.with_untracked(|b| {
            let next = cursor.get_untracked().map_or(b.domain.1 - b.window_ms / 2.0, |at| at + forward * b.window_ms);
            cursor.set(Some(next.clamp(b.domain.0, b.domain.1)));
        });
    };
    let cross = move || {
        let (at, x) = (cursor.get()?, x_scale());
        (width.get() > 0.0).then(|| {
            let px = x.at(at.clamp(x.invert(0.0), x.invert(f64::MAX)));
            view! { <line class="cursor" x1=px x2=px y1=TOP y2=height - BOTTOM/> }
        })
    };
    let say = move || {
        let at = cursor.get().filter(|_| inside.get())?;
        bars.with(|b| {
            let start = (at / b.window_ms).floor() * b.window_ms;
            let here = b.windows.iter().find(|w| w.0 <= at && at < w.0 + b.window_ms);
            let lines = b.layers.iter().enumerate().rev().map(|(i, (name, layer))| cursor::Line {
                class: color(*layer),
                name: name.clone(),
                value: format::count(here.and_then(|w| w.1.get(i)).copied().unwrap_or(0.0) as u64),
            });
            let mut lines: Vec<_> = lines.collect();
            let near = b.marks.iter().filter(|m| (m.0 - at).abs() < b.window_ms);
            lines.extend(near.map(|m| cursor::Line { class: "mark", name: m.1.clone(), value: String::new() }));
            let title = format::date(here.map_or(start, |w| w.0) as i64, offset());
            Some(tooltip(x_scale().at(at), width.get(), title, lines))
        })
    };
    view! {
        <div
            class="chart"
            node_ref=place
            style:height=format!("{height}px")
            role="img"
            aria-label=label
            tabindex="0"
            on:pointermove=point
            on:pointerdown=point
            on:pointerleave=move |_| leave()
            on:blur=move |_| leave()
            on:keydown=key
        >
            <svg width=width height=height aria-hidden="true">
                {move || (width.get() > LEFT + RIGHT).then(|| bars.with(|b| draw(b, width.get(), height)))}
                {cross}
            </svg>
            {say}
        </div>
    }
}

fn draw(bars: &Bars, width: f64, height: f64) -> impl IntoView + use<> {
    let (right, base) = (width - RIGHT, height - BOTTOM);
    let x = Scale::linear(bars.domain, (LEFT, right));
    let top = bars.windows.iter().map(|w| w.1.iter().sum::<f64>()).fold(0.0, f64::max);
    let y = Scale::linear((0.0, if top > 0.0 { top } else { 4.0 }), (base, TOP));
    let rules = y.ticks((height / 45.0) as usize).into_iter().filter(|t| t.fract() == 0.0).map(|t| {
        let at = y.at(t);
        view! {
            <g>
                <line class="rule" x1=LEFT x2=right y1=at y2=at/>
                <text class="tick" x=LEFT - 8.0 y=at + 4.0 text-anchor="end">{format::compact(t)}</text>
            </g>
        }
    });
    let columns = ((right - LEFT) / 80.0).max(3.0) as usize;
    let below = time_labels(bars.domain, columns).into_iter().map(|(t, text)| {
        let at = x.at(t);
        let anchor = if at > right - 20.0 { "end" } else { "middle" };
        view! { <text class="tick" x=at y=height - 5.0 text-anchor=anchor>{text}</text> }
    });
    let layers = bars.layers.iter().enumerate().map(|(layer, (_, index))| {
        let mut d = String::new();
        for (start, counts) in &bars.windows {
            let from = x.at(start.max(bars.domain.0));
            let to = x.at((start + bars.window_ms).min(bars.domain.1));
            let gap = if to - from > 4.0 { 1.0 } else { 0.0 };
            let count = counts.get(layer).copied().unwrap_or(0.0);
            if count <= 0.0 || to <= from {
                continue;
            }
            let low: f64 = counts[..layer].iter().sum();
            let (y0, y1) = (y.at(low), y.at(low + count));
            d.push_str(&format!("M{from:.1} {y0:.1}V{y1:.1}H{:.1}V{y0:.1}Z", to - gap));
        }
        view! { <path class=format!("bar {}", color(*index)) d=d/> }
    });
    let marks = bars.marks.iter().filter(|m| bars.domain.0 <= m.0 && m.0 <= bars.domain.1).map(|mark| {
        let at = x.at(mark.0);
        view! {
            <g class="mark">
                <line x1=at x2=at y1=TOP - 2.0 y2=base/>
                <path d=format!("M{at:.1} {:.1}l4 5l-4 5l-4 -5Z", TOP - 10.0)/>
            </g>
        }
    });
    view! {
        <g>
            {rules.collect_view()}
            <g>{layers.collect_view()}</g>
            <line class="axis" x1=LEFT x2=right y1=base y2=base/>
            {below.collect_view()}
            <g>{marks.collect_view()}</g>
        </g>
    }
}
