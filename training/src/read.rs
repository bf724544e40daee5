//! Reading a CSV file: cells as text with the line each row stands on.

use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};

use crate::Error;
use crate::source::Origin;

/// A table before its columns have types.
#[derive(Clone, Debug, Default)]
pub(crate) struct Raw {
    /// File, for errors.
    pub place: String,
    /// Names of the columns.
    pub header: Vec<String>,
    /// Cells, as many in each row as the header has names.
    pub rows: Vec<Vec<String>>,
    /// Line of each row in the file (its number, where there are no lines).
    pub lines: Vec<u64>,
    /// `line` or `row`.
    pub unit: &'static str,
    /// Where the bytes came from.
    pub origin: Origin,
}

impl Raw {
    /// An error about a row.
    pub fn wrong(&self, row: usize, column: usize, what: impl Into<String>) -> Error {
        Error::data(self.at(row, column), what)
    }

    /// File, line and column.
    pub fn at(&self, row: usize, column: usize) -> String {
        format!("{}, {} {}, column `{}`", self.place, self.unit, self.lines[row], self.header[column])
    }
}

/// Texts that stand for a missing value.
pub(crate) fn is_missing(cell: &str) -> bool {
    matches!(cell, "" | "NA" | "N/A" | "n/a" | "NaN" | "nan" | "null" | "NULL" | "None" | "?")
}

/// Reads a CSV file: UTF-8, its first line names the columns, separated by `,`, `;` or tabs.
pub(crate) fn read_csv(path: &Path) -> Result<Raw, Error> {
    let bytes = std::fs::read(path).map_err(|source| {
        let help = "; `source.csv` is relative to the pipeline's folder".to_owned();
        Error::File { action: "read", path: path.to_owned(), source, help }
    })?;
    parse(&bytes, &path.display().to_string())
}

/// Reads the bytes of a CSV file; `place` names it in errors.
pub(crate) fn parse(bytes: &[u8], place: &str) -> Result<Raw, Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator(bytes)).from_reader(bytes);
    let (mut header, mut rows, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    let mut record = ByteRecord::new();
    loop {
        let more = reader.read_byte_record(&mut record).map_err(|error| Error::data(place, error.to_string()))?;
        if !more {
            break;
        }
        let line = record.position().map_or(0, |position| position.line());
        let at = || format!("{place}, line {line}");
        let cells: Vec<String> = record
            .iter()
            .map(|cell| std::str::from_utf8(cell).map(|cell| cell.trim().to_owned()))
            .collect::<Result<_, _>>()
            .map_err(|_| Error::data(at(), "this is not UTF-8; save the file as UTF-8"))?;
        if header.is_empty() {
            header = names(cells, &at())?;
        } else if cells.len() != header.len() {
            let (got, want) = (cells.len(), header.len());
            let what = format!("{got} fields where line 1 names {want} columns; put quotes around a comma in a text");
            return Err(Error::data(at(), what));
        } else {
            rows.push(cells);
            lines.push(line);
        }
    }
    if header.is_empty() {
        return Err(Error::data(place, "the file is empty; its first line should name the columns"));
    }
    if rows.is_empty() {
        return Err(Error::data(place, "there is a header and no row"));
    }
    let origin = Origin::default();
    Ok(Raw { place: place.to_owned(), header, rows, lines, unit: "line", origin })
}

/// The one of `,` `;` and tab that the first line holds most often.
fn separator(bytes: &[u8]) -> u8 {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |separator: u8| first.iter().filter(|byte| **byte == separator).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|separator| count(*separator)).unwrap_or(b',')
}

/// Checks the header: no number (a year may name a column), no blank, no name twice.
fn names(cells: Vec<String>, place: &str) -> Result<Vec<String>, Error> {
    let is_year = |cell: &str| cell.parse::<u32>().is_ok_and(|year| (1000..3000).contains(&year));
    if cells.iter().any(|cell| cell.parse::<f64>().is_ok() && !is_year(cell)) {
        let what = "no header: the line holds a number where a column's name should be; name the columns in line 1";
        return Err(Error::data(place, what));
    }
    for (i, cell) in cells.iter().enumerate() {
        if cell.is_empty() {
            return Err(Error::data(place, format!("column {} has no name", i + 1)));
        }
        if cells[..i].contains(cell) {
            return Err(Error::data(place, format!("two columns have the name `{cell}`")));
        }
    }
    Ok(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(csv: &str, expected: &str) {
        assert_eq!(parse(csv.as_bytes(), "t.csv").unwrap_err().to_string(), expected);
    }

    #[test]
    fn errors_name_file_and_line() {
        let ragged = "1 fields where line 1 names 2 columns; put quotes around a comma in a text";
        check("a,b\n1,2\n3\n", &format!("t.csv, line 3: {ragged}"));
        check("a,b\n\"x\ny\",2\n3\n", &format!("t.csv, line 4: {ragged}"));
        let header = "no header: the line holds a number where a column's name should be; name the columns in line 1";
        check("1.5,2\n3,4\n", &format!("t.csv, line 1: {header}"));
        check("a,\n1,2\n", "t.csv, line 1: column 2 has no name");
        check("a,b,a\n1,2,3\n", "t.csv, line 1: two columns have the name `a`");
        check("", "t.csv: the file is empty; its first line should name the columns");
        check("a,b\n", "t.csv: there is a header and no row");
        let missing = read_csv(Path::new("/nowhere/t.csv")).unwrap_err().to_string();
        assert!(missing.starts_with("cannot read /nowhere/t.csv; "), "{missing}");
    }

    #[test]
    fn separators_quotes_and_a_byte_order_mark() {
        let raw = parse("\u{feff}a;b;2020\n1;\"x;y\";3\r\n".as_bytes(), "t").unwrap();
        assert_eq!(raw.header, ["a", "b", "2020"]);
        assert_eq!(raw.rows, [["1", "x;y", "3"]]);
    }
}
