//! How good are the answers? By late labels, and without any by the calibration of the held-out rows.
//!
//! Everything is a sum over the bins of the score. The calibrator is a step function on those very
//! bins, so the estimate from counts ("CBPE", confidence-based performance estimation) is exact for
//! it: nothing is lost by not having the rows.

use contract::profile::{Bins, HeldOut, Score};
use contract::watch::{Kind, Measured, Performance, PerformanceState};

/// Labels (or rows) for a verdict.
pub const ROWS_MIN: u64 = 50;
/// Standard normal quantile of a 95 % interval.
const Z: f64 = 1.959_963_984_540_054;
/// Where two classes part: the greatest of two probabilities.
const THRESHOLD: f64 = 0.5;

/// Labels of one bin of the score, by predicted and true class: `cells[bin][predicted][true]`, 1 for
/// the positive one. Expected numbers where labels are estimated.
pub type Cells = Vec<[[f64; 2]; 2]>;

/// What labels came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Labelled {
    /// Two classes.
    Binary(Cells),
    /// More than two: labels that agree, and all.
    Classes {
        /// Labels that are the predicted class.
        right: u64,
        /// Labels.
        all: u64,
    },
    /// A number: labels, and sums over them.
    Numbers {
        /// Labels.
        all: u64,
        /// Sum of |predicted - true|.
        absolute: f64,
        /// Sum of (predicted - true)².
        squared: f64,
    },
}

/// Realised performance, judged against the held-out rows.
pub fn realised(score: Option<&Score>, labelled: &Labelled, margin: f64) -> Performance {
    let edges = edges(score);
    let (rows, metrics) = match labelled {
        Labelled::Binary(cells) => (cells.iter().flatten().flatten().sum::<f64>() as u64, binary(edges, cells)),
        Labelled::Classes { right, all } => (*all, vec![accuracy(*right as f64, *all as f64)]),
        Labelled::Numbers { all, absolute, squared } => (*all, numbers(*all as f64, *absolute, *squared)),
    };
    judged(Kind::Realised, rows, metrics, score, margin)
}

/// Estimated performance from the live score's counts; `None` without calibration. For two classes every
/// metric, for more the accuracy; errors of numbers cannot be told from the numbers.
pub fn estimated(score: &Score, live: &[u64], margin: f64) -> Option<Performance> {
    let shares = calibrated(score)?;
    if live.len() != shares.len() {
        return None;
    }
    let rows = live.iter().sum();
    let metrics = expected(score, live, &shares);
    Some(judged(Kind::Estimated, rows, metrics, Some(score), margin))
}

fn expected(score: &Score, counts: &[u64], shares: &[f64]) -> Vec<Measured> {
    let all = counts.iter().sum::<u64>() as f64;
    if all == 0.0 {
        return Vec::new();
    }
    if score.element.is_none() {
        return vec![accuracy(counts.iter().zip(shares).map(|(n, p)| *n as f64 * p).sum(), all)];
    }
    let cells: Cells = counts
        .iter()
        .zip(shares)
        .zip(middles(edges(Some(score)), counts.len()))
        .map(|((n, p), middle)| {
            let (n, mut cell) = (*n as f64, [[0.0; 2]; 2]);
            cell[usize::from(middle > THRESHOLD)] = [n * (1.0 - p), n * p];
            cell
        })
        .collect();
    binary(edges(Some(score)), &cells)
}

/// Share of hits in each bin, made ascending by pooling neighbours that are not (isotonic regression,
/// pool adjacent violators). A bin without held-out rows has the share of its neighbour below.
pub fn calibrated(score: &Score) -> Option<Vec<f64>> {
    let Some(HeldOut::Hits(hits)) = &score.held_out else { return None };
    let mut pools: Vec<(f64, f64, usize)> = Vec::new(); // hits, rows, bins
    for (hits, rows) in hits.iter().zip(&score.counts) {
        pools.push((*hits as f64, *rows as f64, 1));
        while let [.., below, last] = pools.as_slice()
            && (last.1 == 0.0 || below.1 == 0.0 || below.0 * last.1 >= last.0 * below.1)
        {
            let pooled = (below.0 + last.0, below.1 + last.1, below.2 + last.2);
            pools.truncate(pools.len() - 2);
            pools.push(pooled);
        }
    }
    let rows: f64 = pools.iter().map(|pool| pool.1).sum();
    (rows > 0.0).then(|| pools.iter().flat_map(|(hits, rows, bins)| std::iter::repeat_n(hits / rows, *bins)).collect())
}

/// Adds the reference and the verdict to each metric.
fn judged(kind: Kind, rows: u64, mut metrics: Vec<Measured>, score: Option<&Score>, margin: f64) -> Performance {
    let reference = score.map_or_else(Vec::new, reference);
    for metric in &mut metrics {
        metric.reference = reference.iter().find(|known| known.name == metric.name).map(|known| known.value);
        let error = matches!(metric.name.as_str(), "mae" | "rmse");
        metric.state = match (metric.reference, metric.lower, metric.upper) {
            (Some(_), Some(_), Some(_)) if rows < ROWS_MIN => Some(PerformanceState::InsufficientData),
            (Some(reference), Some(lower), Some(upper)) => {
                // An error may grow by the share `margin`, a share of right answers may fall by `margin`.
                let degraded = if error { lower > reference * (1.0 + margin) } else { upper < reference - margin };
                Some(if degraded { PerformanceState::Degraded } else { PerformanceState::Ok })
            }
            _ => None,
        };
    }
    Performance { kind, rows, rows_needed: ROWS_MIN, metrics }
}

