//! Parts of a date as nodes, in floating-point numbers that are all whole, so that a missing date (NaN) stays missing.
//!
//! The arithmetic is `civil_from_days` of Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". A quotient is rounded
//! down as `floor((x + 1/2) / d)`: no true value then lies nearer to a whole number than `1/2d`, which a
//! runtime that multiplies by a rounded `1/d` cannot cross either, for days of the years 0 to 9999.

use contract::date::{DAY_MS, Unit};

use super::graph::{Builder, FLOAT, Name, attribute};
use crate::pipeline::Part;

/// What was made of one date already.
pub(super) struct Civil {
    input: Name,
    unit: Unit,
    days: Option<Name>,
    calendar: Option<[Name; 3]>,
}

impl Civil {
    /// Nothing yet of an input of days (f32) or milliseconds (f64).
    pub fn new(input: Name, unit: Unit) -> Civil {
        Civil { input, unit, days: None, calendar: None }
    }

    /// The part as f32, `[N, 1]`.
    pub fn part(&mut self, graph: &mut Builder, part: Part) -> Name {
        let mut f = Whole { graph, double: false };
        match part {
            Part::Days => self.days(f.graph),
            Part::Year | Part::Month | Part::Day | Part::Quarter => {
                let [year, month, day] = self.calendar(f.graph);
                match part {
                    Part::Year => year,
                    Part::Month => month,
                    Part::Day => day,
                    _ => {
                        let shifted = f.add(&month, 2.0);
                        f.quotient(&shifted, 3.0)
                    }
                }
            }
            Part::Weekday => {
                let days = self.days(f.graph);
                let days = f.add(&days, 3.0);
                f.remainder(&days, 7.0)
            }
            Part::Hour | Part::Minute => {
                let mut f = Whole { graph, double: true };
                let of_day = f.remainder(&self.input, DAY_MS as f64);
                let part = if part == Part::Hour {
                    f.quotient(&of_day, 3_600_000.0)
                } else {
                    let minutes = f.quotient(&of_day, 60_000.0);
                    f.remainder(&minutes, 60.0)
                };
                f.single(&part)
            }
        }
    }

    /// Whole days since 1970, f32.
    fn days(&mut self, graph: &mut Builder) -> Name {
        let make = || match self.unit {
            Unit::Days => graph.node("", "Floor", &[&self.input], Vec::new()),
            Unit::Milliseconds => {
                let mut f = Whole { graph, double: true };
                let days = f.quotient(&self.input, DAY_MS as f64);
                f.single(&days)
            }
        };
        self.days.get_or_insert_with(make).clone()
    }

    /// Year, month and day, f32.
    fn calendar(&mut self, graph: &mut Builder) -> [Name; 3] {
        if let Some(calendar) = &self.calendar {
            return calendar.clone();
        }
        let days = self.days(graph);
        let mut f = Whole { graph, double: false };
        let z = f.add(&days, 719_468.0);
        let era = f.quotient(&z, 146_097.0);
        let of_era = f.minus(&z, &era, 146_097.0);
        let leap = [f.quotient(&of_era, 1460.0), f.quotient(&of_era, 36_524.0), f.quotient(&of_era, 146_096.0)];
        let counted = f.sub(&of_era, &leap[0]);
        let counted = f.sum(&counted, &leap[1]);
        let counted = f.sub(&counted, &leap[2]);
        let year = f.quotient(&counted, 365.0);
        let of_year = f.minus(&of_era, &year, 365.0);
        let (fourth, hundredth) = (f.quotient(&year, 4.0), f.quotient(&year, 100.0));
        let of_year = f.sub(&of_year, &fourth);
        let of_year = f.sum(&of_year, &hundredth);
        let five = f.times(&of_year, 5.0);
        let five = f.add(&five, 2.0);
        let month = f.quotient(&five, 153.0); // 0 is March
        let before = f.times(&month, 153.0);
        let before = f.add(&before, 2.0);
        let before = f.quotient(&before, 5.0);
        let day = f.sub(&of_year, &before);
        let day = f.add(&day, 1.0);
        let next = f.quotient(&month, 10.0); // 1 in January and February
        let month = f.add(&month, 3.0);
        let month = f.minus(&month, &next, 12.0);
        let eras = f.times(&era, 400.0);
        let year = f.sum(&year, &eras);
        let year = f.sum(&year, &next);
        self.calendar.insert([year, month, day]).clone()
    }
}

/// Arithmetic on whole numbers.
struct Whole<'a> {
    graph: &'a mut Builder,
    double: bool,
}

impl Whole<'_> {
    fn constant(&mut self, value: f64) -> Name {
        if self.double { self.graph.doubles(&[value]) } else { self.graph.floats(&[value as f32]) }
    }

    fn with(&mut self, op: &str, x: &str, value: f64) -> Name {
        let value = self.constant(value);
        self.graph.node("", op, &[x, &value], Vec::new())
    }

    fn add(&mut self, x: &str, value: f64) -> Name {
        self.with("Add", x, value)
    }

    fn times(&mut self, x: &str, value: f64) -> Name {
        self.with("Mul", x, value)
    }

    fn sum(&mut self, x: &str, y: &str) -> Name {
        self.graph.node("", "Add", &[x, y], Vec::new())
    }

    fn sub(&mut self, x: &str, y: &str) -> Name {
        self.graph.node("", "Sub", &[x, y], Vec::new())
    }

    /// `x - value y`.
    fn minus(&mut self, x: &str, y: &str, value: f64) -> Name {
        let product = self.times(y, value);
        self.sub(x, &product)
    }

    /// `x / value`, rounded down.
    fn quotient(&mut self, x: &str, value: f64) -> Name {
        let x = self.add(x, 0.5);
        let x = self.with("Div", &x, value);
        self.graph.node("", "Floor", &[&x], Vec::new())
    }

    fn remainder(&mut self, x: &str, value: f64) -> Name {
        let quotient = self.quotient(x, value);
        self.minus(x, &quotient, value)
    }

    fn single(&mut self, x: &str) -> Name {
        self.graph.node("", "Cast", &[x], vec![attribute("to", FLOAT)])
    }
}
