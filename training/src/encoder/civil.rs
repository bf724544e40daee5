//! Parts of a date, in whole numbers.

use contract::date::{DAY_MS, Unit, civil};

use crate::pipeline::Part;

/// The part of a number of days or milliseconds; NaN stays. Every result is exact in an f32.
pub(super) fn part(part: Part, number: f64, unit: Unit) -> f32 {
    if number.is_nan() {
        return f32::NAN;
    }
    let (days, rest) = match unit {
        Unit::Days => (number.floor() as i64, 0),
        Unit::Milliseconds => ((number as i64).div_euclid(DAY_MS), (number as i64).rem_euclid(DAY_MS)),
    };
    let (year, month, day) = civil(days);
    (match part {
        Part::Days => days,
        Part::Year => year,
        Part::Quarter => (month + 2) / 3,
        Part::Month => month,
        Part::Day => day,
        Part::Weekday => (days + 3).rem_euclid(7), // 1970-01-01 was a Thursday
        Part::Hour => rest / 3_600_000,
        Part::Minute => rest / 60_000 % 60,
    }) as f32
}
