//! Has a feature changed? Population stability index on the fixed edges, with a limit that knows
//! the sample sizes and how many features are looked at.
//!
//! Under no change `PSI ≈ (1/n + 1/m)·χ²(B-1)`, so a fixed "PSI > 0.1" fires most of the time on
//! small samples (Yurdakul & Naranjo 2020, "Statistical properties of the population stability index").

use contract::api::DriftState;
use contract::profile::Profile;
use contract::telemetry::FeatureCounts;

use crate::chi_squared;

/// An effect below this PSI is never called drift, however certain it is.
pub const PSI_FLOOR: f64 = 0.1;
/// The least number of rows on either side for a verdict: below, χ² is no good approximation.
pub const ROWS_MIN: u64 = 100;
/// Share of unchanged samples that stay below the limit; and 1 - this is the share of false ones
/// among the features called drifting.
pub const CONFIDENCE: f64 = 0.99;

/// The verdict on one feature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// PSI, in nats; absent with too little data.
    pub psi: Option<f64>,
    /// [`CONFIDENCE`] quantile of PSI under no change for these sample sizes.
    pub limit: Option<f64>,
    /// Probability of such a PSI under no change; 1 with too little data.
    pub p: f64,
    /// Live rows.
    pub rows: u64,
    /// Live rows from which on the limit is below [`PSI_FLOOR`]; absent when the reference is too small for that.
    pub rows_needed: Option<u64>,
    /// What it means.
    pub state: DriftState,
}

/// Each feature of `profile`, in its order; all together, so that many features do not make many false alarms.
/// Missing and unseen values are bins of their own.
pub fn features(profile: &Profile, live: &[FeatureCounts]) -> Vec<Verdict> {
    let none = FeatureCounts::default();
    let mut verdicts: Vec<Verdict> = profile
        .features
        .iter()
        .enumerate()
        .map(|(i, reference)| {
            let live = live.get(i).unwrap_or(&none);
            let side = |counts: &[u64], missing, unseen| [counts, &[missing, unseen]].concat();
            let counts = if live.counts.is_empty() { &vec![0; reference.counts.len()] } else { &live.counts };
            verdict(&side(&reference.counts, reference.missing, 0), &side(counts, live.missing, live.unseen))
        })
        .collect();
    discover(&mut verdicts);
    verdicts
}

/// Compares counts on the same bins, as if they were the only ones looked at.
pub fn verdict(reference: &[u64], live: &[u64]) -> Verdict {
    let (m, n) = (reference.iter().sum::<u64>(), live.iter().sum::<u64>());
    let bins = reference.iter().zip(live).filter(|(a, b)| **a + **b > 0).count();
    let degrees = bins.saturating_sub(1);
    let quantile = chi_squared::quantile_above(degrees, 1.0 - CONFIDENCE);
    // (1/n + 1/m)·quantile <= PSI_FLOOR, solved for n.
    let share = PSI_FLOOR / quantile - 1.0 / m as f64;
    let rows_needed = (m >= ROWS_MIN && share > 0.0).then(|| ((1.0 / share).ceil() as u64).max(ROWS_MIN));
    if n < ROWS_MIN || m < ROWS_MIN {
        let state = DriftState::InsufficientData;
        return Verdict { psi: None, limit: None, p: 1.0, rows: n, rows_needed, state };
    }
    let (psi, scale) = (psi(reference, live), 1.0 / n as f64 + 1.0 / m as f64);
    let limit = scale * quantile;
    let state = match () {
        () if psi > limit && psi >= PSI_FLOOR => DriftState::Drift,
        () if limit > PSI_FLOOR => DriftState::InsufficientData, // a change that counts could hide below the limit
        () => DriftState::Ok,
    };
    Verdict {
        psi: Some(psi),
        limit: Some(limit),
        p: chi_squared::tail(degrees, psi / scale),
        rows: n,
        rows_needed,
        state,
    }
}

/// Takes back what chance explains when this many are looked at (Benjamini & Hochberg 1995): of those
/// still called drifting, a share of at most 1 - [`CONFIDENCE`] is false on average.
fn discover(verdicts: &mut [Verdict]) {
    let mut p: Vec<f64> = verdicts.iter().filter(|verdict| verdict.psi.is_some()).map(|verdict| verdict.p).collect();
    p.sort_by(f64::total_cmp);
    let accepted = |(i, p): (usize, &f64)| *p <= (i + 1) as f64 / verdicts.len() as f64 * (1.0 - CONFIDENCE);
    let greatest = p.iter().enumerate().rev().find(|(i, p)| accepted((*i, p))).map_or(-1.0, |(_, p)| *p);
    for verdict in verdicts.iter_mut().filter(|verdict| verdict.state == DriftState::Drift && verdict.p > greatest) {
        verdict.state = DriftState::Ok;
    }
}

