//! Several tests at once: Holm's step-down correction (Holm 1979).

/// Adjusted p-values, in the order given: the chance that any of them is called out by chance alone
/// stays below the level they are compared with.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let (mut adjusted, mut greatest) = (vec![0.0; p.len()], 0.0f64);
    for (rank, test) in order.into_iter().enumerate() {
        greatest = greatest.max((p[test] * (p.len() - rank) as f64).min(1.0));
        adjusted[test] = greatest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    #[test]
    fn by_hand() {
        // sorted 0.01 ×4, 0.02 ×3, 0.03 ×2, 0.04 ×1; each at least the one before
        assert_eq!(super::holm(&[0.03, 0.01, 0.04, 0.02]), [0.06, 0.04, 0.06, 0.06]);
        assert_eq!(super::holm(&[0.7, 0.6]), [1.0, 1.0]);
        assert!(super::holm(&[]).is_empty());
    }
}
