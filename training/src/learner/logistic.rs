//! Logistic regression, binary and multinomial: mean log loss plus `l2/(2n)·|w|²` (intercepts are free).

use super::minimise::minimise;
use crate::encoder::Matrix;
use crate::pipeline::Linear;

/// Weights and, last, the intercept of each output (one for two classes). `watch` sees every step's
/// number, solution and training log loss.
pub(super) fn fit(
    x: &Matrix,
    y: &[f32],
    classes: usize,
    parameters: &Linear,
    mut watch: impl FnMut(usize, &[f64], f64),
) -> Vec<Vec<f64>> {
    let outputs = if classes == 2 { 1 } else { classes };
    let (n, width) = (x.len().max(1) as f64, x.width + 1);
    let mut scores = vec![0.0; outputs];
    let objective = |w: &[f64], gradient: &mut [f64]| {
        gradient.fill(0.0);
        let mut loss = 0.0;
        for (row, y) in x.rows().zip(y) {
            score(w, row, &mut scores);
            loss += to_errors(&mut scores, *y as usize);
            for (output, error) in scores.iter().enumerate() {
                let slot = &mut gradient[output * width..(output + 1) * width];
                slot.iter_mut().zip(row).for_each(|(g, x)| *g += error * f64::from(*x) / n);
                slot[width - 1] += error / n;
            }
        }
        let mut penalty = 0.0;
        for (i, (w, g)) in w.iter().zip(gradient).enumerate().filter(|(i, _)| (i + 1) % width != 0) {
            debug_assert!(i < outputs * width);
            penalty += w * w;
            *g += parameters.l2 / n * w;
        }
        loss / n + 0.5 * parameters.l2 / n * penalty
    };
    let start = vec![0.0; outputs * width];
    let solution = minimise(objective, start, parameters.iterations, |step, w| watch(step, w, log_loss(w, x, y)));
    solution.chunks_exact(width).map(<[f64]>::to_vec).collect()
}

/// Mean log loss of a flat solution.
pub(super) fn log_loss(w: &[f64], x: &Matrix, y: &[f32]) -> f64 {
    let mut scores = vec![0.0; w.len() / (x.width + 1)];
    let losses = x.rows().zip(y).map(|(row, y)| {
        score(w, row, &mut scores);
        to_errors(&mut scores, *y as usize)
    });
    losses.sum::<f64>() / x.len().max(1) as f64
}

/// `1 / (1 + exp(-x))`.
pub(super) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Scores to probabilities, in place.
pub(super) fn softmax(scores: &mut [f64]) {
    let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    scores.iter_mut().for_each(|score| *score = (*score - max).exp());
    let sum: f64 = scores.iter().sum();
    scores.iter_mut().for_each(|score| *score /= sum);
}

fn score(w: &[f64], row: &[f32], scores: &mut [f64]) {
    for (score, w) in scores.iter_mut().zip(w.chunks_exact(row.len() + 1)) {
        *score = row.iter().zip(w).map(|(x, w)| f64::from(*x) * w).sum::<f64>() + w[row.len()];
    }
}

/// Turns scores into derivatives of the row's log loss and answers that loss.
fn to_errors(scores: &mut [f64], class: usize) -> f64 {
    if let [score] = scores {
        let sign = if class == 1 { 1.0 } else { -1.0 };
        let margin = sign * *score;
        // ln(1 + exp(-m)) without overflow
        let loss = (-margin.abs()).exp().ln_1p() + (-margin).max(0.0);
        *score = sigmoid(*score) - f64::from(u8::from(class == 1));
        return loss;
    }
    let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let log_sum = max + scores.iter().map(|score| (score - max).exp()).sum::<f64>().ln();
    let loss = log_sum - scores[class];
    softmax(scores);
    scores[class] -= 1.0;
    loss
}
