//! Do two models decide differently well? McNemar's test on the rows that they decide differently.

use super::normal;

/// Result of the test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct McNemar {
    /// Rows that the champion alone has right.
    pub lost: u64,
    /// Rows that the candidate alone has right.
    pub won: u64,
    /// True for the exact test, false for chi-squared with continuity correction.
    pub exact: bool,
    /// Two-sided p-value.
    pub p: f64,
}

/// McNemar 1947; exact binomial below 25 discordant rows, else `(|b − c| − 1)² / (b + c)` against
/// chi-squared with one degree of freedom (Edwards 1948).
pub fn mcnemar(lost: u64, won: u64) -> McNemar {
    let n = lost + won;
    let exact = n < 25;
    let p = if exact {
        let (mut ways, mut sum) = (1.0, 0.0);
        for k in 0..=lost.min(won) {
            sum += ways;
            ways *= (n - k) as f64 / (k + 1) as f64;
        }
        (2.0 * sum / 2f64.powi(n as i32)).min(1.0)
    } else {
        let difference = (lost.abs_diff(won) as f64 - 1.0).max(0.0);
        normal::two_sided(difference / (n as f64).sqrt())
    };
    McNemar { lost, won, exact, p }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lost: u64, won: u64, exact: bool, p: f64) {
        let got = mcnemar(lost, won);
        assert!(got.exact == exact && (got.p / p - 1.0).abs() < 1e-6, "{got:?} is not {p}");
    }

    #[test]
    fn by_hand_and_from_the_book() {
        check(1, 9, true, 2.0 * (1.0 + 10.0) / 1024.0);
        check(3, 3, true, 1.0);
        check(0, 0, true, 1.0);
        check(0, 24, true, 2.0 / 16_777_216.0);
        // Discordant pairs of Agresti, Categorical Data Analysis, table 10.1 (approval ratings): 150 and 86.
        // (|150 − 86| − 1)² / 236 = 16.8178, whose tail is erfc(√(16.8178 / 2)) = 4.114562e-5.
        check(150, 86, false, 4.114_562_281e-5);
    }
}
