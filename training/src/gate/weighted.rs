//! The metrics on rows that count several times: what a bootstrap sample is.
//!
//! Sorting, logarithms and bins are done once; a sample then costs one pass over the rows. The
//! training room's own metrics give the figures of the report, and a test holds both together.

use crate::metrics;

use super::{Labels, Metric};

/// A metric of one model, ready to be taken on any sample of the rows.
pub(super) enum Weighted {
    /// Mean of a loss for each row.
    Mean(Vec<f64>),
    /// Root of it.
    RootMean(Vec<f64>),
    /// AUC of one class against the rest, or the mean of several.
    Ranking(Vec<Ranking>),
    /// True class and predicted class.
    F1(Vec<(usize, usize)>, usize),
    /// Bin, probability and hit.
    Calibration(Vec<(usize, f64, f64)>),
    /// Truth and squared error.
    Explained(Vec<(f64, f64)>),
}

/// Rows by descending score; each run of equal scores with whether a row is positive.
pub(super) struct Ranking(Vec<Vec<(u32, bool)>>);

/// The metric on all rows as they are; `None` where it is not defined.
pub(super) fn point(metric: Metric, labels: &Labels, matrix: &[f64]) -> Option<f64> {
    let value = match labels {
        Labels::Numbers(truth) => match metric {
            Metric::Rmse => metrics::rmse(truth, matrix),
            Metric::Mae => metrics::mae(truth, matrix),
            _ => metrics::r2(truth, matrix)?,
        },
        Labels::Classes { names, rows } => {
            let classes = names.len();
            match metric {
                Metric::LogLoss => metrics::log_loss(rows, matrix, classes),
                Metric::Accuracy => metrics::accuracy(rows, matrix, classes),
                Metric::F1 => metrics::f1(rows, matrix, classes),
                Metric::Brier => metrics::brier(rows, matrix, classes),
                Metric::Ece => metrics::expected_calibration_error(rows, matrix, classes),
                _ => {
                    let of = |class: usize| {
                        let is: Vec<bool> = rows.iter().map(|row| *row == class).collect();
                        let scores: Vec<f64> = matrix.chunks_exact(classes).map(|row| row[class]).collect();
                        metrics::auc(&is, &scores)
                    };
                    let found: Vec<f64> = ranked(classes).filter_map(of).collect();
                    found.iter().sum::<f64>() / found.len() as f64
                }
            }
        }
    };
    value.is_finite().then_some(value)
}

/// Prepares a metric for samples.
pub(super) fn prepare(metric: Metric, labels: &Labels, matrix: &[f64]) -> Weighted {
    match labels {
        Labels::Numbers(truth) => {
            let pairs = || truth.iter().zip(matrix).map(|(t, p)| (*t, p - t));
            match metric {
                Metric::Rmse => Weighted::RootMean(pairs().map(|(_, error)| error * error).collect()),
                Metric::Mae => Weighted::Mean(pairs().map(|(_, error)| error.abs()).collect()),
                _ => Weighted::Explained(pairs().map(|(t, error)| (t, error * error)).collect()),
            }
        }
        Labels::Classes { names, rows } => {
            let classes = names.len();
            let each = || rows.iter().copied().zip(matrix.chunks_exact(classes));
            // A metric of one row is its loss there.
            let losses = |of: fn(&[usize], &[f64], usize) -> f64| {
                Weighted::Mean(each().map(|(class, row)| of(&[class], row, classes)).collect())
            };
            match metric {
                Metric::LogLoss => losses(metrics::log_loss),
                Metric::Accuracy => losses(metrics::accuracy),
                Metric::Brier => losses(metrics::brier),
                Metric::F1 => Weighted::F1(each().map(|(class, row)| (class, argmax(row))).collect(), classes),
                Metric::Ece => Weighted::Calibration(
                    each()
                        .map(|(class, row)| {
                            let said = if classes == 2 { 1 } else { argmax(row) };
                            let bin = ((row[said] * 10.0) as usize).min(9);
                            (bin, row[said], f64::from(u8::from(class == said)))
                        })
                        .collect(),
                ),
                _ => Weighted::Ranking(
                    ranked(classes)
                        .map(|class| {
                            let scores: Vec<f64> = matrix.chunks_exact(classes).map(|row| row[class]).collect();
                            ranking(&scores, |row| rows[row] == class)
                        })
                        .collect(),
                ),
            }
        }
    }
}

