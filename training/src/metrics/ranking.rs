//! How well scores order rows.

/// Area under the ROC curve: the share of pairs (positive, negative) in the right order, ties half
/// (Mann & Whitney 1947). `None` without both classes.
pub fn auc(target: &[bool], scores: &[f64]) -> Option<f64> {
    let order = descending(scores);
    let positives = target.iter().filter(|positive| **positive).count();
    let negatives = target.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let (mut seen, mut pairs, mut i) = (0usize, 0.0, 0);
    while i < order.len() {
        let tied = order[i..].iter().take_while(|row| scores[**row] == scores[order[i]]).count().max(1);
        let up = order[i..i + tied].iter().filter(|row| target[**row]).count();
        pairs += (tied - up) as f64 * (seen as f64 + up as f64 / 2.0);
        seen += up;
        i += tied;
    }
    Some(pairs / (positives as f64 * negatives as f64))
}

/// Points (false-positive rate, true-positive rate) of the ROC curve from (0, 0) to (1, 1), one for
/// each different score. Empty without both classes.
pub fn roc(target: &[bool], scores: &[f64]) -> Vec<(f64, f64)> {
    let positives = target.iter().filter(|positive| **positive).count() as f64;
    let negatives = target.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return Vec::new();
    }
    let order = descending(scores);
    let (mut up, mut down, mut points) = (0.0, 0.0, vec![(0.0, 0.0)]);
    for (i, row) in order.iter().enumerate() {
        if target[*row] {
            up += 1.0
        } else {
            down += 1.0
        }
        if order.get(i + 1).is_none_or(|next| scores[*next] != scores[*row]) {
            points.push((down / negatives, up / positives));
        }
    }
    points
}

/// AUC of class 1 for two classes, else the mean of each class against the rest, over those that
/// both are and are not there.
pub(super) fn mean_auc(target: &[usize], probabilities: &[f64], classes: usize) -> Option<f64> {
    let of = |class: usize| {
        let is: Vec<bool> = target.iter().map(|t| *t == class).collect();
        let scores: Vec<f64> = probabilities.chunks_exact(classes).map(|row| row[class]).collect();
        auc(&is, &scores)
    };
    let found: Vec<f64> =
        if classes == 2 { of(1).into_iter().collect() } else { (0..classes).filter_map(of).collect() };
    (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
}

fn descending(scores: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auc_counts_pairs_and_is_the_area_under_the_curve() {
        let target = [true, false, true, false, true];
        let scores = [0.9, 0.8, 0.8, 0.1, 0.05];
        // pairs: 0.9 beats both; 0.8 ties one and beats one; 0.05 beats none
        assert_eq!(auc(&target, &scores), Some(3.5 / 6.0));
        let area: f64 = roc(&target, &scores).windows(2).map(|p| (p[1].0 - p[0].0) * (p[0].1 + p[1].1) / 2.0).sum();
        assert!((area - 3.5 / 6.0).abs() < 1e-12, "{area}");
        assert_eq!(auc(&[true, true], &[0.1, 0.2]), None);
    }
}
