//! Are two AUCs on the same rows different? DeLong's test, with midranks.
//!
//! Sources: DeLong, DeLong & Clarke-Pearson 1988; Sun & Xu 2014, "Fast Implementation of DeLong's
//! Algorithm for Comparing the Areas Under Correlated Receiver Operating Characteristic Curves".

use super::normal;

/// Result of the test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeLong {
    /// AUC of the champion.
    pub champion: f64,
    /// AUC of the candidate.
    pub candidate: f64,
    /// Variance of their difference.
    pub variance: f64,
    /// Difference over its standard error; infinite without variance, 0 without difference.
    pub z: f64,
    /// Two-sided p-value.
    pub p: f64,
}

/// Compares two scores of the same rows; `None` with fewer than two rows of either class.
pub fn delong(positive: &[bool], champion: &[f64], candidate: &[f64]) -> Option<DeLong> {
    let a = components(positive, champion)?;
    let b = components(positive, candidate)?;
    let variance_of = |a: &[f64], b: &[f64]| {
        let n = a.len() as f64;
        let differences = || a.iter().zip(b).map(|(a, b)| b - a);
        let mean = differences().sum::<f64>() / n;
        differences().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0) / n
    };
    let variance = variance_of(&a.positives, &b.positives) + variance_of(&a.negatives, &b.negatives);
    let difference = b.auc - a.auc;
    let z = if difference == 0.0 { 0.0 } else { difference / variance.sqrt() };
    Some(DeLong { champion: a.auc, candidate: b.auc, variance, z, p: normal::two_sided(z) })
}

/// The structural components: for each positive the share of negatives below it, for each negative
/// the share of positives above it, ties half.
struct Components {
    auc: f64,
    positives: Vec<f64>,
    negatives: Vec<f64>,
}

fn components(positive: &[bool], scores: &[f64]) -> Option<Components> {
    let of = |class: bool| -> Vec<f64> {
        positive.iter().zip(scores).filter(|(is, _)| **is == class).map(|(_, score)| *score).collect()
    };
    let (up, down) = (of(true), of(false));
    let (m, n) = (up.len() as f64, down.len() as f64);
    if up.len() < 2 || down.len() < 2 {
        return None;
    }
    let all = midranks(&[up.as_slice(), down.as_slice()].concat());
    let (all_up, all_down) = all.split_at(up.len());
    let positives: Vec<f64> = all_up.iter().zip(midranks(&up)).map(|(all, own)| (all - own) / n).collect();
    let negatives = all_down.iter().zip(midranks(&down)).map(|(all, own)| 1.0 - (all - own) / m).collect();
    Some(Components { auc: positives.iter().sum::<f64>() / m, positives, negatives })
}

/// Ranks from 1, equal values sharing the mean of theirs.
fn midranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    for tied in order.chunk_by(|a, b| values[*a] == values[*b]).scan(0, |start, tied| {
        *start += tied.len();
        Some((*start - tied.len(), tied))
    }) {
        let (start, rows) = tied;
        rows.iter().for_each(|row| ranks[*row] = start as f64 + (rows.len() as f64 + 1.0) / 2.0);
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::super::random::Random;
    use super::*;

    #[test]
    fn by_hand() {
        let positive = [true, true, true, false, false, false];
        let champion = [0.9, 0.8, 0.3, 0.7, 0.2, 0.1];
        let candidate = [0.6, 0.9, 0.4, 0.5, 0.7, 0.1];
        // Components of the champion: positives 1, 1, 2/3, negatives 2/3, 1, 1; of the candidate:
        // 2/3, 1, 1/3 and 2/3, 1/3, 1. Their differences have the variances 1/27 and 4/27, so that
        // Var = (1/27 + 4/27) / 3 = 5/81 and z = (-2/9) / (√5/9) = -2/√5.
        let got = delong(&positive, &champion, &candidate).unwrap();
        let check = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-9, "{got} is not {expected}");
        check(got.champion, 8.0 / 9.0);
        check(got.candidate, 6.0 / 9.0);
        check(got.variance, 5.0 / 81.0);
        check(got.z, -2.0 / 5f64.sqrt());
        check(got.p, 0.371_093_369_522_697_6); // erfc(√0.4)
        assert_eq!(delong(&positive, &champion, &champion).unwrap().p, 1.0);
        assert_eq!(delong(&[true, false, false], &[0.5; 3], &[0.4; 3]), None);
    }

    #[test]
    fn midranks_give_what_all_pairs_give() {
        let mut random = Random::new(3, 3);
        let positive: Vec<bool> = (0..60).map(|_| random.below(3) == 0).collect();
        let scores: Vec<f64> = (0..60).map(|_| f64::from(random.below(12)) / 12.0).collect(); // many ties
        let got = components(&positive, &scores).unwrap();
        let side = |class: bool| (0..60).filter(|row| positive[*row] == class).collect::<Vec<_>>();
        let above = |a: f64, b: f64| f64::from(u8::from(a > b)) + f64::from(u8::from(a == b)) / 2.0;
        let (up, down) = (side(true), side(false));
        for (row, got) in up.iter().zip(&got.positives) {
            let pairs: f64 = down.iter().map(|other| above(scores[*row], scores[*other])).sum();
            assert!((got - pairs / down.len() as f64).abs() < 1e-12);
        }
        for (row, got) in down.iter().zip(&got.negatives) {
            let pairs: f64 = up.iter().map(|other| above(scores[*other], scores[*row])).sum();
            assert!((got - pairs / up.len() as f64).abs() < 1e-12);
        }
    }
}