impl Weighted {
    /// The metric where row `i` stands `weights[i]` times; `None` where it is not defined.
    pub(super) fn value(&self, weights: &[u32]) -> Option<f64> {
        let rows: f64 = weights.iter().map(|w| f64::from(*w)).sum();
        let mean =
            |losses: &[f64]| losses.iter().zip(weights).map(|(loss, w)| loss * f64::from(*w)).sum::<f64>() / rows;
        let value = match self {
            Weighted::Mean(losses) => mean(losses),
            Weighted::RootMean(losses) => mean(losses).sqrt(),
            Weighted::Ranking(rankings) => {
                let (sum, count) = (rankings.iter().filter_map(|ranking| ranking.auc(weights)))
                    .fold((0.0, 0.0), |(sum, count), auc| (sum + auc, count + 1.0));
                sum / count
            }
            Weighted::F1(decided, classes) => f1(decided, *classes, weights),
            Weighted::Calibration(said) => {
                let mut bins = [0.0; 10];
                for ((bin, p, hit), w) in said.iter().zip(weights) {
                    bins[*bin] += (hit - p) * f64::from(*w);
                }
                bins.iter().map(|off| off.abs()).sum::<f64>() / rows
            }
            Weighted::Explained(pairs) => {
                let each = || pairs.iter().zip(weights).map(|((t, e), w)| (*t, *e, f64::from(*w)));
                let middle = each().map(|(t, _, w)| t * w).sum::<f64>() / rows;
                let (total, error) = each()
                    .fold((0.0, 0.0), |(total, error), (t, e, w)| (total + w * (t - middle).powi(2), error + w * e));
                1.0 - error / total
            }
        };
        value.is_finite().then_some(value)
    }
}

impl Ranking {
    /// Pairs in the right order, ties half, over all pairs; counted in whole halves.
    fn auc(&self, weights: &[u32]) -> Option<f64> {
        let (mut up, mut down, mut halves) = (0u64, 0u64, 0u64);
        for tied in &self.0 {
            let (mut here_up, mut here_down) = (0u64, 0u64);
            for (row, positive) in tied {
                let weight = u64::from(weights[*row as usize]);
                if *positive { here_up += weight } else { here_down += weight }
            }
            halves += here_down * (2 * up + here_up);
            up += here_up;
            down += here_down;
        }
        (up > 0 && down > 0).then(|| halves as f64 / 2.0 / (up as f64 * down as f64))
    }
}

fn ranking(scores: &[f64], positive: impl Fn(usize) -> bool) -> Ranking {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let runs = order.chunk_by(|a, b| scores[*a] == scores[*b]);
    Ranking(runs.map(|tied| tied.iter().map(|row| (*row as u32, positive(*row))).collect()).collect())
}

fn f1(decided: &[(usize, usize)], classes: usize, weights: &[u32]) -> f64 {
    let (mut hit, mut seen) = (vec![0.0; classes], vec![0.0; classes]);
    for ((class, said), weight) in decided.iter().zip(weights) {
        let weight = f64::from(*weight);
        seen[*class] += weight;
        seen[*said] += weight;
        hit[*class] += if class == said { weight } else { 0.0 };
    }
    let of = |class: usize| if seen[class] == 0.0 { 0.0 } else { 2.0 * hit[class] / seen[class] };
    if classes == 2 { of(1) } else { (0..classes).map(of).sum::<f64>() / classes as f64 }
}

/// Classes that are ranked against the rest.
fn ranked(classes: usize) -> std::ops::Range<usize> {
    if classes == 2 { 1..2 } else { 0..classes }
}

/// The most probable class, the first of equals.
pub(super) fn argmax(row: &[f64]) -> usize {
    (1..row.len()).fold(0, |best, k| if row[k] > row[best] { k } else { best })
}

#[cfg(test)]
mod tests {
    use super::super::random::Random;
    use super::*;

    /// A sample as weights gives what the training room's metrics give on the same rows written out.
    fn check(metrics: &[Metric], labels: &Labels, matrix: &[f64], weights: &[u32]) {
        let width = matrix.len() / labels.len();
        let drawn: Vec<usize> = weights.iter().enumerate().flat_map(|(row, w)| vec![row; *w as usize]).collect();
        let rows: Vec<f64> = drawn.iter().flat_map(|row| matrix[row * width..][..width].to_vec()).collect();
        for metric in metrics {
            let expected = point(*metric, &super::super::measure::part(labels, &drawn), &rows).unwrap();
            let got = prepare(*metric, labels, matrix).value(weights).unwrap();
            assert!((got - expected).abs() < 1e-12, "{}: {got} is not {expected}", metric.name());
        }
    }

    #[test]
    fn weights_are_rows_written_out() {
        use Metric::*;
        let mut random = Random::new(5, 5);
        let mut draw = |bound: u32| -> Vec<u32> { (0..50).map(|_| random.below(bound)).collect() };
        for classes in [2, 3] {
            let rows = draw(classes).iter().map(|class| *class as usize).collect();
            let names = (0..classes).map(|class| class.to_string()).collect();
            // Coarse, so that there are ties.
            let (a, b) = (draw(9), draw(9));
            let matrix: Vec<f64> = (a.iter().zip(&b))
                .flat_map(|(a, b)| {
                    let parts = [f64::from(a + 1), f64::from(b + 1), 3.0];
                    let sum: f64 = parts.iter().take(classes as usize).sum();
                    parts.into_iter().take(classes as usize).map(move |part| part / sum)
                })
                .collect();
            check(&[Auc, LogLoss, Accuracy, F1, Brier, Ece], &Labels::Classes { names, rows }, &matrix, &draw(4));
        }
        let labels = Labels::Numbers(draw(100).iter().map(|t| f64::from(*t)).collect());
        let predicted: Vec<f64> = draw(100).iter().map(|p| f64::from(*p) + 0.5).collect();
        check(&[Rmse, Mae, R2], &labels, &predicted, &draw(4));
    }
}
