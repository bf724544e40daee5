//! Probabilities of classes from those of pairs, as the libraries of support vector machines have it.

/// The iteration stops when no class is further than this, divided by the number of classes, from where it belongs.
pub(crate) const NEAR: f32 = 0.005;

/// Most sweeps.
pub(crate) fn sweeps(classes: usize) -> usize {
    classes.max(100)
}

/// From `Q` (`[k, k]`, row-major) the `p` that makes `pᵀQp` least among those that sum to 1, then `Qp`: `2 k` numbers.
///
/// Wu, Lin and Weng (2004), "Probability Estimates for Multi-class Classification by Pairwise Coupling", algorithm 2,
/// from equal probabilities on, with libsvm's rule for when to stop: where that is decides the answer's third digit.
pub(crate) fn couple(q: &[f32], k: usize) -> Vec<f32> {
    let (mut p, mut qp) = (vec![1.0 / k as f32; k], vec![0.0f32; k]);
    for _ in 0..sweeps(k) {
        let mut pqp = 0.0;
        for t in 0..k {
            qp[t] = (0..k).fold(0.0, |sum, j| sum + q[t * k + j] * p[j]);
            pqp += p[t] * qp[t];
        }
        let off = qp.iter().fold(0.0, |most: f32, qp| if (qp - pqp).abs() > most { (qp - pqp).abs() } else { most });
        if off < NEAR / k as f32 {
            break;
        }
        for t in 0..k {
            let diagonal = q[t * k + t];
            let step = (pqp - qp[t]) / diagonal;
            let scale = 1.0 + step;
            p[t] += step;
            pqp = (pqp + step * (step * diagonal + 2.0 * qp[t])) / scale / scale;
            for j in 0..k {
                qp[j] = (qp[j] + step * q[t * k + j]) / scale;
                p[j] /= scale;
            }
        }
    }
    p.extend(qp);
    p
}

#[cfg(test)]
mod tests {
    use super::couple;

    /// `Q` of what each pair says: `r[i][j]` is how much `i` is preferred to `j`.
    fn check(r: [[f32; 3]; 3], expected: [f32; 3]) {
        let sum = |t: usize| (0..3).filter(|j| *j != t).map(|j| r[j][t] * r[j][t]).sum::<f32>();
        let q: Vec<f32> =
            (0..9).map(|i| if i / 3 == i % 3 { sum(i / 3) } else { -r[i % 3][i / 3] * r[i / 3][i % 3] }).collect();
        let p = couple(&q, 3);
        let off = p.iter().zip(expected).map(|(p, e)| (p - e).abs()).fold(0.0, f32::max);
        assert!(off < 5e-3, "{p:?}");
    }

    #[test]
    fn pairs_that_agree_give_their_classes_back() {
        let r = |p: [f32; 3]| p.map(|a| p.map(|b| a / (a + b)));
        check(r([1.0 / 3.0; 3]), [1.0 / 3.0; 3]);
        check(r([0.7, 0.2, 0.1]), [0.7, 0.2, 0.1]);
        check(r([0.01, 0.98, 0.01]), [0.01, 0.98, 0.01]);
    }
}