/// `Σ (q - p)·ln(q/p)` over the bins, with half a row added to each bin that either side fills
/// (Jeffreys' prior), so that an empty bin does not make it infinite.
pub fn psi(reference: &[u64], live: &[u64]) -> f64 {
    let used: Vec<(f64, f64)> = reference
        .iter()
        .zip(live)
        .filter(|(a, b)| **a + **b > 0)
        .map(|(a, b)| (*a as f64 + 0.5, *b as f64 + 0.5))
        .collect();
    let (n, m) = used.iter().fold((0.0, 0.0), |(n, m), (a, b)| (n + a, m + b));
    used.iter().map(|(a, b)| (b / m - a / n) * ((b / m) / (a / n)).ln()).sum()
}

#[cfg(test)]
mod tests {
    use contract::profile::{Bins, Reference};

    use super::*;

    #[test]
    fn the_three_states() {
        let reference = [250, 250, 250, 250];
        let check = |live: [u64; 4], expected| assert_eq!(verdict(&reference, &live).state, expected, "{live:?}");
        check([5, 5, 5, 5], DriftState::InsufficientData);
        check([24, 26, 25, 25], DriftState::InsufficientData); // 100 rows could hide a PSI of 0.12
        check([32, 34, 33, 33], DriftState::Ok);
        check([10, 20, 30, 140], DriftState::Drift);
        check([3, 7, 10, 80], DriftState::Drift); // seen with few rows, because it is large
        check([2300, 2400, 2600, 2700], DriftState::Ok); // certain with enough rows, yet small
        let needed = |reference: &[u64]| verdict(reference, &[0; 4]).rows_needed;
        assert_eq!(needed(&reference), Some(128));
        assert_eq!(needed(&[25, 25, 25, 25]), None);
        assert_eq!(needed(&[10, 10, 10, 10]), None);
    }

    /// A small linear congruential generator (Knuth's MMIX constants): numbers in 0..1.
    fn random(state: &mut u64) -> f64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 11) as f64 / (1u64 << 53) as f64
    }

    fn sample(state: &mut u64, rows: usize, bins: usize) -> Vec<u64> {
        let mut counts = vec![0; bins];
        (0..rows).for_each(|_| counts[(random(state) * bins as f64) as usize] += 1);
        counts
    }

    #[test]
    fn one_in_a_hundred_unchanged_samples_exceeds_the_limit() {
        let mut state = 7;
        for (n, m) in [(150, 1000), (1000, 300), (5000, 5000)] {
            let above = (0..4000)
                .filter(|_| {
                    let verdict = verdict(&sample(&mut state, m, 10), &sample(&mut state, n, 10));
                    verdict.psi > verdict.limit
                })
                .count();
            let share = above as f64 / 4000.0;
            assert!((0.003..0.02).contains(&share), "n {n}, m {m}: {share}");
        }
    }

    #[test]
    fn a_hundred_unchanged_features_do_not_alarm_and_the_changed_one_does() {
        let mut state = 11;
        let features: Vec<Reference> = (0..100)
            .map(|i| Reference {
                name: format!("x{i}"),
                bins: Bins::Edges((1..10).map(f64::from).collect()),
                counts: sample(&mut state, 200, 10),
                missing: 0,
            })
            .collect();
        let profile = Profile { features, ..Profile::default() };
        let (mut alone, mut together) = (0, 0);
        for round in 0..50 {
            let mut live: Vec<FeatureCounts> =
                (0..100).map(|_| FeatureCounts { counts: sample(&mut state, 200, 10), ..Default::default() }).collect();
            let drifting = |verdicts: &[Verdict]| verdicts.iter().filter(|v| v.state == DriftState::Drift).count();
            let each: Vec<Verdict> =
                profile.features.iter().zip(&live).map(|(a, b)| verdict(&a.counts, &b.counts)).collect();
            alone += drifting(&each);
            together += usize::from(drifting(&super::features(&profile, &live)) > 0);
            if round == 0 {
                live[42] = FeatureCounts { counts: vec![0, 0, 0, 0, 0, 0, 0, 0, 20, 180], ..Default::default() };
                assert_eq!(super::features(&profile, &live)[42].state, DriftState::Drift);
            }
        }
        assert!(alone > 20 && together <= 2, "{alone} false ones alone, {together} rounds with any together");
    }
}
