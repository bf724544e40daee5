//! Ridge regression by its normal equations: `(XᵀX + l2·I) w = Xᵀy` on centred columns, solved by Cholesky.

use crate::encoder::Matrix;

/// Weights and, last, the intercept of the one output.
pub(super) fn fit(x: &Matrix, y: &[f32], l2: f64) -> Vec<Vec<f64>> {
    let (n, k) = (x.len().max(1) as f64, x.width);
    let mut means = vec![0.0; k];
    for row in x.rows() {
        means.iter_mut().zip(row).for_each(|(mean, value)| *mean += f64::from(*value) / n);
    }
    let y_mean = y.iter().map(|y| f64::from(*y)).sum::<f64>() / n;
    let (mut a, mut b, mut centred) = (vec![0.0; k * k], vec![0.0; k], vec![0.0; k]);
    for (row, y) in x.rows().zip(y) {
        centred.iter_mut().zip(row).zip(&means).for_each(|((c, x), mean)| *c = f64::from(*x) - mean);
        for i in 0..k {
            b[i] += centred[i] * (f64::from(*y) - y_mean);
            for j in 0..=i {
                a[i * k + j] += centred[i] * centred[j];
            }
        }
    }
    // A little more than `l2` keeps columns that say the same (all categories of one column) solvable.
    let largest = (0..k).map(|i| a[i * k + i]).fold(0.0, f64::max);
    for i in 0..k {
        a[i * k + i] += l2 + 1e-10 * largest + f64::MIN_POSITIVE;
    }
    let mut weights = solve(a, b);
    let intercept = y_mean - weights.iter().zip(&means).map(|(w, mean)| w * mean).sum::<f64>();
    weights.push(intercept);
    vec![weights]
}

/// Solves `a·x = b` for a positive definite `a`, of which the lower triangle is read.
fn solve(mut a: Vec<f64>, mut b: Vec<f64>) -> Vec<f64> {
    let k = b.len();
    for i in 0..k {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|p| a[i * k + p] * a[j * k + p]).sum();
            let rest = a[i * k + j] - dot;
            a[i * k + j] = if i == j { rest.sqrt() } else { rest / a[j * k + j] };
        }
    }
    for i in 0..k {
        let dot: f64 = (0..i).map(|p| a[i * k + p] * b[p]).sum();
        b[i] = (b[i] - dot) / a[i * k + i];
    }
    for i in (0..k).rev() {
        let dot: f64 = (i + 1..k).map(|p| a[p * k + i] * b[p]).sum();
        b[i] = (b[i] - dot) / a[i * k + i];
    }
    b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_plane() {
        let x = Matrix { width: 2, data: vec![0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 2.0] };
        let y = [5.0, 7.0, 4.0, 5.0]; // 5 + 2a - b
        let solution = fit(&x, &y, 0.0);
        for (got, want) in solution[0].iter().zip([2.0, -1.0, 5.0]) {
            assert!((got - want).abs() < 1e-8, "{solution:?}");
        }
    }
}
