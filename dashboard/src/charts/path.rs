//! SVG path data.

use std::fmt::Write;

/// `M x y L x y …` through pixels; a gap where a coordinate is not finite. A point between gaps
/// becomes a line without length, which round caps show as a dot.
pub fn line(pixels: impl Iterator<Item = (f64, f64)>) -> String {
    let mut out = String::new();
    let mut drawn = 0;
    for (x, y) in pixels {
        if !(x.is_finite() && y.is_finite()) {
            lift(&mut out, drawn);
            drawn = 0;
            continue;
        }
        // Writing to a String cannot fail.
        let _ = write!(out, "{}{x:.1} {y:.1}", if drawn > 0 { "L" } else { "M" });
        drawn += 1;
    }
    lift(&mut out, drawn);
    out
}

fn lift(out: &mut String, drawn: usize) {
    if drawn == 1 {
        out.push_str("h0");
    }
}

/// The area between pixels and the horizontal `base`.
pub fn area(pixels: &[(f64, f64)], base: f64) -> String {
    match (pixels.first(), pixels.last()) {
        (Some(first), Some(last)) => {
            format!("{}L{:.1} {base:.1}L{:.1} {base:.1}Z", line(pixels.iter().copied()), last.0, first.0)
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_lift_the_pen() {
        let points = [(0.0, 1.0), (1.0, 2.0), (2.0, f64::NAN), (3.0, 4.0)];
        assert_eq!(line(points.into_iter()), "M0.0 1.0L1.0 2.0M3.0 4.0h0");
        assert_eq!(area(&points[..2], 9.0), "M0.0 1.0L1.0 2.0L1.0 9.0L0.0 9.0Z");
        assert_eq!(area(&[], 9.0), "");
    }
}
