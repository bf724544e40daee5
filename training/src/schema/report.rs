//! What was found in a table: for people (Markdown) and for programs (JSON).

use std::collections::HashSet;
use std::fmt::Write;

use serde::Serialize;

use crate::Error;
use crate::data::number;
use crate::read::{Raw, is_missing};

/// What was found in a table. Of its cells it repeats numbers alone, and of these the extremes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// File.
    pub place: String,
    /// As the pipeline names it.
    pub source: String,
    /// sha256 (hex) of the source.
    pub sha256: String,
    /// Number of rows.
    pub rows: usize,
    /// Rows that repeat an earlier one.
    pub duplicates: usize,
    /// Checks that were made.
    pub checks: usize,
    /// Columns in the order of the file.
    pub columns: Vec<Column>,
    /// Checks that failed.
    pub faults: Vec<Fault>,
}

/// One column of the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Column {
    /// Header.
    pub name: String,
    /// Cells without a value.
    pub missing: usize,
    /// Different values.
    pub distinct: usize,
    /// Least number, where all values are numbers.
    pub min: Option<f64>,
    /// Their mean.
    pub mean: Option<f64>,
    /// The greatest.
    pub max: Option<f64>,
}

/// A check that failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fault {
    /// `rows`, `duplicates`, `columns`, `missing`, `type`, `range` or `in`.
    pub check: &'static str,
    /// The column; absent for the table as a whole.
    pub column: Option<String>,
    /// First line (or row) that is wrong.
    pub line: Option<u64>,
    /// Number of wrong rows, where they can be counted.
    pub rows: usize,
    /// What is wrong.
    pub what: String,
    /// What would help.
    pub help: String,
}

impl Fault {
    pub(super) fn table(check: &'static str, what: String, help: &str) -> Fault {
        Fault { check, column: None, line: None, rows: 0, what, help: help.to_owned() }
    }

    pub(super) fn column(check: &'static str, column: &str, what: String, help: &str) -> Fault {
        Fault { column: Some(column.to_owned()), ..Fault::table(check, what, help) }
    }
}

impl Report {
    pub(super) fn check(&mut self, failed: bool, fault: impl FnOnce() -> Fault) {
        self.checks += 1;
        self.faults.extend(failed.then(fault));
    }

    /// File, line, column, what is wrong and what would help.
    pub fn sentence(&self, fault: &Fault) -> String {
        let line = fault.line.map_or_else(String::new, |line| format!(", line {line}"));
        let column = fault.column.as_ref().map_or_else(String::new, |column| format!(", column `{column}`"));
        format!("{}{line}{column}: {}; {}", self.place, fault.what, fault.help)
    }

    /// An error that lists what failed.
    pub fn passed(&self) -> Result<(), Error> {
        if self.faults.is_empty() {
            return Ok(());
        }
        Err(Error::Schema { faults: self.faults.iter().map(|fault| self.sentence(fault)).collect() })
    }

    /// For people.
    pub fn markdown(&self) -> String {
        let (failed, checks) = (self.faults.len(), self.checks);
        let mut out = format!("# Data: {}\n\n", self.source);
        let _ = writeln!(
            out,
            "{} rows, {} of them repeat an earlier one. sha256 `{}`\n",
            self.rows, self.duplicates, self.sha256
        );
        let _ = match (checks, failed) {
            (0, _) => writeln!(out, "The pipeline has no `schema`, so nothing was checked.\n"),
            (_, 0) => writeln!(out, "All {checks} checks of the schema passed.\n"),
            _ => writeln!(out, "**{failed} of {checks} checks of the schema failed.**\n"),
        };
        for fault in &self.faults {
            let _ = writeln!(out, "- {}", self.sentence(fault));
        }
        if failed > 0 {
            out.push('\n');
        }
        out.push_str(
            "| column | missing | different values | least | mean | greatest |\n|---|---:|---:|---:|---:|---:|\n",
        );
        let shown = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.4}"));
        for column in &self.columns {
            let share = 100.0 * column.missing as f64 / self.rows.max(1) as f64;
            let missing =
                if column.missing == 0 { "0".to_owned() } else { format!("{} ({share:.1} %)", column.missing) };
            let (name, distinct) = (column.name.replace('|', "\\|"), column.distinct);
            let (min, mean, max) = (shown(column.min), shown(column.mean), shown(column.max));
            let _ = writeln!(out, "| {name} | {missing} | {distinct} | {min} | {mean} | {max} |");
        }
        out
    }
}

/// Counts of one column.
pub(super) fn describe(raw: &Raw, column: usize) -> Column {
    let there = || raw.rows.iter().map(|row| row[column].as_str()).filter(|cell| !is_missing(cell));
    let numbers: Option<Vec<f64>> = there().map(number).collect();
    let numbers = numbers.filter(|numbers| !numbers.is_empty()).unwrap_or_default();
    let some = |value: f64| (!numbers.is_empty()).then_some(value);
    Column {
        name: raw.header[column].clone(),
        missing: raw.rows.len() - there().count(),
        distinct: there().collect::<HashSet<_>>().len(),
        min: some(numbers.iter().copied().fold(f64::INFINITY, f64::min)),
        mean: some(numbers.iter().sum::<f64>() / numbers.len() as f64),
        max: some(numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
    }
}
