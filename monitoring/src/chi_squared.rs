//! The chi-squared distribution for whole degrees of freedom: tail and quantile.

use std::f64::consts::PI;

/// Probability of a value above `x`. With `a = degrees / 2` and `y = x / 2` this is the regularised
/// `Q(a, y)`, built up by `Q(a + 1, y) = Q(a, y) + y^a·e^-y / Γ(a + 1)` from `Q(1, y) = e^-y` or
/// `Q(1/2, y) = erfc(√y)` (NIST DLMF 8.8.6, 8.4.6). 0 degrees: the value is always 0.
pub fn tail(degrees: usize, x: f64) -> f64 {
    if degrees == 0 {
        return if x > 0.0 { 0.0 } else { 1.0 };
    }
    if x <= 0.0 {
        return 1.0;
    }
    let y = x / 2.0;
    // The term is kept as a logarithm: y^a and Γ alone leave the range of f64.
    let (mut a, mut sum, mut log_term) = if degrees % 2 == 1 {
        (0.5, erfc(y.sqrt()), 0.5 * y.ln() - y - (PI.sqrt() / 2.0).ln())
    } else {
        (1.0, (-y).exp(), y.ln() - y)
    };
    while a < degrees as f64 / 2.0 {
        sum += log_term.exp();
        a += 1.0;
        log_term += y.ln() - a.ln();
    }
    sum.min(1.0)
}

/// The value that is exceeded with probability `p`, by bisection.
pub fn quantile_above(degrees: usize, p: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while tail(degrees, high) > p {
        high *= 2.0;
    }
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if tail(degrees, middle) > p { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// Complementary error function for `x >= 0`: series below 2, continued fraction above
/// (Abramowitz & Stegun 1964, 7.1.6 and 7.1.14).
fn erfc(x: f64) -> f64 {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_tables() {
        // Abramowitz & Stegun 1964, table 26.8.
        for (degrees, p, x) in [
            (1, 0.01, 6.634_90),
            (1, 0.5, 0.454_937),
            (2, 0.01, 9.210_34),
            (3, 0.01, 11.344_9),
            (9, 0.01, 21.666_0),
            (10, 0.05, 18.307_0),
            (19, 0.01, 36.190_8),
            (30, 0.995, 13.786_7),
            (100, 0.01, 135.807),
        ] {
            let (found, tail) = (quantile_above(degrees, p), tail(degrees, x));
            assert!((found / x - 1.0).abs() < 1e-5 && (tail / p - 1.0).abs() < 1e-4, "{degrees}: {found} {tail}");
        }
    }
}
