//! Smoothing by an exponential moving average without the pull towards 0 at its start.

/// Debiased moving average with `weight` (0: none, below 1) on the past: the sum of weights so far
/// divides it, as in Kingma & Ba 2015, section 3. Values that are not finite are passed over.
pub fn smooth(points: &[(f64, f64)], weight: f64) -> Vec<(f64, f64)> {
    let (mut average, mut mass) = (0.0, 0.0);
    points
        .iter()
        .filter(|(_, y)| y.is_finite())
        .map(|&(x, y)| {
            average = weight * average + (1.0 - weight) * y;
            mass = weight * mass + (1.0 - weight);
            (x, average / mass)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_stays_constant_from_the_first_point_on() {
        let points: Vec<(f64, f64)> = (0..50).map(|i| (i as f64, 3.0)).collect();
        assert!(smooth(&points, 0.9).iter().all(|(_, y)| (y - 3.0).abs() < 1e-12));
    }

    #[test]
    fn the_past_weighs_what_it_is_told() {
        let points = [(0.0, 0.0), (1.0, f64::NAN), (2.0, 1.0)];
        assert_eq!(smooth(&points, 0.0), [(0.0, 0.0), (2.0, 1.0)]);
        let last = smooth(&points, 0.5)[1].1; // (0.5·0.5·0 + 0.5·1) / 0.75
        assert!((last - 2.0 / 3.0).abs() < 1e-12, "{last}");
    }
}
