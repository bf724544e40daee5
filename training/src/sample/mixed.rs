//! The sample `mixed`: customers of a service that does not exist, and who left it. Texts, dates, times,
//! missing values, rows that occur twice, and one customer of ten who leaves.
//!
//! Made by a fixed seed from additions, multiplications, divisions and square roots alone, so that every machine makes the same table.

use std::fmt::Write;

use contract::date::{DAY_MS, iso_date, iso_time};

/// Rows made, before some are repeated.
const ROWS: usize = 6000;
/// Each so many rows, one occurs twice.
const TWICE: usize = 100;

/// The pipeline that `beira init --example mixed` writes beside the table.
pub(crate) const PIPELINE: &str = include_str!("mixed.yaml");

/// The table as CSV.
pub(crate) fn csv() -> String {
    let mut random = Random(20_240_229);
    let mut csv =
        "customer,joined,last_login,plan,country,age,income,debt,sessions,tickets,satisfaction,churned\n".to_owned();
    for row in 0..ROWS {
        let start = csv.len();
        line(&mut csv, row, &mut random);
        if row % TWICE == 0 {
            let again = csv[start..].to_owned();
            csv += &again;
        }
    }
    csv
}

fn line(csv: &mut String, row: usize, random: &mut Random) {
    let joined = 17_532 + random.below(2557) as i64; // 2018 to 2024
    let last = (20_089 - (random.share() * random.share() * 200.0) as i64).max(joined) * DAY_MS
        + random.below(DAY_MS as u64 / 1000) as i64 * 1000;
    let plan = ["free", "basic", "pro", "team"][random.pick(&[45, 30, 18, 7])];
    let country = ["DE", "FR", "PT", "ES", "IT", "BR", "PL", "IS"][random.pick(&[26, 20, 16, 13, 11, 8, 5, 1])];
    let age = 18 + (random.bell() * 14.0 + 26.0).clamp(0.0, 72.0) as i64;
    let skewed = random.share() + random.share() * random.share();
    let income = 900.0 + 2600.0 * skewed * skewed;
    let debt = if random.below(4) == 0 { 0.0 } else { income * random.share() * 1.4 };
    let sessions = (random.share() * random.share() * 60.0) as i64;
    let tickets = random.pick(&[55, 25, 11, 6, 3]) as i64;
    let mood = random.bell() - 0.35 * tickets as f64 + 0.01 * sessions as f64;
    let satisfaction = if mood < -0.6 {
        "low"
    } else if mood < 0.5 {
        "medium"
    } else {
        "high"
    };

    let idle = (20_089 * DAY_MS - last) as f64 / DAY_MS as f64;
    let hour = last % DAY_MS / 3_600_000;
    let weekday = (last / DAY_MS + 3) % 7;
    let mut score = -6.0 + 0.035 * idle + 1.1 * (debt / income - 0.4) + 0.35 * tickets as f64 - 0.03 * sessions as f64;
    score += match plan {
        "free" => 0.9,
        "team" => -1.2,
        _ => 0.0,
    };
    score += f64::from(u8::from(satisfaction == "low")) * 1.3 - f64::from(u8::from(satisfaction == "high")) * 0.6;
    score += if weekday >= 5 { 0.4 } else { 0.0 } + if (1..6).contains(&hour) { 0.7 } else { 0.0 };
    score += if country == "IS" { 1.0 } else { 0.0 } + f64::from(age < 26) * 0.5;
    // From a score to a share without an exponential.
    let churned = random.share() < 0.5 * (1.0 + score / (1.0 + score * score).sqrt());

    let mut gap = |text: String, percent: u64| if random.below(100) < percent { String::new() } else { text };
    let login = &iso_time(last)[..19].replace('T', " ");
    let _ = writeln!(
        csv,
        "C{row:05},{},{},{plan},{},{},{},{debt:.2},{sessions},{tickets},{},{}",
        iso_date(joined),
        gap(login.clone(), 6),
        gap(country.to_owned(), 4),
        gap(age.to_string(), 8),
        gap(format!("{income:.2}"), 15),
        gap(satisfaction.to_owned(), 10),
        if churned { "yes" } else { "no" },
    );
}

/// Steele, Lea & Flood 2014, SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// From 0 to 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// About normal: mean 0, deviation 1.
    fn bell(&mut self) -> f64 {
        (0..12).map(|_| self.share()).sum::<f64>() - 6.0
    }

    /// A position by its weight.
    fn pick(&mut self, weights: &[u64]) -> usize {
        let mut left = self.below(weights.iter().sum());
        weights.iter().position(|weight| left.checked_sub(*weight).map(|rest| left = rest).is_none()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use crate::read;

    #[test]
    fn is_the_table_that_the_project_speaks_of() {
        let csv = super::csv();
        assert_eq!(csv, super::csv());
        let raw = read::parse(csv.as_bytes(), "mixed").unwrap();
        assert_eq!((raw.rows.len(), raw.header.len()), (6060, 12));
        let share = |column: usize, value: &str| {
            raw.rows.iter().filter(|row| row[column] == value).count() as f64 / raw.rows.len() as f64
        };
        assert!((0.07..0.14).contains(&share(11, "yes")), "{}", share(11, "yes"));
        assert!((0.12..0.18).contains(&share(6, "")), "{}", share(6, ""));
    }
}
