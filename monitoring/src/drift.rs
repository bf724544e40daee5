//! Has a feature changed? Population stability index on the fixed edges, with a limit that knows
//! the sample sizes.
//!
//! Under no change `PSI ≈ (1/n + 1/m)·χ²(B-1)`, so a fixed "PSI > 0.1" fires most of the time on
//! small samples (Yurdakul & Naranjo 2020, "Statistical properties of the population stability index").

use contract::api::DriftState;

/// An effect below this PSI is never called drift, however certain it is.
pub const PSI_FLOOR: f64 = 0.1;
/// The least number of rows on either side for a verdict.
pub const ROWS_MIN: u64 = 100;
/// Share of unchanged samples that stay below the limit.
pub const CONFIDENCE: f64 = 0.99;

/// The verdict on one feature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// PSI, in nats; absent with too little data.
    pub psi: Option<f64>,
    /// [`CONFIDENCE`] quantile of PSI under no change for these sample sizes.
    pub limit: Option<f64>,
    /// What it means.
    pub state: DriftState,
}

/// Compares counts on the same bins. Pass missing and unseen values as further bins.
pub fn verdict(reference: &[u64], live: &[u64]) -> Verdict {
    let (n, m) = (reference.iter().sum::<u64>(), live.iter().sum::<u64>());
    let bins = reference.iter().zip(live).filter(|(a, b)| **a + **b > 0).count();
    if n < ROWS_MIN || m < ROWS_MIN || bins == 0 {
        return Verdict { psi: None, limit: None, state: DriftState::InsufficientData };
    }
    let psi = psi(reference, live);
    let limit = (1.0 / n as f64 + 1.0 / m as f64) * chi_squared_quantile(bins.saturating_sub(1), CONFIDENCE);
    let state = if psi > limit && psi >= PSI_FLOOR { DriftState::Drift } else { DriftState::Ok };
    Verdict { psi: Some(psi), limit: Some(limit), state }
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

/// Quantile of the chi-squared distribution (Wilson & Hilferty 1931), for `q` = [`CONFIDENCE`].
fn chi_squared_quantile(degrees: usize, q: f64) -> f64 {
    debug_assert_eq!(q, CONFIDENCE, "the normal quantile below is that of CONFIDENCE");
    let z = 2.326_347_874_040_841; // standard normal quantile of 0.99
    let k = degrees as f64;
    if degrees == 0 { 0.0 } else { k * (1.0 - 2.0 / (9.0 * k) + z * (2.0 / (9.0 * k)).sqrt()).powi(3) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_states() {
        let reference = [250, 250, 250, 250];
        let check = |live: [u64; 4], expected| assert_eq!(verdict(&reference, &live).state, expected, "{live:?}");
        check([5, 5, 5, 5], DriftState::InsufficientData);
        check([24, 26, 25, 25], DriftState::Ok);
        check([10, 20, 30, 140], DriftState::Drift);
        check([230, 240, 260, 270], DriftState::Ok); // certain with enough rows, yet small
    }

    #[test]
    fn quantiles_of_chi_squared() {
        for (degrees, exact) in [(1, 6.635), (9, 21.666), (19, 36.191)] {
            let error = chi_squared_quantile(degrees, CONFIDENCE) / exact - 1.0;
            assert!(error.abs() < 0.01, "{degrees}: {error}");
        }
    }
}
