//! The trivial model, which a first deployment must beat: it looks at no feature.

use super::{Labels, Metric};

/// Name for the report.
pub(super) const NAME: &str = "trivial baseline";

/// Its answers: the shares of the classes; the mean of the numbers, or their median where it is
/// judged by absolute errors. It knows the held-out labels, which makes it harder to beat.
pub(super) fn answers(labels: &Labels, metric: Metric) -> Vec<f64> {
    match labels {
        Labels::Classes { names, rows } => {
            let mut shares = vec![0.0; names.len()];
            rows.iter().for_each(|class| shares[*class] += 1.0 / rows.len() as f64);
            shares.repeat(rows.len())
        }
        Labels::Numbers(rows) if metric == Metric::Mae => {
            let mut sorted = rows.clone();
            sorted.sort_by(f64::total_cmp);
            vec![sorted[rows.len() / 2]; rows.len()]
        }
        Labels::Numbers(rows) => vec![rows.iter().sum::<f64>() / rows.len() as f64; rows.len()],
    }
}