/// The metrics on the held-out rows, by the same sums.
fn reference(score: &Score) -> Vec<Measured> {
    match &score.held_out {
        Some(HeldOut::Errors { mae, rmse }) => vec![plain("mae", *mae), plain("rmse", *rmse)],
        Some(HeldOut::Hits(hits)) => {
            // What was seen, not what the calibrator makes of it.
            let shares: Vec<f64> =
                hits.iter().zip(&score.counts).map(|(hits, rows)| *hits as f64 / (*rows).max(1) as f64).collect();
            expected(score, &score.counts, &shares)
        }
        None => Vec::new(),
    }
}

fn binary(edges: &[f64], cells: &Cells) -> Vec<Measured> {
    let sum = |predicted: usize, truth: usize| cells.iter().map(|cell| cell[predicted][truth]).sum::<f64>();
    let [tn, fn_, fp, tp] = [sum(0, 0), sum(0, 1), sum(1, 0), sum(1, 1)];
    let all = tn + fn_ + fp + tp;
    if all == 0.0 {
        return Vec::new();
    }
    let mut metrics = vec![accuracy(tn + tp, all)];
    let mut share = |name, part: f64, whole: f64| {
        if whole > 0.0 {
            metrics.push(plain(name, part / whole));
        }
    };
    share("precision", tp, tp + fp);
    share("recall", tp, tp + fn_);
    share("f1", 2.0 * tp, 2.0 * tp + fp + fn_);
    metrics.extend(auc(cells));
    let (mut brier, mut log_loss) = (0.0, 0.0);
    for (cell, p) in cells.iter().zip(middles(edges, cells.len())) {
        let (negative, positive) = (cell[0][0] + cell[1][0], cell[0][1] + cell[1][1]);
        brier += positive * (1.0 - p).powi(2) + negative * p.powi(2);
        log_loss -= positive * p.ln() + negative * (1.0 - p).ln();
    }
    // Each row counts with the middle of its bin: off by at most half the bin's width.
    metrics.extend([plain("brier", brier / all), plain("log_loss", log_loss / all)]);
    metrics
}

/// Probability that a positive row's bin is above a negative's, ties half; interval by Hanley & McNeil 1982.
fn auc(cells: &Cells) -> Option<Measured> {
    let (mut below, mut above) = (0.0, 0.0);
    let (mut positives, mut negatives) = (0.0, 0.0);
    for cell in cells {
        let (negative, positive) = (cell[0][0] + cell[1][0], cell[0][1] + cell[1][1]);
        below += positive * (negatives + negative / 2.0);
        positives += positive;
        negatives += negative;
        above = positives * negatives;
    }
    if above <= 0.0 {
        return None;
    }
    let a = below / above;
    let (q1, q2) = (a / (2.0 - a), 2.0 * a * a / (1.0 + a));
    let spread = a * (1.0 - a) + (positives - 1.0).max(0.0) * (q1 - a * a) + (negatives - 1.0).max(0.0) * (q2 - a * a);
    Some(around("auc", a, (spread / above).max(0.0).sqrt()))
}

/// Share of right answers with Wilson's interval (1927).
fn accuracy(right: f64, all: f64) -> Measured {
    if all == 0.0 {
        return plain("accuracy", 0.0);
    }
    let (p, zz) = (right / all, Z * Z);
    let middle = (p + zz / (2.0 * all)) / (1.0 + zz / all);
    let half = Z / (1.0 + zz / all) * (p * (1.0 - p) / all + zz / (4.0 * all * all)).sqrt();
    Measured { lower: Some(middle - half), upper: Some(middle + half), ..plain("accuracy", p) }
}

fn numbers(all: f64, absolute: f64, squared: f64) -> Vec<Measured> {
    if all == 0.0 {
        return Vec::new();
    }
    let (mae, mse) = (absolute / all, squared / all);
    let error = ((mse - mae * mae).max(0.0) / all).sqrt();
    vec![around("mae", mae, error), plain("rmse", mse.sqrt())]
}

fn plain(name: &str, value: f64) -> Measured {
    Measured { name: name.to_owned(), value, lower: None, upper: None, reference: None, state: None }
}

fn around(name: &str, value: f64, error: f64) -> Measured {
    Measured { lower: Some(value - Z * error), upper: Some(value + Z * error), ..plain(name, value) }
}

fn edges(score: Option<&Score>) -> &[f64] {
    match score.map(|score| &score.bins) {
        Some(Bins::Edges(edges)) => edges,
        _ => &[],
    }
}

