//! Columns to the bytes of a Parquet file.

use std::sync::Arc;

use contract::date::Unit;
use parquet::basic::{Compression, ConvertedType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use crate::Error;

/// Values of one column; missing ones become null.
pub(super) enum Cells {
    /// NaN is missing.
    Floats(Vec<f32>),
    /// UTF-8.
    Texts(Vec<Option<String>>),
    /// NaN is missing.
    Dates(Unit, Vec<f64>),
}

/// Columns of equal length.
#[derive(Default)]
pub(super) struct Table(Vec<(String, Cells)>);

impl Table {
    /// Adds a column.
    pub fn push(&mut self, name: &str, cells: Cells) {
        self.0.push((name.to_owned(), cells));
    }

    /// One row group, Snappy; the same columns give the same bytes.
    pub fn to_parquet(&self) -> std::result::Result<Vec<u8>, Error> {
        self.write().map_err(|error| Error::data("Parquet", error.to_string()))
    }

    fn write(&self) -> Result<Vec<u8>> {
        let fields = self.0.iter().map(|(name, cells)| {
            let (physical, converted) = match cells {
                Cells::Floats(_) => (Physical::FLOAT, ConvertedType::NONE),
                Cells::Texts(_) => (Physical::BYTE_ARRAY, ConvertedType::UTF8),
                Cells::Dates(Unit::Days, _) => (Physical::INT32, ConvertedType::DATE),
                Cells::Dates(Unit::Milliseconds, _) => (Physical::INT64, ConvertedType::TIMESTAMP_MILLIS),
            };
            let column = Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
            column.with_converted_type(converted).build().map(Arc::new)
        });
        let fields = fields.collect::<Result<Vec<_>>>()?;
        let schema = Arc::new(Type::group_type_builder("table").with_fields(fields).build()?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("beira ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
        let mut group = file.next_row_group()?;
        for (_, cells) in &self.0 {
            let missing = || ParquetError::General("a column is missing".to_owned());
            let mut column = group.next_column()?.ok_or_else(missing)?;
            match (column.untyped(), cells) {
                (ColumnWriter::FloatColumnWriter(writer), Cells::Floats(values)) => {
                    let (values, levels) = split(values.iter().map(|value| (!value.is_nan()).then_some(*value)));
                    writer.write_batch(&values, Some(&levels), None)?;
                }
                (ColumnWriter::ByteArrayColumnWriter(writer), Cells::Texts(texts)) => {
                    let (values, levels) =
                        split(texts.iter().map(|text| text.as_ref().map(|text| ByteArray::from(text.as_str()))));
                    writer.write_batch(&values, Some(&levels), None)?;
                }
                (ColumnWriter::Int32ColumnWriter(writer), Cells::Dates(_, days)) => {
                    let (values, levels) = split(days.iter().map(|day| (!day.is_nan()).then_some(*day as i32)));
                    writer.write_batch(&values, Some(&levels), None)?;
                }
                (ColumnWriter::Int64ColumnWriter(writer), Cells::Dates(_, times)) => {
                    let (values, levels) = split(times.iter().map(|ms| (!ms.is_nan()).then_some(*ms as i64)));
                    writer.write_batch(&values, Some(&levels), None)?;
                }
                _ => return Err(missing()),
            }
            column.close()?;
        }
        group.close()?;
        file.into_inner()
    }
}

/// Values that are there, and for each row whether one is (definition levels).
fn split<T>(cells: impl Iterator<Item = Option<T>>) -> (Vec<T>, Vec<i16>) {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for cell in cells {
        levels.push(i16::from(cell.is_some()));
        values.extend(cell);
    }
    (values, levels)
}
