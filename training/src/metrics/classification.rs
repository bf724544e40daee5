//! Metrics of class probabilities, row-major with `classes` numbers a row.

/// Probabilities are kept this far from 0 before the logarithm (the ulp of f32 at 1).
const EPSILON: f64 = 1.192_092_9e-7;

/// Mean of `-ln p(true class)`.
pub fn log_loss(target: &[usize], probabilities: &[f64], classes: usize) -> f64 {
    mean(rows(target, probabilities, classes).map(|(class, row)| -row[class].max(EPSILON).ln()))
}

/// Share of rows whose most probable class (the first of equals) is the true one.
pub fn accuracy(target: &[usize], probabilities: &[f64], classes: usize) -> f64 {
    mean(rows(target, probabilities, classes).map(|(class, row)| f64::from(u8::from(argmax(row) == class))))
}

/// Harmonic mean of precision and recall: of class 1 for two classes, else the mean over the classes.
/// A class that neither is nor is predicted counts 0.
pub fn f1(target: &[usize], probabilities: &[f64], classes: usize) -> f64 {
    let confusion = confusion(target, probabilities, classes);
    let of = |class: usize| {
        let hit = confusion[class][class] as f64;
        let predicted: u64 = confusion.iter().map(|row| row[class]).sum();
        let actual: u64 = confusion[class].iter().sum();
        if predicted + actual == 0 { 0.0 } else { 2.0 * hit / (predicted + actual) as f64 }
    };
    if classes == 2 { of(1) } else { mean((0..classes).map(of)) }
}

/// Mean squared distance to the truth: of class 1's probability for two classes, else summed over
/// the classes (Brier 1950).
pub fn brier(target: &[usize], probabilities: &[f64], classes: usize) -> f64 {
    mean(rows(target, probabilities, classes).map(|(class, row)| {
        let distance = |k: usize| (row[k] - f64::from(u8::from(k == class))).powi(2);
        if classes == 2 { distance(1) } else { (0..classes).map(distance).sum() }
    }))
}

/// Rows whose probability lies in one tenth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Calibration {
    /// Rows.
    pub rows: usize,
    /// Their mean probability.
    pub predicted: f64,
    /// The share that was as predicted.
    pub observed: f64,
}

/// Ten bins of equal width over class 1's probability (two classes) or the greatest one.
pub fn calibration(target: &[usize], probabilities: &[f64], classes: usize) -> [Calibration; 10] {
    let mut bins = [Calibration::default(); 10];
    for (class, row) in rows(target, probabilities, classes) {
        let said = if classes == 2 { 1 } else { argmax(row) };
        let bin = &mut bins[((row[said] * 10.0) as usize).min(9)];
        bin.rows += 1;
        bin.predicted += row[said];
        bin.observed += f64::from(u8::from(class == said));
    }
    for bin in bins.iter_mut().filter(|bin| bin.rows > 0) {
        bin.predicted /= bin.rows as f64;
        bin.observed /= bin.rows as f64;
    }
    bins
}

/// Mean over the rows of |observed - predicted| of their bin (Naeini et al. 2015).
pub fn expected_calibration_error(target: &[usize], probabilities: &[f64], classes: usize) -> f64 {
    let bins = calibration(target, probabilities, classes);
    let off: f64 = bins.iter().map(|bin| bin.rows as f64 * (bin.observed - bin.predicted).abs()).sum();
    off / target.len().max(1) as f64
}

/// Rows by true class, then by predicted class.
pub fn confusion(target: &[usize], probabilities: &[f64], classes: usize) -> Vec<Vec<u64>> {
    let mut counts = vec![vec![0; classes]; classes];
    rows(target, probabilities, classes).for_each(|(class, row)| counts[class][argmax(row)] += 1);
    counts
}

fn rows<'a>(target: &'a [usize], p: &'a [f64], classes: usize) -> impl Iterator<Item = (usize, &'a [f64])> {
    target.iter().copied().zip(p.chunks_exact(classes))
}

fn argmax(row: &[f64]) -> usize {
    (1..row.len()).fold(0, |best, k| if row[k] > row[best] { k } else { best })
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0usize), |(sum, count), value| (sum + value, count + 1));
    sum / count.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(got: f64, expected: f64) {
        assert!((got - expected).abs() < 1e-12, "{got} is not {expected}");
    }

    #[test]
    fn two_classes_by_hand() {
        let target = [1, 1, 0, 0];
        let p = [0.1, 0.9, 0.6, 0.4, 0.3, 0.7, 0.8, 0.2]; // said: 1, 0, 1, 0
        check(log_loss(&target, &p, 2), -(0.9f64.ln() + 0.4f64.ln() + 0.3f64.ln() + 0.8f64.ln()) / 4.0);
        check(accuracy(&target, &p, 2), 0.5);
        check(f1(&target, &p, 2), 0.5);
        check(brier(&target, &p, 2), (0.01 + 0.36 + 0.49 + 0.04) / 4.0);
        check(expected_calibration_error(&target, &p, 2), (0.1 + 0.6 + 0.7 + 0.2) / 4.0);
        assert_eq!(confusion(&target, &p, 2), [[1, 1], [1, 1]]);
    }

    #[test]
    fn three_classes_by_hand() {
        let target = [0, 1, 2];
        let p = [0.5, 0.3, 0.2, 0.6, 0.3, 0.1, 0.0, 0.0, 1.0]; // said: 0, 0, 2
        check(accuracy(&target, &p, 3), 2.0 / 3.0);
        check(f1(&target, &p, 3), (2.0 / 3.0 + 0.0 + 1.0) / 3.0);
        check(brier(&target, &p, 3), (0.25 + 0.09 + 0.04 + 0.36 + 0.49 + 0.01) / 3.0);
        check(expected_calibration_error(&target, &p, 3), (0.5 + 0.6 + 0.0) / 3.0);
    }
}
