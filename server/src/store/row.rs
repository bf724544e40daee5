//! Rows of either database, and what is made of them.

use sqlx::postgres::{PgRow, Postgres};
use sqlx::{Column as _, Row as _, TypeInfo, ValueRef};

use super::trouble::Trouble;
use super::value::Value;

/// Beginning of the names of columns that say where a row stands in an order.
pub const KEY: &str = "page_key_";

/// A row of an answer.
pub enum Row<'r> {
    /// Of SQLite.
    Sqlite(&'r rusqlite::Row<'r>),
    /// Of PostgreSQL.
    Postgres(&'r PgRow),
}

/// What a column can be read as.
pub trait Column: rusqlite::types::FromSql + for<'r> sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres> {}

impl<T> Column for T where T: rusqlite::types::FromSql + for<'r> sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres> {}

impl Row<'_> {
    /// The `i`-th column.
    pub fn get<T: Column>(&self, i: usize) -> Result<T, Trouble> {
        Ok(match self {
            Row::Sqlite(row) => row.get(i)?,
            Row::Postgres(row) => row.try_get(i)?,
        })
    }

    /// The column of this name.
    pub fn named<T: Column>(&self, name: &str) -> Result<T, Trouble> {
        Ok(match self {
            Row::Sqlite(row) => row.get(name)?,
            Row::Postgres(row) => row.try_get(name)?,
        })
    }

    /// The last columns, whose names begin with [`KEY`].
    fn keys(&self) -> Result<Vec<Value>, Trouble> {
        let (count, is_key): (usize, &dyn Fn(usize) -> bool) = match self {
            Row::Sqlite(row) => {
                (row.as_ref().column_count(), &|i| row.as_ref().column_name(i).is_ok_and(|name| name.starts_with(KEY)))
            }
            Row::Postgres(row) => (row.len(), &|i| row.column(i).name().starts_with(KEY)),
        };
        let keys = (0..count).rev().take_while(|i| is_key(*i)).count();
        (count - keys..count).map(|i| self.value(i)).collect()
    }

    fn value(&self, i: usize) -> Result<Value, Trouble> {
        use rusqlite::types::ValueRef as Stored;
        match self {
            Row::Sqlite(row) => match row.get_ref(i)? {
                Stored::Null => Ok(Value::Text(None)),
                Stored::Integer(value) => Ok(value.into()),
                Stored::Real(value) => Ok(value.into()),
                Stored::Text(_) | Stored::Blob(_) => Ok(Value::Text(row.get(i)?)),
            },
            Row::Postgres(row) => {
                let value = row.try_get_raw(i)?;
                if value.is_null() {
                    return Ok(Value::Text(None));
                }
                Ok(match value.type_info().name() {
                    "INT8" => Value::Integer(row.try_get(i)?),
                    "FLOAT8" => Value::Real(row.try_get(i)?),
                    _ => Value::Text(row.try_get(i)?),
                })
            }
        }
    }
}

/// What a query can answer with: a tuple, or a struct that is named in [`columns!`](crate::store::columns).
pub trait FromRow: Sized + Send + 'static {
    /// Reads a row.
    fn from_row(row: &Row) -> Result<Self, Trouble>;
}

/// Makes a struct readable from rows that have columns of its fields' names.
macro_rules! columns {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::store::FromRow for $name {
            fn from_row(row: &$crate::store::Row) -> ::std::result::Result<Self, $crate::store::trouble::Trouble> {
                Ok($name { $($field: row.named(stringify!($field))?),+ })
            }
        }
    };
}
pub(crate) use columns;

macro_rules! tuples {
    ($($($name:ident $i:literal)+;)+) => {
        $(impl<$($name: Column + Send + 'static),+> FromRow for ($($name,)+) {
            fn from_row(row: &Row) -> Result<Self, Trouble> {
                Ok(($(row.get::<$name>($i)?,)+))
            }
        })+
    };
}

tuples! {
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
    A 0 B 1 C 2 D 3 E 4;
    A 0 B 1 C 2 D 3 E 4 F 5;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11;
}

/// A row together with what it is ordered by, so that the next page can begin behind the last of them.
pub struct Keyed<T> {
    /// The row.
    pub row: T,
    /// Where it stands: the columns `page_key_…`.
    pub keys: Vec<Value>,
}

impl<T: FromRow> FromRow for Keyed<T> {
    fn from_row(row: &Row) -> Result<Keyed<T>, Trouble> {
        Ok(Keyed { row: T::from_row(row)?, keys: row.keys()? })
    }
}
