//! What is predicted: a class, or a number.

use std::collections::BTreeSet;

use crate::pipeline::{Positive, Task};
use crate::read::{Raw, is_missing};
use crate::{Error, Pipeline};

use super::number;

/// Most classes.
const CLASSES_MAX: usize = 100;
/// Most different integers that `auto` takes for classes.
const AUTO_CLASSES: usize = 20;

/// What is predicted, one a row.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// Classes; the last of two is the positive one.
    Classes {
        /// Name of each class.
        labels: Labels,
        /// Class of each row.
        rows: Vec<u32>,
    },
    /// Numbers.
    Numbers {
        /// Header of the column.
        name: String,
        /// Value of each row.
        rows: Vec<f32>,
    },
}

/// Names of the classes, ascending.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Labels {
    /// Integers.
    Integers(Vec<i64>),
    /// Texts.
    Texts(Vec<String>),
}

impl Labels {
    /// Their names as text.
    pub fn names(&self) -> Vec<String> {
        match self {
            Labels::Integers(labels) => labels.iter().map(i64::to_string).collect(),
            Labels::Texts(labels) => labels.clone(),
        }
    }

    /// Label of a class as JSON.
    pub fn json(&self, class: usize) -> serde_json::Value {
        match self {
            Labels::Integers(labels) => labels[class].into(),
            Labels::Texts(labels) => labels[class].clone().into(),
        }
    }
}

impl Target {
    /// Reads the target of every row.
    pub fn new(raw: &Raw, column: usize, pipeline: &Pipeline) -> Result<Target, Error> {
        let cells: Vec<&str> = raw.rows.iter().map(|row| row[column].as_str()).collect();
        if let Some(row) = cells.iter().position(|cell| is_missing(cell)) {
            return Err(raw.wrong(row, column, "the target is missing; remove the line"));
        }
        let place = format!("{}, column `{}`", raw.place, raw.header[column]);
        let constant = |by: &str| {
            let what = format!("the target is the same in every row: there is nothing to learn{by}");
            Error::data(place.clone(), what)
        };
        if cells.windows(2).all(|pair| pair[0] == pair[1]) {
            return Err(constant(""));
        }
        if let Some(rule) = &pipeline.positive {
            let rule = Positive::parse(rule).map_err(|what| pipeline.wrong("positive", what))?;
            let rows = by_rule(raw, column, &cells, &rule)?;
            if rows.windows(2).all(|pair| pair[0] == pair[1]) {
                return Err(constant(" (by `positive`)"));
            }
            return Ok(Target::Classes { labels: Labels::Integers(vec![0, 1]), rows });
        }
        let task = match pipeline.task {
            Task::Auto => guess(&cells),
            task => task,
        };
        if task == Task::Regression {
            return numbers(raw, column, &cells);
        }
        let (labels, rows) = classes(&cells);
        let count = labels.names().len();
        let problem = match task {
            Task::Binary if count != 2 => {
                Some(format!("{count} different values, and `binary` needs 2; say which are `positive`"))
            }
            Task::Multiclass if count < 3 => Some("2 different values: the task is `binary`".to_owned()),
            _ if count > CLASSES_MAX => {
                Some(format!("{count} different values, more than {CLASSES_MAX} classes; is the task `regression`?"))
            }
            _ => None,
        };
        match problem {
            Some(what) => Err(Error::data(place, what)),
            None => Ok(Target::Classes { labels, rows }),
        }
    }

    /// Number of classes; `None` for numbers.
    pub fn classes(&self) -> Option<usize> {
        match self {
            Target::Classes { labels, .. } => Some(labels.names().len()),
            Target::Numbers { .. } => None,
        }
    }

    /// The task, for the log.
    pub fn task(&self) -> &'static str {
        match self.classes() {
            None => "regression",
            Some(2) => "binary",
            Some(_) => "multiclass",
        }
    }

    /// Target of a row as a number: the class, or the value.
    pub fn value(&self, row: usize) -> f32 {
        match self {
            Target::Classes { rows, .. } => rows[row] as f32,
            Target::Numbers { rows, .. } => rows[row],
        }
    }

    /// Target of a row as the model would answer it.
    pub fn json(&self, row: usize) -> serde_json::Value {
        match self {
            Target::Classes { labels, rows } => labels.json(rows[row] as usize),
            Target::Numbers { rows, .. } => super::short(rows[row]),
        }
    }
}

fn guess(cells: &[&str]) -> Task {
    let different: BTreeSet<&str> = cells.iter().copied().collect();
    let all = |holds: fn(f64) -> bool| different.iter().all(|cell| number(cell).is_some_and(holds));
    match different.len() {
        2 => Task::Binary,
        _ if !all(|_| true) => Task::Multiclass,
        n if n <= AUTO_CLASSES && all(|number| number.fract() == 0.0) => Task::Multiclass,
        _ => Task::Regression,
    }
}

fn by_rule(raw: &Raw, column: usize, cells: &[&str], rule: &Positive) -> Result<Vec<u32>, Error> {
    let class = |(row, cell): (usize, &&str)| {
        let number = number(cell).map(|number| number as f32);
        if rule.is_number() && number.is_none() {
            return Err(raw.wrong(row, column, "the target is not a number, and `positive` compares numbers"));
        }
        Ok(u32::from(rule.holds(cell, number)))
    };
    cells.iter().enumerate().map(class).collect()
}

fn numbers(raw: &Raw, column: usize, cells: &[&str]) -> Result<Target, Error> {
    let value = |(row, cell): (usize, &&str)| match number(cell).map(|number| number as f32) {
        Some(number) if number.is_finite() => Ok(number),
        Some(_) => Err(raw.wrong(row, column, "the number is beyond f32 (3.4e38)")),
        None => Err(raw.wrong(row, column, "the target is not a number")),
    };
    let rows = cells.iter().enumerate().map(value).collect::<Result<_, _>>()?;
    Ok(Target::Numbers { name: raw.header[column].clone(), rows })
}

/// Integers where all values are integers, else texts.
fn classes(cells: &[&str]) -> (Labels, Vec<u32>) {
    let integer = |cell: &&str| number(cell).filter(|n| n.fract() == 0.0 && n.abs() < 9e15).map(|n| n as i64);
    fn index<T: Ord + Clone>(values: &[T]) -> (Vec<T>, Vec<u32>) {
        let labels: Vec<T> = values.iter().cloned().collect::<BTreeSet<T>>().into_iter().collect();
        let rows = values.iter().map(|value| labels.binary_search(value).unwrap_or_default() as u32).collect();
        (labels, rows)
    }
    match cells.iter().map(integer).collect::<Option<Vec<i64>>>() {
        Some(values) => {
            let (labels, rows) = index(&values);
            (Labels::Integers(labels), rows)
        }
        None => {
            let values: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
            let (labels, rows) = index(&values);
            (Labels::Texts(labels), rows)
        }
    }
}
