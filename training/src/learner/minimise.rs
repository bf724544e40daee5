//! L-BFGS with a backtracking line search (Nocedal & Wright, Numerical Optimization, 2nd ed., algorithms 7.4 and 3.1).

use std::collections::VecDeque;

/// Corrections kept.
const MEMORY: usize = 10;
/// Greatest entry of the gradient at which it stops.
const TOLERANCE: f64 = 1e-7;

/// Walks from `x` to a minimum of a smooth convex function: `f` answers its value and writes its
/// gradient. `watch` sees every step.
pub(super) fn minimise(
    mut f: impl FnMut(&[f64], &mut [f64]) -> f64,
    mut x: Vec<f64>,
    steps: usize,
    mut watch: impl FnMut(usize, &[f64]),
) -> Vec<f64> {
    let mut gradient = vec![0.0; x.len()];
    let mut value = f(&x, &mut gradient);
    let mut pairs: VecDeque<(Vec<f64>, Vec<f64>, f64)> = VecDeque::new();
    let mut next_gradient = gradient.clone();
    for step in 0..steps {
        if gradient.iter().all(|g| g.abs() <= TOLERANCE) {
            break;
        }
        let mut direction = quasi_newton(&gradient, &pairs);
        let mut slope = dot(&gradient, &direction);
        if slope >= 0.0 {
            direction = gradient.iter().map(|g| -g).collect();
            slope = -dot(&gradient, &gradient);
            pairs.clear();
        }
        let mut length = if pairs.is_empty() { 1.0 / dot(&gradient, &gradient).sqrt().max(1.0) } else { 1.0 };
        let mut accepted = None;
        for _ in 0..50 {
            let next: Vec<f64> = x.iter().zip(&direction).map(|(x, d)| x + length * d).collect();
            let next_value = f(&next, &mut next_gradient);
            if next_value <= value + 1e-4 * length * slope {
                accepted = Some((next, next_value));
                break;
            }
            length *= 0.5;
        }
        let Some((next, next_value)) = accepted else { break }; // no better point can be told apart
        let s: Vec<f64> = next.iter().zip(&x).map(|(a, b)| a - b).collect();
        let y: Vec<f64> = next_gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        let curvature = dot(&s, &y);
        if curvature > 1e-12 * dot(&y, &y) {
            if pairs.len() == MEMORY {
                pairs.pop_front();
            }
            pairs.push_back((s, y, 1.0 / curvature));
        }
        (x, value) = (next, next_value);
        gradient.copy_from_slice(&next_gradient);
        watch(step, &x);
    }
    x
}

/// The two-loop recursion: minus the inverse Hessian, as far as it is known, times the gradient.
fn quasi_newton(gradient: &[f64], pairs: &VecDeque<(Vec<f64>, Vec<f64>, f64)>) -> Vec<f64> {
    let mut q = gradient.to_vec();
    let mut alphas = Vec::with_capacity(pairs.len());
    for (s, y, rho) in pairs.iter().rev() {
        let alpha = rho * dot(s, &q);
        q.iter_mut().zip(y).for_each(|(q, y)| *q -= alpha * y);
        alphas.push(alpha);
    }
    if let Some((_, y, rho)) = pairs.back() {
        let scale = 1.0 / (rho * dot(y, y));
        q.iter_mut().for_each(|q| *q *= scale);
    }
    for ((s, y, rho), alpha) in pairs.iter().zip(alphas.into_iter().rev()) {
        let beta = rho * dot(y, &q);
        q.iter_mut().zip(s).for_each(|(q, s)| *q += (alpha - beta) * s);
    }
    q.iter_mut().for_each(|q| *q = -*q);
    q
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_minimum_of_a_narrow_valley() {
        // (x - 3)² + 100 (y + 1)²
        let f = |x: &[f64], g: &mut [f64]| {
            g.copy_from_slice(&[2.0 * (x[0] - 3.0), 200.0 * (x[1] + 1.0)]);
            (x[0] - 3.0).powi(2) + 100.0 * (x[1] + 1.0).powi(2)
        };
        let x = minimise(f, vec![0.0, 0.0], 50, |_, _| {});
        assert!((x[0] - 3.0).abs() < 1e-6 && (x[1] + 1.0).abs() < 1e-6, "{x:?}");
    }
}
