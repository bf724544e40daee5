//! The gate on hundreds of made-up model pairs: how often does it err?

use super::random::Random;
use super::tests::comparison;
use super::*;

/// A world of two classes: evidence that both models see, and noise of each model's own.
pub(super) struct World {
    random: Random,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        World { random: Random::new(seed, 9) }
    }

    /// Labels, and the calibrated scores of a champion of `separation` 0.8 and of a candidate.
    pub(super) fn pair(&mut self, rows: usize, candidate: f64) -> (Vec<usize>, [Vec<f64>; 2]) {
        let labels: Vec<usize> = (0..rows).map(|_| usize::from(self.random.below(5) < 2)).collect();
        let shared: Vec<f64> = (0..rows).map(|_| self.normal()).collect();
        let scores = [0.8, candidate].map(|separation: f64| {
            (labels.iter().zip(&shared))
                .map(|(class, shared)| {
                    let evidence = separation * (2.0 * *class as f64 - 1.0) + 0.8 * shared + 0.6 * self.normal();
                    1.0 / (1.0 + (-2.0 * separation * evidence).exp() * 1.5)
                })
                .collect()
        });
        (labels, scores)
    }

    /// Box & Muller 1958.
    pub(super) fn normal(&mut self) -> f64 {
        let mut uniform = || (f64::from(self.random.next()) + 0.5) / 4_294_967_296.0;
        let (a, b) = (uniform(), uniform());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }
}

/// Counts of (better by the deciding metric alone, promoted, held, rejected) in `runs` comparisons.
fn play(seed: u64, runs: usize, rows: usize, candidate: f64) -> [usize; 4] {
    let mut world = World::new(seed);
    let mut counts = [0; 4];
    for _ in 0..runs {
        let (labels, [before, now]) = world.pair(rows, candidate);
        let mut comparison = comparison(labels, before, now);
        comparison.policy.bootstrap.replicates = 300;
        let report = decide(&comparison).unwrap();
        counts[0] += usize::from(report.measured[0].state == MeasuredState::Superior);
        counts[1 + report.verdict as usize] += 1;
    }
    counts
}

#[test]
fn two_models_of_the_same_quality_are_rarely_promoted() {
    let [better, promoted, held, rejected] = play(1, 500, 250, 0.8);
    // One-sided 2.5 %: 12.5 of 500 expected, standard deviation 3.5; 25 is the bound of 5 %. None at
    // all would be a gate that never finds anything better.
    println!("500 A/A: {better} called better, {promoted} promoted, {held} held, {rejected} rejected");
    assert!((3..=25).contains(&better), "{better} of 500 called better");
    assert!(promoted <= better, "{promoted} promoted, {better} better");
    assert!(rejected <= 25 && held >= 450, "{rejected} of 500 rejected, {held} held");
}

#[test]
fn regressions_are_rejected_the_more_surely_the_greater_they_are() {
    let rejected = [0.75, 0.65, 0.5].map(|candidate| {
        let [_, promoted, _, rejected] = play(2, 60, 400, candidate);
        assert_eq!(promoted, 0, "a candidate of {candidate} was promoted");
        rejected
    });
    assert!(rejected.is_sorted() && rejected[2] >= 59, "{rejected:?} of 60");
}

#[test]
fn improvements_are_promoted_the_more_surely_the_greater_they_are() {
    let promoted = [0.85, 0.95, 1.1].map(|candidate| play(3, 60, 400, candidate)[1]);
    assert!(promoted.is_sorted() && promoted[0] < promoted[2] && promoted[2] >= 55, "{promoted:?} of 60");
}

#[test]
fn many_slices_do_not_make_a_false_alarm_likely() {
    let mut world = World::new(6);
    let alarms = (0..80)
        .filter(|_| {
            let (labels, [before, now]) = world.pair(360, 0.8);
            let mut comparison = comparison(labels, before, now);
            comparison.slices =
                (0..12).map(|k| Slice { name: k.to_string(), rows: (k * 30..k * 30 + 30).collect() }).collect();
            comparison.policy.slices = Slices { rows_min: 1, margin: Some(1e-9) };
            comparison.policy.bootstrap.replicates = 800;
            let report = decide(&comparison).unwrap();
            report.measured[1..].iter().any(|m| m.state == MeasuredState::Inferior)
        })
        .count();
    // At 2.5 % each, 12 slices without a correction would alarm in about one case of four, 20 of 80.
    assert!(alarms <= 8, "{alarms} of 80");
}
