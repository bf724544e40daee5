//! Is the table what the pipeline's `schema` says? Every check is made, not only up to the first that fails.

mod report;

use std::collections::HashSet;

use contract::Date;

use crate::data::{column, guess, number};
use crate::pipeline::{self, Kind, Schema, Type};
use crate::read::{Raw, is_missing};
use crate::{Error, Pipeline};

pub use report::{Fault, Report};

/// Looks at the whole table. The answer holds what failed; an error means that a bound of the schema cannot be read.
pub(crate) fn check(raw: &Raw, pipeline: &Pipeline) -> Result<Report, Error> {
    let default = Schema::default();
    let schema = pipeline.schema.as_ref().unwrap_or(&default);
    let mut seen = HashSet::new();
    let duplicates = raw.rows.iter().filter(|row| !seen.insert(*row)).count();
    let mut report = Report {
        place: raw.place.clone(),
        source: raw.origin.source.clone(),
        sha256: raw.origin.sha256.clone(),
        rows: raw.rows.len(),
        duplicates,
        checks: 0,
        columns: (0..raw.header.len()).map(|i| report::describe(raw, i)).collect(),
        faults: Vec::new(),
    };
    drop(seen);
    rows(&mut report, schema);
    columns(&mut report, raw, schema);
    for (name, wanted) in &schema.columns {
        if let Some(column) = column(raw, name) {
            Cells { raw, column, name }.check(&mut report, wanted, pipeline)?;
        }
    }
    Ok(report)
}

fn rows(report: &mut Report, schema: &Schema) {
    let rows = report.rows as u64;
    if let Some(limits) = schema.rows {
        let low = limits.min.is_some_and(|min| rows < min);
        let high = limits.max.is_some_and(|max| rows > max);
        let what = format!("{rows} rows are {} than `schema.rows` says", if low { "fewer" } else { "more" });
        report.check(low || high, || Fault::table("rows", what, "is the download whole, and of the right day?"));
    }
    if let Some(most) = schema.duplicates {
        let share = report.duplicates as f64 / report.rows.max(1) as f64;
        let what = format!("{} rows repeat an earlier one, a share of {share:.4}", report.duplicates);
        let help = "was a file appended twice? else raise `schema.duplicates`";
        report.check(share > most, || Fault::table("duplicates", what, help));
    }
}

fn columns(report: &mut Report, raw: &Raw, schema: &Schema) {
    let new: Vec<&str> =
        raw.header.iter().map(String::as_str).filter(|name| !schema.columns.contains_key(*name)).collect();
    for name in schema.columns.keys() {
        let help = match new.as_slice() {
            [] => "give the column, or take it off the schema".to_owned(),
            new => format!("was it renamed? not in the schema: {}", new.join(", ")),
        };
        let fault = || Fault::column("columns", name, "the column is not there".to_owned(), &help);
        report.check(column(raw, name).is_none(), fault);
    }
    if !schema.others {
        let what = format!("columns that the schema does not list: {}", new.join(", "));
        report.check(!new.is_empty(), || Fault::table("columns", what, "list them, or set `schema.others: true`"));
    }
}

/// One column under check.
struct Cells<'a> {
    raw: &'a Raw,
    column: usize,
    name: &'a str,
}

