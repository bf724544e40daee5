//! Metrics with their values at one moment, whoever writes them down.

use super::names::{BOUNDS, Name};

/// One metric with all its values.
#[derive(Clone, Debug)]
pub struct Family {
    /// Which metric.
    pub name: &'static Name,
    /// By labels.
    pub points: Vec<Point>,
}

/// One value.
#[derive(Clone, Debug)]
pub struct Point {
    /// Labels, in a fixed order.
    pub labels: Vec<(&'static str, String)>,
    /// The value.
    pub value: Value,
}

/// A number, or durations.
#[derive(Clone, Debug)]
pub enum Value {
    /// A gauge or counter.
    Number(f64),
    /// How many durations fell into each of [`BOUNDS`] and above, and their sum in seconds.
    Durations([u64; BOUNDS.len() + 1], f64),
}

impl Family {
    /// A metric without values.
    pub fn new(name: &'static Name) -> Family {
        Family { name, points: Vec::new() }
    }

    /// Adds a number.
    pub fn number(&mut self, labels: Vec<(&'static str, String)>, value: f64) {
        self.points.push(Point { labels, value: Value::Number(value) });
    }
}
