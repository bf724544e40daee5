//! Importance of the features as bars.

use super::svg::Svg;

/// At most 20 columns of the table, most important first.
pub(super) fn importance(importance: &[(String, f64)], learner: &str) -> String {
    let shown = &importance[..importance.len().min(20)];
    let mut svg = Svg::new(560.0, 78.0 + 26.0 * shown.len() as f64, "What the model looks at");
    let of = if learner == "boosting" { "gain of all splits" } else { "sizes of the scaled coefficients" };
    svg.text("small", (20.0, 48.0), "start", &format!("share of the {of}, by column of the table"));
    let most = shown.first().map_or(1.0, |(_, share)| share.max(1e-12));
    for (i, (name, share)) in shown.iter().enumerate() {
        let y = 64.0 + 26.0 * i as f64;
        let width = 300.0 * share / most;
        let name: String =
            if name.chars().count() > 26 { name.chars().take(25).chain(['…']).collect() } else { name.clone() };
        svg.text("small", (182.0, y + 13.0), "end", &name);
        svg.rect("s0", (192.0, y), (width.max(1.0), 17.0), 0.9);
        svg.text("small", (200.0 + width, y + 13.0), "start", &format!("{:.1} %", share * 100.0));
    }
    svg.finish()
}
