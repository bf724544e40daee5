//! The normal distribution: tails and quantiles.

use std::f64::consts::{PI, SQRT_2};

/// Complementary error function for `x >= 0`: series below 2, continued fraction above
/// (Abramowitz & Stegun 1964, 7.1.6 and 7.1.14); relative error below 1e-12.
pub(super) fn erfc(x: f64) -> f64 {
    if x < 2.0 {
        let (mut term, mut sum) = (x, x);
        for n in 1..80 {
            term *= 2.0 * x * x / f64::from(2 * n + 1);
            sum += term;
        }
        return 1.0 - 2.0 / PI.sqrt() * (-x * x).exp() * sum;
    }
    let fraction = (1..=80).rev().fold(x, |below, k| x + f64::from(k) / 2.0 / below);
    (-x * x).exp() / PI.sqrt() / fraction
}

/// Probability of a value at least `|z|` away from 0, on either side.
pub(super) fn two_sided(z: f64) -> f64 {
    if z.is_nan() { f64::NAN } else { erfc(z.abs() / SQRT_2) }
}

/// The `z` with `P(Z <= z) = p`, for `0 < p < 1`, by bisection.
pub(super) fn quantile(p: f64) -> f64 {
    if p < 0.5 {
        return -quantile(1.0 - p);
    }
    let (mut low, mut high) = (0.0, 40.0);
    for _ in 0..80 {
        let middle = (low + high) / 2.0;
        if 1.0 - two_sided(middle) / 2.0 < p { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_tables() {
        // Abramowitz & Stegun 1964: table 7.1 (erf), table 26.2 (quantiles are those of every text book).
        for (x, expected) in
            [(0.0, 1.0), (0.5, 1.0 - 0.520_499_877_8), (1.0, 1.0 - 0.842_700_792_9), (2.0, 0.004_677_734_981)]
        {
            assert!((erfc(x) - expected).abs() < 1e-10, "{x}: {}", erfc(x));
        }
        assert!((erfc(1.999_999_9) / erfc(2.0) - 1.0).abs() < 1e-6, "the two halves meet");
        for (p, expected) in [(0.5, 0.0), (0.8, 0.841_621_234), (0.975, 1.959_963_985), (0.025, -1.959_963_985)] {
            assert!((quantile(p) - expected).abs() < 1e-8, "{p}: {}", quantile(p));
        }
    }
}
