//! The paired, stratified bootstrap: rows are drawn again, both models are measured on the same draw.
//!
//! Efron & Tibshirani 1993, "An Introduction to the Bootstrap": percentile interval, chapter 13.

use super::random::Random;
use super::{normal, policy};

/// Calls `each` with the number of times that every row was drawn, once for each replicate. Each
/// stratum keeps its size.
pub(super) fn samples(policy: &policy::Bootstrap, strata: &[Vec<u32>], mut each: impl FnMut(&[u32])) {
    let mut random = Random::new(policy.seed, 1);
    let mut weights = vec![0u32; strata.iter().map(Vec::len).sum()];
    for _ in 0..policy.replicates {
        weights.fill(0);
        for stratum in strata {
            for _ in 0..stratum.len() {
                weights[stratum[random.below(stratum.len() as u32) as usize] as usize] += 1;
            }
        }
        each(&weights);
    }
}

/// What the replicates of a gain say.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spread {
    sorted: Vec<f64>,
}

impl Spread {
    /// `None` without replicates.
    pub(super) fn new(mut gains: Vec<f64>) -> Option<Spread> {
        gains.sort_by(f64::total_cmp);
        (!gains.is_empty()).then_some(Spread { sorted: gains })
    }

    /// The percentile interval: the k-th smallest and the k-th greatest, `k = ⌊(B + 1)(1 - confidence) / 2⌋`.
    pub(super) fn interval(&self, confidence: f64) -> (f64, f64) {
        let b = self.sorted.len();
        let k = ((b as f64 + 1.0) * (1.0 - confidence) / 2.0 + 1e-9) as usize;
        let k = k.clamp(1, b.div_ceil(2));
        (self.sorted[k - 1], self.sorted[b - k])
    }

    /// Chance of a gain of at least `bound`: the p-value of "the loss is not greater than that", with
    /// one replicate added so that it is never 0.
    pub(super) fn at_least(&self, bound: f64) -> f64 {
        let below = self.sorted.partition_point(|gain| *gain < bound);
        (self.sorted.len() - below + 1) as f64 / (self.sorted.len() + 1) as f64
    }

    /// Two-sided p-value of "no difference".
    pub(super) fn p(&self) -> f64 {
        let up = self.at_least(0.0);
        let down = (self.sorted.partition_point(|gain| *gain <= 0.0) + 1) as f64 / (self.sorted.len() + 1) as f64;
        (2.0 * up.min(down)).min(1.0)
    }

    /// The difference that a test at this confidence would find in 80 of 100 cases:
    /// `(z(1 - α/2) + z(0.8)) · standard error`. `None` when no replicate differs.
    pub(super) fn detectable(&self, confidence: f64) -> Option<f64> {
        let n = self.sorted.len() as f64;
        let mean = self.sorted.iter().sum::<f64>() / n;
        let error = (self.sorted.iter().map(|gain| (gain - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0)).sqrt();
        let z = normal::quantile(1.0 - (1.0 - confidence) / 2.0) + normal::quantile(0.8);
        (error > 1e-12).then_some(z * error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strata_keep_their_size_and_a_seed_its_draw() {
        let strata = [vec![0, 2, 4], vec![1, 3]];
        let draw = |seed| {
            let mut all = Vec::new();
            samples(&policy::Bootstrap { replicates: 100, seed }, &strata, |weights| all.push(weights.to_vec()));
            all
        };
        assert!(draw(1).iter().all(|w| w[0] + w[2] + w[4] == 3 && w[1] + w[3] == 2));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn interval_and_chances_by_hand() {
        let spread = Spread::new((1..=199).rev().map(f64::from).collect()).unwrap();
        assert_eq!(spread.interval(0.95), (5.0, 195.0)); // k = ⌊200 · 0.025⌋ = 5
        assert_eq!(spread.at_least(190.0), 11.0 / 200.0);
        assert_eq!(spread.p(), 2.0 / 200.0);
        // The standard deviation of 1..=199 is √(199 · 200 / 12).
        let expected = (1.959_963_985 + 0.841_621_234) * (199.0f64 * 200.0 / 12.0).sqrt();
        assert!((spread.detectable(0.95).unwrap() / expected - 1.0).abs() < 1e-8);
        assert_eq!(Spread::new(vec![0.0; 9]).unwrap().detectable(0.95), None);
    }
}
