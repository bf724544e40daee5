//! From windows of counters to what the charts draw.

use std::collections::BTreeMap;

use contract::Origin;
use contract::api::{Percentiles, Production, WindowPoint};

use super::origin::{ORIGINS, origin_color};
use crate::charts::{Bars, Series};

/// How counts are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// By where predictions ran.
    Origin,
    /// By model version.
    Version,
}

/// Counts per window, stacked.
pub fn bars(production: &Production, split: Split, count: fn(&WindowPoint) -> u64) -> Bars {
    let layers: Vec<(String, usize)> = match split {
        Split::Origin => ORIGINS
            .into_iter()
            .filter(|o| production.series.iter().any(|p| p.origin == *o))
            .map(|o| (o.name().to_owned(), origin_color(o)))
            .collect(),
        Split::Version => versions(production).into_iter().enumerate().map(|(i, v)| (format!("v{v}"), 3 + i)).collect(),
    };
    let name = |point: &WindowPoint| match split {
        Split::Origin => point.origin.name().to_owned(),
        Split::Version => format!("v{}", point.version),
    };
    let mut windows: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for point in &production.series {
        let counts = windows.entry(point.start_ms).or_insert_with(|| vec![0.0; layers.len()]);
        let name = name(point);
        if let Some(layer) = layers.iter().position(|l| l.0 == name) {
            counts[layer] += count(point) as f64;
        }
    }
    Bars {
        domain: (production.from_ms as f64, production.to_ms as f64),
        window_ms: production.window_ms.max(1) as f64,
        layers,
        windows: windows.into_iter().map(|(start, counts)| (start as f64, counts)).collect(),
        marks: production.events.iter().map(|e| (e.at_ms as f64, e.text.clone())).collect(),
    }
}

/// One percentile of latency over time, a curve for each origin; versions after the newest are dashed.
/// A window in which nothing was measured is a gap.
pub fn latency(production: &Production, pick: fn(&Percentiles) -> f64) -> Vec<Series> {
    let versions = versions(production);
    let mut curves: BTreeMap<(Origin, usize), Vec<(f64, f64)>> = BTreeMap::new();
    let half = production.window_ms as f64 / 2.0;
    for point in &production.series {
        let Some(latency) = &point.latency else { continue };
        let age = versions.iter().rev().position(|v| *v == point.version).unwrap_or(0);
        let points = curves.entry((point.origin, age)).or_default();
        let x = point.start_ms as f64 + half;
        if let Some(last) = points.last().filter(|last: &&(f64, f64)| x - last.0 > production.window_ms as f64 * 1.5) {
            points.push((last.0 + half, f64::NAN));
        }
        points.push((x, pick(latency)));
    }
    let curve = |((origin, age), points): ((Origin, usize), Vec<(f64, f64)>)| {
        let version =
            if versions.len() > 1 { format!(" v{}", versions[versions.len() - 1 - age]) } else { String::new() };
        Series { name: format!("{}{version}", origin.name()), color: origin_color(origin), dashed: age > 0, points }
    };
    curves.into_iter().map(curve).collect()
}

/// Versions with traffic, in the order of their numbers.
fn versions(production: &Production) -> Vec<String> {
    let mut versions: Vec<String> = production.series.iter().map(|p| p.version.clone()).collect();
    versions.sort_by_key(|v| (v.parse::<u64>().unwrap_or(u64::MAX), v.clone()));
    versions.dedup();
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(start_ms: i64, version: &str, origin: Origin, predictions: u64, p50: Option<f64>) -> WindowPoint {
        let latency = p50.map(|p50_us| Percentiles { p50_us, p90_us: 0.0, p99_us: 0.0 });
        WindowPoint { start_ms, version: version.to_owned(), origin, predictions, errors: 0, latency }
    }

    #[test]
    fn windows_are_stacked_and_gaps_stay_gaps() {
        let production = Production {
            window_ms: 10,
            to_ms: 100,
            series: vec![
                point(0, "9", Origin::Browser, 5, Some(1.0)),
                point(0, "10", Origin::Server, 7, None),
                point(0, "10", Origin::Browser, 2, Some(2.0)),
                point(50, "10", Origin::Browser, 3, Some(4.0)),
            ],
            ..Default::default()
        };
        let by_origin = bars(&production, Split::Origin, |p| p.predictions);
        assert_eq!(by_origin.layers, [("server".to_owned(), 2), ("browser".to_owned(), 0)]);
        assert_eq!(by_origin.windows, [(0.0, vec![7.0, 7.0]), (50.0, vec![0.0, 3.0])]);
        let by_version = bars(&production, Split::Version, |p| p.predictions);
        assert_eq!(by_version.windows[0], (0.0, vec![5.0, 9.0]));

        let curves = latency(&production, |l| l.p50_us);
        let names: Vec<&str> = curves.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["browser v10", "browser v9"]);
        assert_eq!((curves[0].points.len(), curves[0].dashed, curves[1].dashed), (3, false, true));
        assert!(curves[0].points[1].1.is_nan(), "nothing was measured between the windows");
    }
}
