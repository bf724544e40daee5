//! Typed columns and the target, from cells of text.

mod kinds;
mod target;

use contract::Date;
use sha2::{Digest, Sha256};

use crate::pipeline::Kind;
use crate::read::Raw;
use crate::source::Origin;
use crate::{Error, Pipeline};

pub(crate) use kinds::{guess, number};
pub(crate) use target::{Labels, Target};

/// A table with typed features and a target.
#[derive(Clone, Debug)]
pub(crate) struct Data {
    /// Features in the order of the file.
    pub features: Vec<Feature>,
    /// What is predicted.
    pub target: Target,
    /// Number of rows.
    pub rows: usize,
    /// File, for errors and the log.
    pub place: String,
    /// sha256 (hex) of all cells.
    pub sha256: String,
    /// Where they came from.
    pub origin: Origin,
}

/// One column.
#[derive(Clone, Debug)]
pub(crate) struct Feature {
    /// The header.
    pub name: String,
    /// Values, one a row.
    pub values: Values,
}

/// Values of a column.
#[derive(Clone, Debug)]
pub(crate) enum Values {
    /// Finite numbers; NaN is missing.
    Numbers(Vec<f32>),
    /// Texts; `None` is missing.
    Texts(Vec<Option<String>>),
    /// Dates.
    Dates {
        /// How they are written and counted.
        date: Date,
        /// Days or milliseconds since 1970; NaN is missing.
        numbers: Vec<f64>,
        /// As the file has them; `None` is missing.
        texts: Vec<Option<String>>,
    },
}

impl Data {
    /// Types the columns as the pipeline says, and as they look where it says nothing.
    pub fn new(raw: &Raw, pipeline: &Pipeline) -> Result<Data, Error> {
        let target =
            column(raw, &pipeline.target).ok_or_else(|| pipeline.wrong("target", no_column(raw, &pipeline.target)))?;
        for name in pipeline.columns.keys() {
            column(raw, name).ok_or_else(|| pipeline.wrong(&format!("columns.{name}"), no_column(raw, name)))?;
        }
        let mut features = Vec::new();
        for (i, name) in raw.header.iter().enumerate().filter(|(i, _)| *i != target) {
            let kind = match pipeline.columns.get(name) {
                Some(kind) => kind.clone(),
                None => guess(raw, i)?,
            };
            let values = match kind {
                Kind::Ignore => continue,
                Kind::Numeric => Values::Numbers(kinds::numbers(raw, i)?),
                Kind::Categorical => Values::Texts(kinds::texts(raw, i)),
                Kind::Date(date) => {
                    let numbers = kinds::dates(raw, i, &date)?;
                    Values::Dates { date, numbers, texts: kinds::texts(raw, i) }
                }
            };
            features.push(Feature { name: name.clone(), values });
        }
        if features.is_empty() {
            return Err(Error::data(&raw.place, "no column is left to predict from"));
        }
        let target = Target::new(raw, target, pipeline)?;
        Ok(Data {
            features,
            target,
            rows: raw.rows.len(),
            place: raw.place.clone(),
            sha256: digest(raw),
            origin: raw.origin.clone(),
        })
    }

    /// Row `row` as a client would send it: numbers as short as they can be printed, missing as `null`.
    pub fn record(&self, row: usize) -> serde_json::Map<String, serde_json::Value> {
        let value = |values: &Values| match values {
            Values::Numbers(numbers) => short(numbers[row]),
            Values::Texts(texts) | Values::Dates { texts, .. } => texts[row].clone().into(),
        };
        self.features.iter().map(|feature| (feature.name.clone(), value(&feature.values))).collect()
    }
}

/// The shortest decimal that a reader of f64 rounds to this f32.
pub(crate) fn short(number: f32) -> serde_json::Value {
    let shortest: f64 = number.to_string().parse().unwrap_or(f64::NAN);
    let exact = if shortest as f32 == number { shortest } else { f64::from(number) };
    contract::number::to_json(exact)
}

