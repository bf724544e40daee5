//! The confusion matrix.

use super::svg::Svg;

/// Rows are true classes, columns predicted ones; the darker, the larger its share of the true class. At most 12 classes.
pub(super) fn confusion(names: &[String], counts: &[Vec<u64>]) -> String {
    let shown = names.len().min(12);
    let side = (340.0 / shown as f64).min(110.0);
    let (left, top) = (120.0, 84.0);
    let size = side * shown as f64;
    let mut svg = Svg::new((left + size + 24.0).max(380.0), top + size + 28.0, "Confusion on the held-out rows");
    svg.text("small", (left + size / 2.0, 54.0), "middle", "predicted");
    svg.text("small", (20.0, top - 12.0), "start", "true");
    let short = |name: &str| name.chars().take(12).collect::<String>();
    for (i, row) in counts.iter().take(shown).enumerate() {
        let total = row.iter().sum::<u64>().max(1) as f64;
        let y = top + side * i as f64;
        svg.text("small", (left - 10.0, y + side / 2.0 + 4.0), "end", &short(&names[i]));
        svg.text("small", (left + side * (i as f64 + 0.5), top - 12.0), "middle", &short(&names[i]));
        for (j, count) in row.iter().take(shown).enumerate() {
            let (x, share) = (left + side * j as f64, *count as f64 / total);
            svg.rect("cell", (x + 1.0, y + 1.0), (side - 2.0, side - 2.0), 0.06 + 0.94 * share);
            let class = if share > 0.5 { "strong" } else { "" };
            svg.text(class, (x + side / 2.0, y + side / 2.0 + 4.0), "middle", &count.to_string());
        }
    }
    svg.finish()
}