/// Middle of each bin of a probability: the outer ones end at 0 and 1.
fn middles(edges: &[f64], bins: usize) -> impl Iterator<Item = f64> {
    (0..bins).map(move |bin| {
        let low = bin.checked_sub(1).and_then(|below| edges.get(below)).copied().unwrap_or(0.0).clamp(0.0, 1.0);
        let high = edges.get(bin).copied().unwrap_or(1.0).clamp(0.0, 1.0);
        ((low + high) / 2.0).clamp(1e-6, 1.0 - 1e-6)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Edges 0.25, 0.5, 0.75; 100 held-out rows in each bin.
    fn score(hits: [u64; 4], element: Option<usize>) -> Score {
        Score {
            output: "p".to_owned(),
            element,
            bins: Bins::Edges(vec![0.25, 0.5, 0.75]),
            counts: vec![100; 4],
            held_out: Some(HeldOut::Hits(hits.to_vec())),
        }
    }

    fn value(performance: &Performance, name: &str) -> f64 {
        performance.metrics.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("{name}")).value
    }

    fn state(performance: &Performance, name: &str) -> Option<PerformanceState> {
        performance.metrics.iter().find(|metric| metric.name == name).and_then(|metric| metric.state)
    }

    #[test]
    fn two_classes_by_hand() {
        // Bins 0 and 3 alone: 30 right negatives, 10 missed positives, 20 false alarms, 40 right positives.
        let mut cells = vec![[[0.0; 2]; 2]; 4];
        cells[0][0] = [30.0, 10.0];
        cells[3][1] = [20.0, 40.0];
        let performance = realised(Some(&score([10, 30, 60, 90], Some(1))), &Labelled::Binary(cells), 0.05);
        assert_eq!(performance.rows, 100);
        // AUC: (40·30 + ½(10·30 + 40·20)) / (50·50); Brier with 0.125 and 0.875.
        for (name, expected) in [
            ("accuracy", 0.7),
            ("precision", 40.0 / 60.0),
            ("recall", 0.8),
            ("f1", 80.0 / 110.0),
            ("auc", (1200.0 + 550.0) / 2500.0),
            ("brier", (70.0 * 0.015_625 + 30.0 * 0.765_625) / 100.0),
            ("log_loss", -(70.0 * 0.875f64.ln() + 30.0 * 0.125f64.ln()) / 100.0),
        ] {
            assert!((value(&performance, name) - expected).abs() < 1e-12, "{name}: {}", value(&performance, name));
        }
    }

    #[test]
    fn the_estimate_is_the_reference_when_the_scores_are_those_of_the_reference() {
        let score = score([5, 30, 60, 95], Some(1));
        let performance = estimated(&score, &[100; 4], 0.05).unwrap();
        for metric in &performance.metrics {
            assert!((metric.value - metric.reference.unwrap()).abs() < 1e-12, "{metric:?}");
        }
        assert_eq!(state(&performance, "accuracy"), Some(PerformanceState::Ok));
        // All scores move to where the model is unsure.
        let unsure = estimated(&score, &[0, 400, 400, 0], 0.05).unwrap();
        assert!((value(&unsure, "accuracy") - 0.65).abs() < 1e-12);
        assert_eq!(state(&unsure, "accuracy"), Some(PerformanceState::Degraded));
        let few = estimated(&score, &[0, 20, 20, 0], 0.05).unwrap();
        assert_eq!(state(&few, "accuracy"), Some(PerformanceState::InsufficientData));
    }

    #[test]
    fn neighbours_out_of_order_are_pooled() {
        assert_eq!(calibrated(&score([10, 40, 20, 90], Some(1))).unwrap(), [0.1, 0.3, 0.3, 0.9]);
        assert_eq!(calibrated(&score([90, 40, 20, 10], Some(1))).unwrap(), [0.4; 4]);
        let sparse = Score { counts: vec![0, 10, 0, 10], ..score([0, 2, 0, 9], Some(1)) };
        assert_eq!(calibrated(&sparse).unwrap(), [0.2, 0.2, 0.2, 0.9]);
        assert_eq!(calibrated(&Score { counts: vec![0; 4], ..score([0; 4], None) }), None);
    }

    #[test]
    fn more_classes_and_numbers() {
        let many = score([60, 80, 90, 100], None);
        let right = Labelled::Classes { right: 120, all: 200 };
        assert_eq!(state(&realised(Some(&many), &right, 0.05), "accuracy"), Some(PerformanceState::Degraded));
        assert!((value(&estimated(&many, &[0, 0, 50, 50], 0.05).unwrap(), "accuracy") - 0.95).abs() < 1e-12);

        let number = Score { held_out: Some(HeldOut::Errors { mae: 1.0, rmse: 1.2 }), ..many };
        let labelled = |absolute, squared| Labelled::Numbers { all: 100, absolute, squared };
        let check = |absolute, squared, expected| {
            assert_eq!(state(&realised(Some(&number), &labelled(absolute, squared), 0.05), "mae"), Some(expected));
        };
        check(100.0, 130.0, PerformanceState::Ok);
        check(200.0, 450.0, PerformanceState::Degraded);
        assert_eq!(estimated(&number, &[10; 4], 0.05), None);
        assert_eq!(realised(None, &labelled(100.0, 130.0), 0.05).metrics[0].state, None);
    }
}
