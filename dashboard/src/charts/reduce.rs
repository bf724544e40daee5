//! At most four points for one column of pixels: a curve of a million points draws like the whole.
//!
//! First, least, greatest and last point of each column give the very same pixels as all points do
//! (Jugel et al. 2014, "M4: a visualization-oriented time series data aggregation").

/// `points`, ascending in x, reduced for `columns` columns over `domain`.
pub fn reduce(points: &[(f64, f64)], domain: (f64, f64), columns: usize) -> Vec<(f64, f64)> {
    if points.len() <= columns * 4 || columns == 0 || domain.1 <= domain.0 {
        return points.to_vec();
    }
    let column = |x: f64| ((x - domain.0) / (domain.1 - domain.0) * columns as f64).floor() as i64;
    let mut out = Vec::with_capacity(columns * 4);
    let mut rest = points;
    while let Some(first) = rest.first() {
        let here = column(first.0);
        let length = rest.iter().position(|p| column(p.0) != here).unwrap_or(rest.len());
        let (now, later) = rest.split_at(length);
        let by = |better: fn(f64, f64) -> bool| {
            now.iter().enumerate().fold(0, |best, (i, p)| if better(p.1, now[best].1) { i } else { best })
        };
        let mut keep = [0, by(|a, b| a < b), by(|a, b| a > b), length - 1];
        keep.sort_unstable();
        for (i, index) in keep.iter().enumerate() {
            if i == 0 || keep[i - 1] != *index {
                out.push(now[*index]);
            }
        }
        rest = later;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_survive() {
        let mut points: Vec<(f64, f64)> = (0..100_000).map(|i| (i as f64, (i % 7) as f64)).collect();
        points[54_321].1 = 99.0;
        points[54_322].1 = -99.0;
        let reduced = reduce(&points, (0.0, 100_000.0), 300);
        assert!(reduced.len() <= 1_200, "{}", reduced.len());
        assert!(reduced.contains(&(54_321.0, 99.0)) && reduced.contains(&(54_322.0, -99.0)));
        assert!(reduced.windows(2).all(|pair| pair[0].0 < pair[1].0), "order is kept");
        assert_eq!((reduced[0], reduced[reduced.len() - 1]), (points[0], points[99_999]));
    }

    #[test]
    fn few_points_stay_as_they_are() {
        let points = [(0.0, 1.0), (1.0, f64::NAN)];
        assert_eq!(reduce(&points, (0.0, 1.0), 100).len(), 2);
    }
}
