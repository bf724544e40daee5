//! Curves over steps or time: axes, a cursor that charts share, smoothing with the raw curve as a ghost.

use leptos::html::Div;
use leptos::prelude::*;

use super::cursor::{self, color, pointer_x, tooltip};
use super::scene::{self, BOTTOM, Frame, TOP};
use super::smooth;
use super::width::width_of;
use crate::clock::offset;
use crate::format;

/// One curve.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Name in legend and box.
    pub name: String,
    /// Index in the palette.
    pub color: usize,
    /// Drawn with dashes.
    pub dashed: bool,
    /// Ascending in x; a y that is not finite leaves a gap.
    pub points: Vec<(f64, f64)>,
}

/// What x means.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum XAxis {
    /// A number of steps.
    #[default]
    Step,
    /// Milliseconds since 1970.
    Time,
}

/// A chart of curves, `height` pixels tall whatever it shows.
#[component]
pub fn LineChart(
    /// What the chart shows, for screen readers.
    #[prop(into)]
    label: String,
    #[prop(into)] series: Signal<Vec<Series>>,
    #[prop(optional, into)] x_axis: Signal<XAxis>,
    /// Range of x; that of the points when absent.
    #[prop(optional, into)]
    domain: MaybeProp<(f64, f64)>,
    #[prop(optional, into)] log: Signal<bool>,
    #[prop(optional, into)] smoothing: Signal<f64>,
    /// Least value of y is 0.
    #[prop(optional)]
    from_zero: bool,
    #[prop(default = format::number)] format: fn(f64) -> String,
    /// The x under the pointer; charts with the same signal move together.
    cursor: RwSignal<Option<f64>>,
    #[prop(default = 200.0)] height: f64,
) -> impl IntoView {
    let place = NodeRef::<Div>::new();
    let width = width_of(place);
    let shown = Memo::new(move |_| {
        let weight = smoothing.get();
        series.with(|all| match weight {
            w if w > 0.0 => all.iter().map(|s| Series { points: smooth::smooth(&s.points, w), ..s.clone() }).collect(),
            _ => all.clone(),
        })
    });
    let scene = Memo::new(move |_| {
        let raw = (smoothing.get() > 0.0).then(|| series.get());
        shown.with(|shown| {
            let frame = Frame {
                width: width.get(),
                height,
                x_axis: x_axis.get(),
                domain: domain.get(),
                log: log.get(),
                from_zero,
                format,
            };
            scene::build(shown, raw.as_deref(), frame)
        })
    });
    let inside = RwSignal::new(false);
    let point = move |event: web_sys::PointerEvent| {
        let (Some(pixel), Some(x)) = (pointer_x(&event, place), scene.with_untracked(|s| s.as_ref().map(|s| s.x)))
        else {
            return;
        };
        inside.set(true);
        cursor.set(Some(x.invert(pixel)));
    };
    let leave = move || {
        inside.set(false);
        cursor.set(None);
    };
    let key = move |event: web_sys::KeyboardEvent| {
        let forward = match event.key().as_str() {
            "ArrowRight" => true,
            "ArrowLeft" => false,
            "Escape" => return leave(),
            _ => return,
        };
        event.prevent_default();
        inside.set(true);
        let next = shown.with_untracked(|shown| neighbour(shown, cursor.get_untracked(), forward));
        cursor.set(next);
    };
    let marked = move || {
        let (at, scene) = (cursor.get()?, scene.get()?);
        let points = shown.with(|shown| shown.iter().map(|s| nearest(&s.points, at)).collect::<Vec<_>>());
        let x = points.iter().flatten().map(|p| p.0).min_by(|a, b| (a - at).abs().total_cmp(&(b - at).abs()))?;
        Some((x, points, scene))
    };
    let cross = move || {
        marked().map(|(x, points, scene)| {
            let dots = points.into_iter().enumerate().filter_map(|(i, p)| {
                let (px, py) = p.filter(|p| p.0 == x).map(|p| (scene.x.at(p.0), scene.y.at(p.1)))?;
                let class = shown.with(|shown| shown.get(i).map_or("c0", |s| color(s.color)));
                py.is_finite().then(|| view! { <circle class=format!("dot {class}") cx=px cy=py r="3.5"/> })
            });
            let px = scene.x.at(x);
            view! {
                <g>
                    <line class="cursor" x1=px x2=px y1=TOP y2=height - BOTTOM/>
                    {dots.collect_view()}
                </g>
            }
        })
    };
    let say = move || {
        let (x, points, scene) = marked().filter(|_| inside.get())?;
        let title = match x_axis.get() {
            XAxis::Step => format!("step {}", format::number(x)),
            XAxis::Time => format::date(x as i64, offset()),
        };
        let lines = shown.with(|shown| {
            let found = shown.iter().zip(points).filter_map(|(s, p)| Some((s, p.filter(|p| p.0 == x)?.1)));
            found
                .take(12)
                .map(|(s, y)| cursor::Line { class: color(s.color), name: s.name.clone(), value: format(y) })
                .collect()
        });
        Some(tooltip(scene.x.at(x), scene.width, title, lines))
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
                {move || scene.get().map(|scene| scene::draw(scene, height))}
                {cross}
            </svg>
            {say}
        </div>
    }
}

fn nearest(points: &[(f64, f64)], x: f64) -> Option<(f64, f64)> {
    let after = points.partition_point(|p| p.0 < x);
    let (before, after) = (after.checked_sub(1).and_then(|i| points.get(i)), points.get(after));
    match (before, after) {
        (Some(a), Some(b)) => Some(if x - a.0 <= b.0 - x { *a } else { *b }),
        (a, b) => a.or(b).copied(),
    }
}

fn neighbour(series: &[Series], at: Option<f64>, forward: bool) -> Option<f64> {
    let xs = || series.iter().flat_map(|s| s.points.iter().map(|p| p.0));
    match (at, forward) {
        (None, true) => xs().min_by(f64::total_cmp),
        (None, false) => xs().max_by(f64::total_cmp),
        (Some(at), true) => xs().filter(|x| *x > at).min_by(f64::total_cmp).or(Some(at)),
        (Some(at), false) => xs().filter(|x| *x < at).max_by(f64::total_cmp).or(Some(at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_point_and_its_neighbours() {
        let points = vec![(0.0, 1.0), (10.0, 2.0), (20.0, 3.0)];
        let check = |x, expected| assert_eq!(nearest(&points, x).map(|p| p.0), Some(expected), "{x}");
        check(-5.0, 0.0);
        check(14.0, 10.0);
        check(16.0, 20.0);
        check(99.0, 20.0);
        let series = [Series { points: points.clone(), ..Default::default() }];
        assert_eq!(neighbour(&series, None, true), Some(0.0));
        assert_eq!(neighbour(&series, Some(10.0), false), Some(0.0));
        assert_eq!(neighbour(&series, Some(20.0), true), Some(20.0));
        assert_eq!(nearest(&[], 1.0), None);
    }
}
