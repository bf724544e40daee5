//! ROC, calibration, and predicted against actual numbers.

use super::svg::{Field, SERIES, Svg};
use crate::metrics::Calibration;

/// One curve for each class given: its name, area and points.
pub(super) fn roc(curves: &[(String, Option<f64>, Vec<(f64, f64)>)]) -> String {
    let mut svg = Svg::new(Field::SHEET.0, Field::SHEET.1, "ROC on the held-out rows");
    let field = Field::new(&mut svg, (0.0, 0.0), (1.0, 1.0), ("false-positive rate", "true-positive rate"));
    svg.path("guide", &[field.at((0.0, 0.0)), field.at((1.0, 1.0))]);
    for (i, (name, area, points)) in curves.iter().enumerate() {
        let class = format!("line s{}", i % SERIES);
        let points: Vec<(f64, f64)> = points.iter().map(|point| field.at(*point)).collect();
        svg.path(&class, &points);
        let area = area.map_or_else(|| "not defined".to_owned(), |area| format!("{area:.3}"));
        let (x, y) = field.at((0.97, 0.05));
        let y = y - 17.0 * (curves.len() - 1 - i) as f64;
        svg.dot(&format!("s{}", i % SERIES), (x - 118.0, y - 4.0), 4.0, 1.0);
        let name: String = name.chars().take(9).collect();
        let label = if curves.len() == 1 { format!("AUC {area}") } else { format!("{name}: AUC {area}") };
        svg.text("small", (x - 108.0, y), "start", &label);
    }
    svg.finish()
}

/// Observed share over predicted probability; a dot's size says how many rows.
pub(super) fn calibration(bins: &[Calibration]) -> String {
    let mut svg = Svg::new(Field::SHEET.0, Field::SHEET.1, "Calibration on the held-out rows");
    let field = Field::new(&mut svg, (0.0, 0.0), (1.0, 1.0), ("predicted probability", "observed share"));
    svg.path("guide", &[field.at((0.0, 0.0)), field.at((1.0, 1.0))]);
    let most = bins.iter().map(|bin| bin.rows).max().unwrap_or(1).max(1) as f64;
    let filled: Vec<&Calibration> = bins.iter().filter(|bin| bin.rows > 0).collect();
    let points: Vec<(f64, f64)> = filled.iter().map(|bin| field.at((bin.predicted, bin.observed))).collect();
    svg.path("line s0", &points);
    for (bin, point) in filled.iter().zip(&points) {
        svg.dot("s0", *point, 3.0 + 7.0 * (bin.rows as f64 / most).sqrt(), 0.75);
    }
    svg.finish()
}

/// Predicted over actual; at most 2,000 dots.
pub(super) fn predicted(name: &str, target: &[f64], predicted: &[f64]) -> String {
    let mut svg = Svg::new(Field::SHEET.0, Field::SHEET.1, "Predicted and actual, held-out rows");
    let all = || target.iter().chain(predicted).copied();
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let axis = format!("actual {name}");
    let field = Field::new(&mut svg, (low, low), (high, high), (&axis, "predicted"));
    svg.path("guide", &[field.at((low, low)), field.at((high, high))]);
    for point in target.iter().zip(predicted).take(2000) {
        svg.dot("s0", field.at((*point.0, *point.1)), 2.5, 0.55);
    }
    svg.finish()
}
