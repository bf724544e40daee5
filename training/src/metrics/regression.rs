//! Metrics of predicted numbers.

/// Root of the mean squared error.
pub fn rmse(target: &[f64], predicted: &[f64]) -> f64 {
    (sum(target, predicted, |error| error * error) / target.len().max(1) as f64).sqrt()
}

/// Mean absolute error.
pub fn mae(target: &[f64], predicted: &[f64]) -> f64 {
    sum(target, predicted, f64::abs) / target.len().max(1) as f64
}

/// Share of the variance that is explained; `None` for a constant target.
pub fn r2(target: &[f64], predicted: &[f64]) -> Option<f64> {
    let mean = target.iter().sum::<f64>() / target.len().max(1) as f64;
    let total: f64 = target.iter().map(|t| (t - mean).powi(2)).sum();
    (total > 0.0).then(|| 1.0 - sum(target, predicted, |error| error * error) / total)
}

fn sum(target: &[f64], predicted: &[f64], of: impl Fn(f64) -> f64) -> f64 {
    target.iter().zip(predicted).map(|(t, p)| of(p - t)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let (target, predicted) = ([1.0, 2.0, 6.0], [2.0, 2.0, 4.0]); // errors 1, 0, -2; variance sum 14
        assert_eq!(rmse(&target, &predicted), (5.0f64 / 3.0).sqrt());
        assert_eq!(mae(&target, &predicted), 1.0);
        assert_eq!(r2(&target, &predicted), Some(1.0 - 5.0 / 14.0));
        assert_eq!(r2(&[3.0, 3.0], &[1.0, 2.0]), None);
    }
}
