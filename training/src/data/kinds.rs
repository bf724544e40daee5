//! What a column holds, when the pipeline does not say.

use std::collections::BTreeSet;

use contract::Date;

use crate::Error;
use crate::pipeline::Kind;
use crate::read::{Raw, is_missing};

/// Most different texts of a column that is guessed to be categorical.
pub(crate) const CATEGORIES_MAX: usize = 200;

/// `numeric` when every value is a number, a date when every value fits one format, `categorical` when
/// there are few different texts.
pub(crate) fn guess(raw: &Raw, column: usize) -> Result<Kind, Error> {
    let place = || format!("{}, column `{}`", raw.place, raw.header[column]);
    let values = || raw.rows.iter().map(|row| row[column].as_str()).filter(|cell| !is_missing(cell));
    if values().next().is_none() {
        return Err(Error::data(place(), "no row has a value; make it `ignore` in the pipeline"));
    }
    if values().all(|cell| number(cell).is_some()) {
        return Ok(Kind::Numeric);
    }
    let formats: Vec<&str> = FORMATS.into_iter().filter(|format| fits(format, values())).collect();
    match formats.as_slice() {
        [] => {}
        [format] => return Date::new(format).map(Kind::Date).map_err(|what| Error::data(place(), what)),
        formats => {
            let name = serde_json::Value::from(raw.header[column].as_str());
            let which = formats.join(" or ");
            let what = format!("dates that may be {which}; say which: `columns: {{{name}: {{date: …}}}}`");
            return Err(Error::data(place(), what));
        }
    }
    let different = values().collect::<BTreeSet<_>>().len();
    if different > CATEGORIES_MAX {
        let what = format!("{different} different texts; make it `ignore` or `categorical` in the pipeline");
        return Err(Error::data(place(), what));
    }
    Ok(Kind::Categorical)
}

/// Formats of dates that are recognised.
const FORMATS: [&str; 9] = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%dT%H:%M:%S.%f%z",
];

fn fits<'a>(format: &str, mut values: impl Iterator<Item = &'a str>) -> bool {
    Date::new(format).is_ok_and(|date| values.all(|cell| date.parse(cell).is_some()))
}

/// A column of texts; `None` is missing.
pub(super) fn texts(raw: &Raw, column: usize) -> Vec<Option<String>> {
    raw.rows.iter().map(|row| (!is_missing(&row[column])).then(|| row[column].clone())).collect()
}

/// A column of dates; NaN is missing.
pub(super) fn dates(raw: &Raw, column: usize, date: &Date) -> Result<Vec<f64>, Error> {
    let one = |(row, cells): (usize, &Vec<String>)| {
        let cell = cells[column].as_str();
        if is_missing(cell) {
            return Ok(f64::NAN);
        }
        date.parse(cell).ok_or_else(|| {
            let format = &date.format;
            let what =
                format!("this is not a date in the format {format}; correct the line, or the format in the pipeline");
            raw.wrong(row, column, what)
        })
    };
    raw.rows.iter().enumerate().map(one).collect()
}

/// A cell as a number: read as f64, as in JSON, so that file and request give the same f32.
pub(crate) fn number(cell: &str) -> Option<f64> {
    // `inf` and `infinity` are texts that Rust reads as numbers; nobody means them in a table.
    cell.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// A column of numbers; NaN is missing.
pub(super) fn numbers(raw: &Raw, column: usize) -> Result<Vec<f32>, Error> {
    let mut numbers = Vec::with_capacity(raw.rows.len());
    for (row, cells) in raw.rows.iter().enumerate() {
        let cell = cells[column].as_str();
        if is_missing(cell) {
            numbers.push(f32::NAN);
            continue;
        }
        let what = "this is not a number; make the column `categorical`, or correct the line";
        let number = number(cell).ok_or_else(|| raw.wrong(row, column, what))? as f32;
        if number.is_infinite() {
            return Err(raw.wrong(row, column, "the number is beyond f32 (3.4e38)"));
        }
        numbers.push(number);
    }
    Ok(numbers)
}
