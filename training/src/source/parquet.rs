//! A Parquet file as cells of text, so that all that is known of cells holds for it too.

use std::fs::File;
use std::path::Path;

use contract::date::{DAY_MS, iso_date, iso_time};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use crate::Error;
use crate::read::Raw;

/// Reads all rows of a flat table.
pub(super) fn read(path: &Path) -> Result<Raw, Error> {
    let place = path.display().to_string();
    let wrong =
        |error: ParquetError| Error::data(&place, format!("this is not a Parquet file that can be read: {error}"));
    let file = File::open(path).map_err(|source| {
        let help = "; `source.parquet` is relative to the pipeline's folder".to_owned();
        Error::File { action: "read", path: path.to_owned(), source, help }
    })?;
    let reader = SerializedFileReader::new(file).map_err(wrong)?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let header: Vec<String> = schema.root_schema().get_fields().iter().map(|field| field.name().to_owned()).collect();
    let mut raw = Raw { place: place.clone(), header, unit: "row", ..Raw::default() };
    for (row, record) in reader.get_row_iter(None).map_err(wrong)?.enumerate() {
        let record = record.map_err(wrong)?;
        let cells = record.get_column_iter().map(|(name, field)| {
            cell(field).ok_or_else(|| {
                let what = "lists, maps and bytes are no cells; give a flat table";
                Error::data(format!("{place}, row {}, column `{name}`", row + 1), what)
            })
        });
        raw.rows.push(cells.collect::<Result<_, _>>()?);
        raw.lines.push(row as u64 + 1);
    }
    if raw.rows.is_empty() {
        return Err(Error::data(place, "there is no row"));
    }
    Ok(raw)
}

/// The text that a CSV file would hold; empty for null and NaN.
fn cell(field: &Field) -> Option<String> {
    Some(match field {
        Field::Null => String::new(),
        Field::Bool(value) => value.to_string(),
        Field::Byte(value) => value.to_string(),
        Field::Short(value) => value.to_string(),
        Field::Int(value) => value.to_string(),
        Field::Long(value) => value.to_string(),
        Field::UByte(value) => value.to_string(),
        Field::UShort(value) => value.to_string(),
        Field::UInt(value) => value.to_string(),
        Field::ULong(value) => value.to_string(),
        Field::Float(value) if value.is_nan() => String::new(),
        Field::Double(value) if value.is_nan() => String::new(),
        Field::Float(value) => value.to_string(),
        Field::Double(value) => value.to_string(),
        Field::Str(text) => text.trim().to_owned(),
        Field::Date(days) => iso_date(i64::from(*days)),
        Field::TimestampMillis(ms) => iso_time(*ms),
        Field::TimestampMicros(us) => iso_time(us.div_euclid(1000)),
        Field::TimeMillis(ms) => iso_time(i64::from(*ms).rem_euclid(DAY_MS))[11..23].to_owned(),
        Field::Decimal(_) => field.to_string(),
        _ => return None,
    })
}
