//! Where everything of a line chart stands in pixels, and its drawing.

use leptos::prelude::*;

use super::cursor::color;
use super::line::{Series, XAxis};
use super::scale::{Scale, extent, time_ticks};
use super::{path, reduce};
use crate::clock::offset;
use crate::format;

/// Room for the texts of the axes.
const LEFT: f64 = 46.0;
const RIGHT: f64 = 10.0;
pub const TOP: f64 = 8.0;
pub const BOTTOM: f64 = 22.0;

/// A chart in pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    pub width: f64,
    pub x: Scale,
    pub y: Scale,
    x_ticks: Vec<(f64, String)>,
    y_ticks: Vec<(f64, String)>,
    curves: Vec<Curve>,
}

#[derive(Clone, Debug, PartialEq)]
struct Curve {
    class: String,
    path: String,
    ghost: Option<String>,
    /// The only point of a curve that has no line.
    dot: Option<(f64, f64)>,
}

/// What is drawn into: size, and how both axes are read.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    pub width: f64,
    pub height: f64,
    pub x_axis: XAxis,
    /// Range of x; that of the points when absent.
    pub domain: Option<(f64, f64)>,
    pub log: bool,
    /// Least value of y is 0, on a linear scale.
    pub from_zero: bool,
    /// Texts of the y ticks.
    pub format: fn(f64) -> String,
}

/// Places `shown`, and the same curves `raw` behind them; nothing where there is no room.
pub fn build(shown: &[Series], raw: Option<&[Series]>, frame: Frame) -> Option<Scene> {
    let Frame { width, height, x_axis, domain, log, from_zero, format } = frame;
    if width <= LEFT + RIGHT {
        return None;
    }
    let all = || shown.iter().chain(raw.unwrap_or_default()).flat_map(|s| &s.points);
    let domain = domain.or_else(|| {
        let (low, high) = extent(all().map(|p| p.0), false)?;
        let air = (high - low) / 27.0; // `extent` adds 4 % on either side, steps need none
        Some((low + air, high - air))
    });
    let domain = domain.unwrap_or((0.0, 1.0));
    let (low, high) = extent(all().map(|p| p.1), log).unwrap_or((0.0, 1.0));
    let low = if from_zero && !log { 0.0 } else { low };
    let x = Scale::linear(domain, (LEFT, width - RIGHT));
    let range = (height - BOTTOM, TOP);
    let y = if log { Scale::log((low, high), range) } else { Scale::linear((low, high), range) };
    let columns = ((width - LEFT - RIGHT) / 72.0).max(3.0) as usize;
    let x_ticks = match x_axis {
        XAxis::Step => {
            x.ticks(columns).into_iter().filter(|t| t.fract() == 0.0).map(|t| (x.at(t), format::compact(t))).collect()
        }
        XAxis::Time => time_labels(domain, columns).into_iter().map(|(t, text)| (x.at(t), text)).collect(),
    };
    let y_ticks = y.ticks((height / 45.0) as usize).into_iter().map(|t| (y.at(t), format(t))).collect();
    let draw = |s: &Series| {
        let points = reduce::reduce(&s.points, domain, (width - LEFT - RIGHT) as usize);
        path::line(points.into_iter().map(|(px, py)| (x.at(px), y.at(py))))
    };
    let curves = shown.iter().enumerate().map(|(i, s)| Curve {
        class: format!("curve {}{}", color(s.color), if s.dashed { " dashed" } else { "" }),
        path: draw(s),
        ghost: raw.and_then(|raw| raw.get(i)).map(draw),
        dot: match s.points.as_slice() {
            [(px, py)] => Some((x.at(*px), y.at(*py))),
            _ => None,
        },
    });
    Some(Scene { width, x, y, x_ticks, y_ticks, curves: curves.collect() })
}

/// Ticks of a time axis: the clock, and the day where a new one begins.
pub fn time_labels(domain: (f64, f64), columns: usize) -> Vec<(f64, String)> {
    let offset = offset();
    let whole_days = domain.1 - domain.0 > 3.0 * 86_400_000.0;
    time_ticks(domain, columns, offset)
        .into_iter()
        .map(|t| {
            let clock = format::clock(t as i64, offset);
            (t, if whole_days || clock == "00:00" { format::day(t as i64, offset) } else { clock })
        })
        .collect()
}

/// Axes and curves.
pub fn draw(scene: Scene, height: f64) -> impl IntoView {
    let right = scene.width - RIGHT;
    let rules = scene.y_ticks.into_iter().map(|(y, text)| {
        view! {
            <g>
                <line class="rule" x1=LEFT x2=right y1=y y2=y/>
                <text class="tick" x=LEFT - 8.0 y=y + 4.0 text-anchor="end">{text}</text>
            </g>
        }
    });
    let below = scene.x_ticks.into_iter().map(|(x, text)| {
        let anchor = if x > right - 24.0 { "end" } else { "middle" };
        view! { <text class="tick" x=x y=height - 5.0 text-anchor=anchor>{text}</text> }
    });
    let curves = scene.curves.into_iter().map(|curve| {
        view! {
            <g class=curve.class>
                {curve.ghost.map(|ghost| view! { <path class="ghost" d=ghost/> })}
                <path d=curve.path/>
                {curve.dot.map(|(x, y)| view! { <circle class="dot" cx=x cy=y r="3"/> })}
            </g>
        }
    });
    let base = height - BOTTOM;
    view! {
        <g>
            {rules.collect_view()}
            <line class="axis" x1=LEFT x2=right y1=base y2=base/>
            {below.collect_view()}
            {curves.collect_view()}
        </g>
    }
}
