//! Dates as text: the format that a model declares, and the number that it is fed.
//!
//! A date without a time of day is a number of days since 1970-01-01, exact in an f32; one with a
//! time of day is a number of milliseconds since then (UTC), exact in an f64 or INT64 but not in an f32.
//!
//! | token | text |
//! |---|---|
//! | `%Y` `%y` | year in four digits; in two (69 to 99 are 1969 to 1999, the rest 2000 to 2068) |
//! | `%m` `%d` | month and day, one or two digits |
//! | `%b` | month in English, three letters |
//! | `%H` `%I` `%p` | hour from 0 to 23; hour from 1 to 12 with `%p`, which is AM or PM |
//! | `%M` `%S` `%f` | minute; second; its fraction in 1 to 9 digits, cut off after three |
//! | `%z` | `Z` or an offset from UTC: `+02:00`, `+0200`, `+02` |
//! | `%%` | a percent sign |
//!
//! Everything else stands for itself. `hosts/web/js/date.js` reads the same texts as the same numbers.

use serde::{Deserialize, Serialize};

/// Milliseconds in a day.
pub const DAY_MS: i64 = 86_400_000;

const TOKENS: &str = "YymdbHIpMSfz%";
const MONTHS: &str = "janfebmaraprmayjunjulaugsepoctnovdec";

/// How an input's dates are written, and what they become.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Date {
    /// Tokens and literal text, `%Y-%m-%d`.
    pub format: String,
    /// What is counted.
    pub unit: Unit,
}

/// What is counted since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Whole days.
    Days,
    /// Milliseconds.
    Milliseconds,
}

impl Date {
    /// A date in `format`: milliseconds where the format has a time of day, else days.
    pub fn new(format: &str) -> Result<Date, String> {
        let unit = if tokens(format).any(|token| "HI".contains(token)) { Unit::Milliseconds } else { Unit::Days };
        let date = Date { format: format.to_owned(), unit };
        date.check().map(|()| date)
    }

    /// Whether the format says a date unmistakably: year, month and day once each.
    pub fn check(&self) -> Result<(), String> {
        let wrong = |what: &str| Err(format!("the date format `{}` {what}", self.format));
        let found: Vec<char> = tokens(&self.format).filter(|token| *token != '%').collect();
        if found.iter().any(|token| !TOKENS.contains(*token)) || self.format.replace("%%", "").ends_with('%') {
            return wrong("has a token that is none of %Y %y %m %d %b %H %I %p %M %S %f %z %%");
        }
        let count = |of: &str| found.iter().filter(|token| of.contains(**token)).count();
        for (of, name) in [("Yy", "year"), ("mb", "month"), ("d", "day")] {
            if count(of) != 1 {
                return wrong(&format!("needs one {name}"));
            }
        }
        if ["HI", "p", "M", "S", "f", "z"].into_iter().any(|of| count(of) > 1) {
            return wrong("says a thing twice");
        }
        if count("I") != count("p") {
            return wrong("needs both %I and %p, or %H");
        }
        if count("HI") == 0 && count("MSfz") > 0 || count("M") < count("S") || count("S") < count("f") {
            return wrong("has a part of a time of day without the greater one");
        }
        Ok(())
    }

    /// The number that `text` stands for; `None` when it is not a date in this format.
    pub fn parse(&self, text: &str) -> Option<f64> {
        let mut rest = text;
        let (mut year, mut month, mut day) = (0, 0, 0);
        let (mut hour, mut minute, mut second, mut ms, mut offset, mut half) = (0, 0, 0, 0, 0, None);
        let mut format = self.format.chars();
        while let Some(c) = format.next() {
            let token = if c == '%' { format.next()? } else { '%' };
            match token {
                '%' => rest = rest.strip_prefix(c)?,
                'Y' => year = number(&mut rest, 4, 4)?,
                'y' => {
                    let short = number(&mut rest, 2, 2)?;
                    year = short + if short < 69 { 2000 } else { 1900 };
                }
                'm' => month = number(&mut rest, 1, 2)?,
                'd' => day = number(&mut rest, 1, 2)?,
                'b' => month = 1 + MONTHS.find(&letters(&mut rest, 3)?).filter(|at| at % 3 == 0)? as i64 / 3,
                'H' | 'I' => hour = number(&mut rest, 1, 2)?,
                'p' => half = Some(letters(&mut rest, 2)?),
                'M' => minute = number(&mut rest, 1, 2)?,
                'S' => second = number(&mut rest, 1, 2)?,
                'f' => {
                    let before = rest;
                    number(&mut rest, 1, 9)?;
                    let digits = &before[..before.len() - rest.len()];
                    ms = format!("{digits}00").get(..3)?.parse().ok()?;
                }
                'z' => offset = zone(&mut rest)?,
                _ => return None,
            }
        }
        if let Some(half) = half {
            let afternoon = ["am", "pm"].iter().position(|name| *name == half)? as i64;
            if !(1..=12).contains(&hour) {
                return None;
            }
            hour = hour % 12 + 12 * afternoon;
        }
        let days = days(year, month, day)?;
        if !rest.is_empty() || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let total = days * DAY_MS + ((hour * 60 + minute - offset) * 60 + second) * 1000 + ms;
        Some(match self.unit {
            Unit::Days => total.div_euclid(DAY_MS),
            Unit::Milliseconds => total,
        } as f64)
    }
}

