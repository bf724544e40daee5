//! Rows of either database, and what is made of them.

use std::ops::Range;

use sqlx::postgres::{PgRow, Postgres};
use sqlx::{Row as _, TypeInfo, ValueRef};

use super::trouble::Trouble;
use super::value::Value;

/// Beginning of the names of columns that say where a row stands in an order.
pub const KEY: &str = "page_key_";

/// A row of an answer.
pub struct Row<'r> {
    stored: Stored<'r>,
    columns: &'r Columns,
}

enum Stored<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r PgRow),
}

/// Where in an answer's rows the columns are that have names, found once for all of them.
pub struct Columns {
    named: Vec<usize>,
    keys: Range<usize>,
}

impl Columns {
    /// `names` among the `count` columns of an answer.
    pub fn of<'n>(names: &[&str], count: usize, name: impl Fn(usize) -> &'n str) -> Result<Columns, Trouble> {
        let place = |wanted: &&str| {
            let place = (0..count).find(|i| name(*i) == *wanted);
            place.ok_or_else(|| Trouble::Tables(format!("an answer lacks its column {wanted}")))
        };
        let keys = (0..count).rev().take_while(|i| name(*i).starts_with(KEY)).count();
        Ok(Columns { named: names.iter().map(place).collect::<Result<_, _>>()?, keys: count - keys..count })
    }
}

/// What a column can be read as.
pub trait Column: rusqlite::types::FromSql + for<'r> sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres> {}

impl<T> Column for T where T: rusqlite::types::FromSql + for<'r> sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres> {}

impl<'r> Row<'r> {
    /// A row of SQLite.
    pub fn sqlite(row: &'r rusqlite::Row<'r>, columns: &'r Columns) -> Row<'r> {
        Row { stored: Stored::Sqlite(row), columns }
    }

    /// A row of PostgreSQL.
    pub fn postgres(row: &'r PgRow, columns: &'r Columns) -> Row<'r> {
        Row { stored: Stored::Postgres(row), columns }
    }

    /// The `i`-th column.
    pub fn get<T: Column>(&self, i: usize) -> Result<T, Trouble> {
        Ok(match self.stored {
            Stored::Sqlite(row) => row.get(i)?,
            Stored::Postgres(row) => row.try_get(i)?,
        })
    }

    /// The text of the `i`-th column, where it stands.
    pub fn text(&self, i: usize) -> Result<&str, Trouble> {
        Ok(match self.stored {
            Stored::Sqlite(row) => row.get_ref(i)?.as_str().map_err(rusqlite::Error::from)?,
            Stored::Postgres(row) => row.try_get(i)?,
        })
    }

    /// The column of the `i`-th of the [`FromRow::NAMES`].
    pub fn named<T: Column>(&self, i: usize) -> Result<T, Trouble> {
        self.get(self.columns.named[i])
    }

    /// The last columns, whose names begin with [`KEY`].
    fn keys(&self) -> Result<Vec<Value>, Trouble> {
        self.columns.keys.clone().map(|i| self.value(i)).collect()
    }

    fn value(&self, i: usize) -> Result<Value, Trouble> {
        use rusqlite::types::ValueRef as Of;
        match self.stored {
            Stored::Sqlite(row) => match row.get_ref(i)? {
                Of::Null => Ok(Value::Text(None)),
                Of::Integer(value) => Ok(value.into()),
                Of::Real(value) => Ok(value.into()),
                Of::Text(_) | Of::Blob(_) => Ok(Value::Text(row.get(i)?)),
            },
            Stored::Postgres(row) => {
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
    /// Names of its columns; none where they are taken in their order.
    const NAMES: &'static [&'static str] = &[];

    /// Reads a row.
    fn from_row(row: &Row) -> Result<Self, Trouble>;
}

/// Makes a struct readable from rows that have columns of its fields' names.
macro_rules! columns {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::store::FromRow for $name {
            const NAMES: &'static [&'static str] = &[$(stringify!($field)),+];

            fn from_row(row: &$crate::store::Row) -> ::std::result::Result<Self, $crate::store::trouble::Trouble> {
                let mut next = 0;
                Ok($name {
                    $($field: {
                        next += 1;
                        row.named(next - 1)?
                    }),+
                })
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
    const NAMES: &'static [&'static str] = T::NAMES;

    fn from_row(row: &Row) -> Result<Keyed<T>, Trouble> {
        Ok(Keyed { row: T::from_row(row)?, keys: row.keys()? })
    }
}