impl Cells<'_> {
    fn check(&self, report: &mut Report, wanted: &pipeline::Column, pipeline: &Pipeline) -> Result<(), Error> {
        if let Some(most) = wanted.missing {
            let missing = report.columns[self.column].missing;
            let share = missing as f64 / report.rows.max(1) as f64;
            let what = format!("{missing} values are missing, a share of {share:.4}");
            let help = "mend the export, or raise `missing`";
            report.check(share > most, || Fault::column("missing", self.name, what, help));
        }
        let date = self.date(pipeline);
        let value = |cell: &str| match (wanted.kind, &date) {
            (Some(Type::Date), Some(date)) => date.parse(cell),
            (Some(Type::Date), None) => None,
            _ => number(cell),
        };
        if let Some(kind) = wanted.kind.filter(|kind| *kind != Type::Text) {
            let (name, help) = match (kind, &date) {
                (Type::Integer, _) => ("a whole number", "correct the cells, or make it `type: number`".to_owned()),
                (Type::Date, Some(date)) => (
                    "a date",
                    format!("the format is {}; say another one in `columns`, or correct the cells", date.format),
                ),
                (Type::Date, None) => ("a date", "say the format in `columns`".to_owned()),
                _ => ("a number", "correct the cells, or make it `type: text`".to_owned()),
            };
            let wrong = |cell: &str| value(cell).is_none_or(|n| kind == Type::Integer && n.fract() != 0.0);
            self.all(report, "type", &format!("not {name}"), &help, wrong);
        }
        let bound = |key: &str, bound: &Option<String>| match bound {
            None => Ok(None),
            Some(text) => value(text).map(Some).ok_or_else(|| {
                let key = format!("schema.columns.{}.{key}", self.name);
                pipeline.wrong(&key, "a value in the column's own form is needed")
            }),
        };
        let (min, max) = (bound("min", &wanted.min)?, bound("max", &wanted.max)?);
        let help = "correct the cells, or move the bound";
        if let (Some(min), Some(text)) = (min, &wanted.min) {
            let what = format!("below {text}");
            self.all(report, "range", &what, help, |cell| value(cell).is_some_and(|value| value < min));
        }
        if let (Some(max), Some(text)) = (max, &wanted.max) {
            let what = format!("above {text}");
            self.all(report, "range", &what, help, |cell| value(cell).is_some_and(|value| value > max));
        }
        if let Some(allowed) = &wanted.allowed {
            let help = "correct the cells, or add the value to `in`";
            self.all(report, "in", "none of the allowed values", help, |cell| !allowed.iter().any(|one| one == cell));
        }
        Ok(())
    }

    /// Adds a fault when some cell that is there is wrong; it names the first.
    fn all(&self, report: &mut Report, check: &'static str, what: &str, help: &str, wrong: impl Fn(&str) -> bool) {
        let cell = |row: &Vec<String>| !is_missing(&row[self.column]) && wrong(&row[self.column]);
        let first = self.raw.rows.iter().position(&cell);
        let count = self.raw.rows.iter().filter(|row| cell(row)).count();
        report.check(first.is_some(), || Fault {
            check,
            column: Some(self.name.to_owned()),
            line: first.map(|row| self.raw.lines[row]),
            rows: count,
            what: format!("{what}: {count} of {} values", self.raw.rows.len()),
            help: help.to_owned(),
        });
    }

    fn date(&self, pipeline: &Pipeline) -> Option<Date> {
        match pipeline.columns.get(self.name).cloned().map_or_else(|| guess(self.raw, self.column), Ok) {
            Ok(Kind::Date(date)) => Some(date),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read;

    const CSV: &str = "age,plan,on,y\n30,basic,2024-01-05,0\n30,basic,2024-01-05,0\n-2,pro,2024-02-30,1\n3.5,gold,,1\n";

    fn check(schema: &str, expected: &[&str]) {
        let columns = "columns: {on: {date: '%Y-%m-%d'}}";
        let yaml = format!("name: t\nsource: {{csv: t.csv}}\ntarget: y\n{columns}\nschema: {schema}\n");
        let pipeline = Pipeline::parse(&yaml, "pipeline.yaml").unwrap();
        let report = super::check(&read::parse(CSV.as_bytes(), "t.csv").unwrap(), &pipeline).unwrap();
        let found: Vec<String> = report.faults.iter().map(|fault| report.sentence(fault)).collect();
        assert_eq!(found, expected);
        assert_eq!(report.passed().is_ok(), expected.is_empty());
    }

    #[test]
    fn a_fault_names_file_line_column_and_what_helps() {
        check("{}", &[]);
        let whole = "{rows: {min: 1, max: 9}, duplicates: 0.3, others: false, columns: {age: {type: number, min: -5, max: 99}, \
                     plan: {in: [basic, pro, gold]}, on: {missing: 0.25}, y: {type: integer, in: [0, 1]}}}";
        check(whole, &[]);
        let short = "t.csv: 4 rows are fewer than `schema.rows` says; is the download whole, and of the right day?";
        check("{rows: {min: 5}}", &[short]);
        let twice = "t.csv: 1 rows repeat an earlier one, a share of 0.2500; was a file appended twice? else raise `schema.duplicates`";
        check("{duplicates: 0.2}", &[twice]);
        let gone =
            "t.csv, column `income`: the column is not there; was it renamed? not in the schema: age, plan, on, y";
        check("{columns: {income: {type: number}}}", &[gone]);
        let new = "t.csv: columns that the schema does not list: plan, on, y; list them, or set `schema.others: true`";
        check("{others: false, columns: {age: {}}}", &[new]);
        let below = "t.csv, line 4, column `age`: below 0: 1 of 4 values; correct the cells, or move the bound";
        check("{columns: {age: {type: number, min: 0}}}", &[below]);
        let whole = "t.csv, line 5, column `age`: not a whole number: 1 of 4 values; correct the cells, or make it `type: number`";
        check("{columns: {age: {type: integer}}}", &[whole]);
        let unseen = "t.csv, line 5, column `plan`: none of the allowed values: 1 of 4 values; correct the cells, or add the value to `in`";
        check("{columns: {plan: {in: [basic, pro]}}}", &[unseen]);
        let date = "t.csv, line 4, column `on`: not a date: 1 of 4 values; the format is %Y-%m-%d; say another one in `columns`, or correct the cells";
        check("{columns: {on: {type: date}}}", &[date]);
        let early = "t.csv, line 2, column `on`: below 2024-01-06: 2 of 4 values; correct the cells, or move the bound";
        check("{columns: {on: {type: date, min: 2024-01-06}}}", &[date, early]);
        let missing =
            "t.csv, column `on`: 1 values are missing, a share of 0.2500; mend the export, or raise `missing`";
        check("{columns: {on: {missing: 0.1}}}", &[missing]);
    }
}
