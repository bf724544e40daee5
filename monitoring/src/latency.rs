//! Durations as a base-2 exponential histogram (OpenTelemetry data model, "ExponentialHistogram").
//!
//! At scale 3, `base = 2^(1/8)`: a percentile read from it is at most 4.4 % off.

use contract::telemetry::LatencyHistogram;

/// The one scale used, so that a merge never has to bring two resolutions together.
pub const SCALE: i32 = 3;

/// Upper bounds of the eight buckets of one octave, as fractions of 2^63: `2^(63 - 1 + k/8)` for k in 1..=8.
/// Integers, so that a duration falls into the same bucket on every host.
const OCTAVE: [u64; 8] = [
    5029079263719320435,
    5484249825272419511,
    5980616842327661685,
    6521908912666391106,
    7112192101001162094,
    7755900482342532474,
    8457869449776733335,
    9223372036854775808,
];

/// A histogram without durations.
pub fn empty() -> LatencyHistogram {
    LatencyHistogram { scale: SCALE, ..Default::default() }
}

/// Adds `rows` durations of `ns` nanoseconds each.
pub fn record(histogram: &mut LatencyHistogram, ns: u64, rows: u64) {
    if rows == 0 {
        return;
    }
    histogram.sum_ns = histogram.sum_ns.saturating_add(ns.saturating_mul(rows));
    if ns == 0 {
        histogram.zero = histogram.zero.saturating_add(rows);
    } else {
        add(histogram, index(ns), rows);
    }
}

/// Bucket of a duration `ns >= 1`: the `i` with `base^i < ns <= base^(i+1)`.
pub fn index(ns: u64) -> i32 {
    let octave = (ns - 1).checked_ilog2().map_or(0, |log| log as i32 + 1); // 2^(octave-1) < ns <= 2^octave
    if octave == 0 {
        return -1; // ns = 1 = base^0
    }
    if octave > 63 {
        return octave * 8 - 1;
    }
    let scaled = ns << (63 - octave);
    let within = OCTAVE.iter().position(|bound| scaled <= *bound).unwrap_or(7) as i32;
    (octave - 1) * 8 + within
}

/// Sum of two histograms of the same scale.
pub fn merge(a: &LatencyHistogram, b: &LatencyHistogram) -> LatencyHistogram {
    let mut sum = a.clone();
    sum.zero = sum.zero.saturating_add(b.zero);
    sum.sum_ns = sum.sum_ns.saturating_add(b.sum_ns);
    for (i, count) in b.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        add(&mut sum, b.offset + i as i32, *count);
    }
    sum
}

/// What `later` holds beyond `earlier`; `None` where `earlier` holds more.
pub fn since(later: &LatencyHistogram, earlier: &LatencyHistogram) -> Option<LatencyHistogram> {
    let mut rest = empty();
    rest.zero = later.zero.checked_sub(earlier.zero)?;
    rest.sum_ns = later.sum_ns.checked_sub(earlier.sum_ns)?;
    let at = |histogram: &LatencyHistogram, index: i32| {
        let place = usize::try_from(index - histogram.offset).ok();
        place.and_then(|place| histogram.counts.get(place).copied()).unwrap_or(0)
    };
    let end = |histogram: &LatencyHistogram| histogram.offset + histogram.counts.len() as i32;
    for index in later.offset.min(earlier.offset)..end(later).max(end(earlier)) {
        let count = at(later, index).checked_sub(at(earlier, index))?;
        if count > 0 {
            add(&mut rest, index, count);
        }
    }
    Some(rest)
}

/// Number of durations.
pub fn total(histogram: &LatencyHistogram) -> u64 {
    histogram.counts.iter().fold(histogram.zero, |sum, count| sum.saturating_add(*count))
}

/// Whether all buckets are ones that a 64-bit duration can fall into.
pub fn in_range(histogram: &LatencyHistogram) -> bool {
    histogram.counts.len() <= 513 && (-1..=512).contains(&histogram.offset)
}

/// Nanoseconds below which the share `q` (0..=1) of the durations lies: the geometric middle of
/// the bucket that holds it. `None` without any.
pub fn quantile(histogram: &LatencyHistogram, q: f64) -> Option<f64> {
    let total = total(histogram);
    if total == 0 {
        return None;
    }
    let rank = ((q * total as f64).ceil() as u64).clamp(1, total);
    let mut seen = histogram.zero;
    if rank <= seen {
        return Some(0.0);
    }
    for (i, count) in histogram.counts.iter().enumerate() {
        seen = seen.saturating_add(*count);
        if rank <= seen {
            let index = histogram.offset + i as i32;
            return Some(((f64::from(index) + 0.5) / 8.0).exp2());
        }
    }
    None
}

fn add(histogram: &mut LatencyHistogram, index: i32, rows: u64) {
    if histogram.counts.is_empty() {
        histogram.offset = index;
    }
    if index < histogram.offset {
        let missing = (histogram.offset - index) as usize;
        histogram.counts.splice(0..0, std::iter::repeat_n(0, missing));
        histogram.offset = index;
    }
    let at = (index - histogram.offset) as usize;
    if at >= histogram.counts.len() {
        histogram.counts.resize(at + 1, 0);
    }
    histogram.counts[at] = histogram.counts[at].saturating_add(rows);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_bounds_are_powers_of_the_base() {
        for (k, bound) in OCTAVE.iter().enumerate() {
            let exact = (62.0 + (k as f64 + 1.0) / 8.0).exp2();
            assert!((*bound as f64 / exact - 1.0).abs() < 1e-12, "{k}: {bound} is not {exact}");
        }
        for ns in [1u64, 2, 3, 7, 8, 9, 1000, 12_345, 1 << 40, u64::MAX] {
            let i = f64::from(index(ns));
            let (low, high) = ((i / 8.0).exp2(), ((i + 1.0) / 8.0).exp2());
            assert!(low * (1.0 - 1e-12) < ns as f64 && ns as f64 <= high * (1.0 + 1e-12), "{ns}: ({low}, {high}]");
        }
    }

    #[test]
    fn quantiles_are_within_the_stated_error() {
        let mut histogram = empty();
        (1..=10_000u64).for_each(|ns| record(&mut histogram, ns * 100, 1));
        for q in [0.5, 0.9, 0.99] {
            let exact = q * 1_000_000.0;
            let error = (quantile(&histogram, q).unwrap() / exact - 1.0).abs();
            assert!(error < 0.0443, "{q}: {error}");
        }
        assert_eq!(quantile(&LatencyHistogram::default(), 0.5), None);
    }
}
