//! Numbers, sizes, durations and times as a person reads them.

/// `1,234,567`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1.2k`, `45M`: for axes and narrow cells.
pub fn compact(value: f64) -> String {
    let size = value.abs();
    for (unit, suffix) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] {
        if size >= unit {
            return format!("{}{suffix}", significant(value / unit, 3));
        }
    }
    significant(value, 3)
}

/// A metric or parameter: five significant digits, scientific where that is shorter.
pub fn number(value: f64) -> String {
    match value {
        v if v.is_nan() => "NaN".to_owned(),
        v if v.abs() >= f64::MAX => if v > 0.0 { "∞" } else { "−∞" }.to_owned(),
        v if v != 0.0 && (v.abs() >= 1e9 || v.abs() < 1e-4) => format!("{v:.3e}"),
        v => significant(v, 5),
    }
}

/// `value` with `digits` significant digits and without trailing zeros.
pub fn significant(value: f64, digits: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".to_owned() } else { value.to_string() };
    }
    let magnitude = value.abs().log10().floor() as i32;
    let decimals = (digits - 1 - magnitude).clamp(0, 12) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// `512 B`, `14.2 kB`, `3.1 MB`.
pub fn bytes(n: u64) -> String {
    match n {
        0..1_000 => format!("{n} B"),
        1_000..1_000_000 => format!("{} kB", significant(n as f64 / 1e3, 3)),
        1_000_000..1_000_000_000 => format!("{} MB", significant(n as f64 / 1e6, 3)),
        _ => format!("{} GB", significant(n as f64 / 1e9, 3)),
    }
}

/// A duration given in microseconds: `1.4 µs`, `35 ms`, `2.1 s`.
pub fn micros(us: f64) -> String {
    match us {
        u if u < 1.0 => format!("{} ns", significant(u * 1e3, 3)),
        u if u < 1e3 => format!("{} µs", significant(u, 3)),
        u if u < 1e6 => format!("{} ms", significant(u / 1e3, 3)),
        u => format!("{} s", significant(u / 1e6, 3)),
    }
}

/// A duration given in milliseconds: `350 ms`, `12.3 s`, `3 min 20 s`, `2 h 5 min`.
pub fn duration(ms: i64) -> String {
    let seconds = ms / 1000;
    match ms {
        i64::MIN..1_000 => format!("{} ms", ms.max(0)),
        1_000..60_000 => format!("{} s", significant(ms as f64 / 1e3, 3)),
        60_000..3_600_000 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600_000..86_400_000 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// How long ago `then` was, both in milliseconds: `just now`, `5 min ago`, `3 days ago`.
pub fn ago(now: i64, then: i64) -> String {
    let seconds = (now - then) / 1000;
    let plural = |n: i64, unit: &str| format!("{n} {unit}{} ago", if n == 1 { "" } else { "s" });
    match seconds {
        i64::MIN..10 => "just now".to_owned(),
        10..60 => format!("{seconds} s ago"),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..86_400 => format!("{} h ago", seconds / 3_600),
        86_400..2_592_000 => plural(seconds / 86_400, "day"),
        2_592_000..31_536_000 => plural(seconds / 2_592_000, "month"),
        _ => plural(seconds / 31_536_000, "year"),
    }
}

/// `14:05`, of a moment in milliseconds, `offset` minutes east of UTC.
pub fn clock(ms: i64, offset: i64) -> String {
    let minutes = (ms.div_euclid(60_000) + offset).rem_euclid(1_440);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// `23 Nov`.
pub fn day(ms: i64, offset: i64) -> String {
    let (_, month, day) = civil((ms + offset * 60_000).div_euclid(86_400_000));
    format!("{day} {}", MONTHS[month as usize - 1])
}

/// `23 Nov 2026, 14:05`.
pub fn date(ms: i64, offset: i64) -> String {
    let (year, ..) = civil((ms + offset * 60_000).div_euclid(86_400_000));
    format!("{} {year}, {}", day(ms, offset), clock(ms, offset))
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Year, month, day of a number of days since 1970 in the Gregorian calendar: whole 400-year eras
/// first, then centuries, quadrennia and years counted from 1 March, so that the leap day is last.
fn civil(days: i64) -> (i64, i64, i64) {
    let from_march_0000 = days + 719_468;
    let era = from_march_0000.div_euclid(146_097);
    let in_era = from_march_0000.rem_euclid(146_097);
    let year_of_era = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let check = |value, expected| assert_eq!(number(value), expected);
        check(0.0, "0");
        check(0.876543, "0.87654");
        check(12.5, "12.5");
        check(123_456.0, "123456");
        check(-0.00001234, "-1.234e-5");
        check(f64::NAN, "NaN");
        check(f64::MAX, "∞");
        assert_eq!([compact(999.0), compact(1_234.0), compact(2.5e6)], ["999", "1.23k", "2.5M"]);
        assert_eq!([count(7), count(1_599), count(1_000_000)], ["7", "1,599", "1,000,000"]);
        assert_eq!([bytes(12), bytes(14_230), bytes(4_000_000)], ["12 B", "14.2 kB", "4 MB"]);
    }

    #[test]
    fn durations_and_times() {
        assert_eq!([micros(0.25), micros(1.44), micros(35_000.0)], ["250 ns", "1.44 µs", "35 ms"]);
        assert_eq!([duration(350), duration(12_340), duration(200_000)], ["350 ms", "12.3 s", "3 min 20 s"]);
        assert_eq!([ago(1_000, 0), ago(300_000, 0), ago(86_400_000, 0)], ["just now", "5 min ago", "1 day ago"]);
        let check = |ms, offset, expected| assert_eq!(date(ms, offset), expected);
        check(0, 0, "1 Jan 1970, 00:00");
        check(951_782_400_000, 0, "29 Feb 2000, 00:00");
        check(1_795_474_800_000, 60, "24 Nov 2026, 00:00");
        check(-1, 0, "31 Dec 1969, 23:59");
    }
}
