//! From values to pixels, and where the ticks stand.

/// A linear or logarithmic map of `domain` onto `range`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    domain: (f64, f64),
    range: (f64, f64),
    log: bool,
}

impl Scale {
    /// A linear scale. A domain of one value is widened so that the value lies in the middle.
    pub fn linear(domain: (f64, f64), range: (f64, f64)) -> Scale {
        let (low, high) = domain;
        let domain = match high - low {
            d if d > 0.0 && d.is_finite() => domain,
            _ if low.is_finite() => (low - low.abs().max(1.0) / 2.0, low + low.abs().max(1.0) / 2.0),
            _ => (0.0, 1.0),
        };
        Scale { domain, range, log: false }
    }

    /// A logarithmic scale; `domain` must be positive, else the scale is linear.
    pub fn log(domain: (f64, f64), range: (f64, f64)) -> Scale {
        if domain.0 > 0.0 && domain.1 >= domain.0 && domain.1.is_finite() {
            let domain = if domain.0 == domain.1 { (domain.0 / 2.0, domain.1 * 2.0) } else { domain };
            Scale { domain, range, log: true }
        } else {
            Scale::linear(domain, range)
        }
    }

    /// Pixel of a value.
    pub fn at(&self, value: f64) -> f64 {
        let share = if self.log {
            (value / self.domain.0).ln() / (self.domain.1 / self.domain.0).ln()
        } else {
            (value - self.domain.0) / (self.domain.1 - self.domain.0)
        };
        self.range.0 + share * (self.range.1 - self.range.0)
    }

    /// Value at a pixel, kept within the domain.
    pub fn invert(&self, pixel: f64) -> f64 {
        let share = ((pixel - self.range.0) / (self.range.1 - self.range.0)).clamp(0.0, 1.0);
        if self.log {
            self.domain.0 * (self.domain.1 / self.domain.0).powf(share)
        } else {
            self.domain.0 + share * (self.domain.1 - self.domain.0)
        }
    }

    /// Round values within the domain, about `n` of them; 1, 2 and 5 times powers of ten, or the
    /// powers alone, on a logarithmic scale that spans more than a factor of 4.
    pub fn ticks(&self, n: usize) -> Vec<f64> {
        let (low, high) = self.domain;
        if self.log && high / low >= 4.0 {
            let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
            let within = |multiples: &[f64], every: i32| -> Vec<f64> {
                let powers = (first..=last).filter(|e| e % every == 0).map(|e| 10f64.powi(e));
                let all = powers.flat_map(|power| multiples.iter().map(move |k| k * power));
                all.filter(|tick| (low..=high).contains(tick)).collect()
            };
            let fine = within(&[1.0, 2.0, 5.0], 1);
            let coarser = (1..32).map(|every| within(&[1.0], every));
            let fits = |ticks: &Vec<f64>| ticks.len() <= n + 2;
            return std::iter::once(fine).chain(coarser).find(fits).unwrap_or_default();
        }
        let step = round_step((high - low) / n.max(1) as f64);
        let first = (low / step).ceil() as i64;
        (0..64).map(|k| (first + k) as f64 * step).take_while(|tick| *tick <= high + step * 1e-9).collect()
    }
}

/// The least of 1, 2, 5 times a power of ten that is not below `step`.
fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|k| k * power).into_iter().find(|s| *s >= step * 0.999_999).unwrap_or(power * 10.0)
}

/// Domain that holds all finite `values` (those above 0 when `log`), with 4 % of air on a linear scale.
pub fn extent(values: impl Iterator<Item = f64>, log: bool) -> Option<(f64, f64)> {
    let (low, high) = values
        .filter(|v| v.is_finite() && v.abs() < f64::MAX && (!log || *v > 0.0))
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    let air = if log { 0.0 } else { (high - low) * 0.04 };
    (low <= high).then_some((low - air, high + air))
}

/// Moments (milliseconds) on round local times, about `n` of them; `offset` in minutes east of UTC.
pub fn time_ticks(domain: (f64, f64), n: usize, offset: i64) -> Vec<f64> {
    const STEPS: [i64; 15] = [1, 5, 15, 30, 60, 300, 600, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 172_800];
    let (low, high) = (domain.0 as i64, domain.1 as i64);
    let wanted = (high - low) / 1000 / n.max(1) as i64;
    let days = (wanted / 86_400 + 1) * 86_400;
    let step = STEPS.into_iter().find(|s| *s >= wanted).unwrap_or(days) * 1000;
    let shift = offset * 60_000;
    let first = (low + shift).div_euclid(step) * step + step - shift;
    (0..64).map(|k| first + k * step).take_while(|tick| *tick <= high).map(|tick| tick as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let check = |scale: Scale, expected: &[f64]| {
            let ticks = scale.ticks(4);
            assert_eq!(ticks.len(), expected.len(), "{ticks:?}");
            ticks.iter().zip(expected).for_each(|(a, b)| assert!((a - b).abs() < 1e-9, "{ticks:?}"));
        };
        check(Scale::linear((0.0, 10.0), (0.0, 1.0)), &[0.0, 5.0, 10.0]);
        check(Scale::linear((0.71, 0.93), (0.0, 1.0)), &[0.8, 0.9]);
        check(Scale::log((0.5, 2000.0), (0.0, 1.0)), &[1.0, 10.0, 100.0, 1000.0]);
        check(Scale::log((1.9, 61.0), (0.0, 1.0)), &[2.0, 5.0, 10.0, 20.0, 50.0]);
        check(Scale::linear((3.0, 3.0), (0.0, 1.0)), &[2.0, 3.0, 4.0]);
    }

    #[test]
    fn a_pixel_leads_back_to_its_value() {
        for scale in [Scale::linear((-2.0, 7.0), (300.0, 10.0)), Scale::log((0.1, 90.0), (0.0, 300.0))] {
            assert!((scale.invert(scale.at(4.2)) - 4.2).abs() < 1e-9);
        }
        assert_eq!(Scale::linear((0.0, 1.0), (0.0, 100.0)).invert(-50.0), 0.0);
        assert_eq!(extent([1.0, f64::NAN, f64::MAX, 3.0].into_iter(), true), Some((1.0, 3.0)));
        assert_eq!(extent([-1.0].into_iter(), true), None);
    }

    #[test]
    fn time_ticks_are_on_local_hours() {
        let hour = 3_600_000.0;
        let ticks = time_ticks((0.25 * hour, 3.1 * hour), 4, 30);
        assert_eq!(ticks, [0.5 * hour, 1.5 * hour, 2.5 * hour]);
    }
}