/// Year, month and day of a number of days since 1970-01-01; `civil_from_days` of the same source as [`days`].
pub fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let (era, of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * from_march + 2) / 5 + 1, (from_march + 2) % 12 + 1);
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// `2024-02-29`.
pub fn iso_date(days: i64) -> String {
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2024-02-29T12:34:56.789Z`.
pub fn iso_time(ms: i64) -> String {
    let (days, rest) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}.{:03}Z", iso_date(days), rest % 1000)
}

/// Letters behind the percent signs; `%` for a literal one.
fn tokens(format: &str) -> impl Iterator<Item = char> + '_ {
    let mut chars = format.chars();
    std::iter::from_fn(move || {
        chars.find(|c| *c == '%')?;
        chars.next()
    })
}

/// Takes as many digits as there are, at most `most`.
fn number(rest: &mut &str, least: usize, most: usize) -> Option<i64> {
    let digits = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (head, tail) = rest.split_at(digits);
    *rest = tail;
    if digits < least { None } else { head.parse().ok() }
}

/// Takes `count` ASCII letters, in lower case.
fn letters(rest: &mut &str, count: usize) -> Option<String> {
    let head = rest.get(..count).filter(|head| head.bytes().all(|byte| byte.is_ascii_alphabetic()))?;
    *rest = &rest[count..];
    Some(head.to_ascii_lowercase())
}

/// Minutes ahead of UTC.
fn zone(rest: &mut &str) -> Option<i64> {
    if let Some(tail) = rest.strip_prefix(['Z', 'z']) {
        *rest = tail;
        return Some(0);
    }
    let sign = if rest.starts_with('-') { -1 } else { 1 };
    *rest = rest.strip_prefix(['+', '-'])?;
    let hours = number(rest, 2, 2)?;
    let mut tail = rest.strip_prefix(':').unwrap_or(rest);
    let minutes = match number(&mut tail, 2, 2) {
        Some(minutes) => {
            *rest = tail;
            minutes
        }
        None => 0,
    };
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar; `None` for a day that no month has.
/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `hosts/web/test/date.test.mjs` reads the same file.
    #[test]
    fn texts_and_numbers() {
        let cases: Vec<(String, String, Option<f64>)> = serde_json::from_str(include_str!("date/cases.json")).unwrap();
        for (format, text, expected) in cases {
            assert_eq!(Date::new(&format).unwrap().parse(&text), expected, "{format} {text}");
        }
    }

    #[test]
    fn dates_are_printed_as_they_are_read() {
        let date = Date::new("%Y-%m-%d").unwrap();
        for day in (-719_162..2_932_896).step_by(97) {
            assert_eq!(date.parse(&iso_date(day)), Some(day as f64));
        }
        assert_eq!(iso_time(1_709_210_096_789), "2024-02-29T12:34:56.789Z");
        assert_eq!(iso_time(-1), "1969-12-31T23:59:59.999Z");
    }

    fn check(format: &str, expected: &str) {
        let error = Date::new(format).map(|date| date.unit).unwrap_err();
        assert_eq!(error, format!("the date format `{format}` {expected}"));
    }

    #[test]
    fn formats_that_say_no_date() {
        check("%Y-%m", "needs one day");
        check("%d.%m.%Y %d", "needs one day");
        check("%Y-%m-%d %q", "has a token that is none of %Y %y %m %d %b %H %I %p %M %S %f %z %%");
        check("%Y-%m-%d%", "has a token that is none of %Y %y %m %d %b %H %I %p %M %S %f %z %%");
        check("%Y-%m-%d %I:%M", "needs both %I and %p, or %H");
        check("%Y-%m-%d %M", "has a part of a time of day without the greater one");
        check("%Y-%m-%d %H:%H", "says a thing twice");
        assert_eq!(Date::new("%d/%m/%Y").unwrap().unit, Unit::Days);
        assert_eq!(Date::new("%Y-%m-%d %H:%M").unwrap().unit, Unit::Milliseconds);
    }
}