pub(crate) fn column(raw: &Raw, name: &str) -> Option<usize> {
    raw.header.iter().position(|header| header == name)
}

fn no_column(raw: &Raw, name: &str) -> String {
    format!("{} has no column `{name}`; it has {}", raw.place, raw.header.join(", "))
}

/// sha256 (hex) of header and cells.
pub(crate) fn digest(raw: &Raw) -> String {
    let mut hash = Sha256::new();
    for cell in raw.header.iter().chain(raw.rows.iter().flatten()) {
        hash.update((cell.len() as u64).to_le_bytes());
        hash.update(cell.as_bytes());
    }
    contract::hex::encode(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read;

    fn check(csv: &str, tail: &str, expected: &str) {
        let yaml = format!("name: t\nsource: {{csv: t.csv}}\ntarget: y\n{tail}\n");
        let pipeline = Pipeline::parse(&yaml, "pipeline.yaml").unwrap();
        let raw = read::parse(csv.as_bytes(), "t.csv").unwrap();
        assert_eq!(Data::new(&raw, &pipeline).unwrap_err().to_string(), expected);
    }

    #[test]
    fn errors_name_line_column_and_key() {
        check("a,b\n1,2\n", "", "pipeline: target: t.csv has no column `y`; it has a, b");
        let csv = "a,y\n1,0\nx,1\n3,0\n";
        check(csv, "columns: {b: ignore}", "pipeline: columns.b: t.csv has no column `b`; it has a, y");
        let number = "this is not a number; make the column `categorical`, or correct the line";
        check(csv, "columns: {a: numeric}", &format!("t.csv, line 3, column `a`: {number}"));
        let constant = "the target is the same in every row: there is nothing to learn";
        check("a,y\n1,5\n2,5\n", "", &format!("t.csv, column `y`: {constant}"));
        check("a,y\n1,5\n2,6\n", "positive: '> 3'", &format!("t.csv, column `y`: {constant} (by `positive`)"));
        check("a,y\n1,5\n2,\n", "", "t.csv, line 3, column `y`: the target is missing; remove the line");
        check("a,y\n1,5\n2,z\n", "task: regression", "t.csv, line 3, column `y`: the target is not a number");
        check("y\n1\n2\n", "", "t.csv: no column is left to predict from");
        check("a,y\n,0\nNA,1\n", "", "t.csv, column `a`: no row has a value; make it `ignore` in the pipeline");
        let date = "this is not a date in the format %Y-%m-%d; correct the line, or the format in the pipeline";
        let column = "columns: {a: {date: '%Y-%m-%d'}}";
        check("a,y\n2024-01-01,0\n01.02.2024,1\n", column, &format!("t.csv, line 3, column `a`: {date}"));
        let either = "dates that may be %m/%d/%Y or %d/%m/%Y; say which: `columns: {\"a\": {date: …}}`";
        check("a,y\n1/2/2024,0\n3/4/2024,1\n", "", &format!("t.csv, column `a`: {either}"));
        check("a,y\n1e39,0\n2,1\n", "", "t.csv, line 2, column `a`: the number is beyond f32 (3.4e38)");
    }

    #[test]
    fn a_record_prints_numbers_as_the_file_did() {
        let raw = read::parse("a,b,c,y\n9.4,red,,1\n-0.1,NA,3,0\n".as_bytes(), "t").unwrap();
        let pipeline = Pipeline::parse("{name: t, source: {csv: t}, target: y}", "p").unwrap();
        let data = Data::new(&raw, &pipeline).unwrap();
        let record = |row| serde_json::Value::Object(data.record(row)).to_string();
        assert_eq!(record(0), r#"{"a":9.4,"b":"red","c":null}"#);
        assert_eq!(record(1), r#"{"a":-0.1,"b":null,"c":3.0}"#);
    }
}
