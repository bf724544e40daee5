//! Rows together with what they are ordered by, so that the next page can begin behind the last of them.

use sqlx::error::BoxDynError;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Column, FromRow, Row, TypeInfo, ValueRef};

use super::value::Value;

/// Beginning of the names of columns that say where a row stands in the order.
pub const KEY: &str = "page_key_";

/// A row, and the values of its columns `page_key_…` in their order.
pub struct Keyed<T> {
    /// The row.
    pub row: T,
    /// Where it stands.
    pub keys: Vec<Value>,
}

macro_rules! keyed {
    ($($row:ty)*) => {
        $(impl<'r, T: FromRow<'r, $row>> FromRow<'r, $row> for Keyed<T> {
            fn from_row(row: &'r $row) -> Result<Keyed<T>, sqlx::Error> {
                let value = |i: usize| {
                    let value = row.try_get_raw(i)?;
                    if value.is_null() {
                        return Ok(Value::Text(None));
                    }
                    match value.type_info().name() {
                        "INTEGER" | "BIGINT" | "INT8" | "INT4" => row.try_get(i).map(Value::Integer),
                        "REAL" | "FLOAT8" => row.try_get(i).map(Value::Real),
                        "TEXT" => row.try_get(i).map(Value::Text),
                        other => Err(sqlx::Error::ColumnDecode {
                            index: i.to_string(),
                            source: BoxDynError::from(format!("rows are not ordered by {other}")),
                        }),
                    }
                };
                let keys = row.columns().iter().filter(|column| column.name().starts_with(KEY));
                let keys = keys.map(|column| value(column.ordinal())).collect::<Result<_, _>>()?;
                Ok(Keyed { row: T::from_row(row)?, keys })
            }
        })*
    };
}

keyed! { SqliteRow PgRow }
