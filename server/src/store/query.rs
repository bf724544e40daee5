//! SQL text with `$1` and its values, said once and run on either database.

use std::fmt::Write;
use std::marker::PhantomData;
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments, AssertSqlSafe, Column as _, Postgres, Row as _, SqlSafeStr, SqlStr};

use super::row::{Columns, FromRow, Row};
use super::trouble::{self, Trouble};
use super::value::Value;
use super::{Connection, Executor, On, Reader, sqlite};
use crate::error::{Error, Result};

/// Attempts of a read whose connection is gone: each takes one dead connection out of the pool.
const ATTEMPTS: u32 = 40;

/// A statement whose rows nobody reads.
pub fn query(text: &'static str) -> Query {
    Query::new(text.into_sql_str(), Vec::new())
}

/// A statement that answers with rows.
pub fn query_as<T: FromRow>(text: &'static str) -> QueryAs<T> {
    query(text).answering()
}

/// A statement that answers with one column.
pub fn query_scalar<T>(text: &'static str) -> QueryScalar<T>
where
    (T,): FromRow,
{
    QueryScalar(query_as(text))
}

/// Text and values.
pub struct Query {
    text: SqlStr,
    values: Vec<Value>,
    /// Its values stand as `?` in the text.
    built: bool,
    lock: Option<Lock>,
}

/// How rows are locked. SQLite's jobs run one by one and need none.
#[derive(Clone, Copy)]
pub enum Lock {
    /// Nobody else locks or changes them.
    Alone,
    /// Nobody changes them.
    Shared,
}

impl Query {
    fn new(text: SqlStr, values: Vec<Value>) -> Query {
        Query { text, values, built: false, lock: None }
    }

    pub(super) fn built(text: SqlStr, values: Vec<Value>) -> Query {
        Query { built: true, ..Query::new(text, values) }
    }

    pub(super) fn answering<T>(self) -> QueryAs<T> {
        QueryAs { query: self, row: PhantomData }
    }

    /// The value of the next `$n`.
    pub fn bind(mut self, value: impl Into<Value>) -> Query {
        self.values.push(value.into());
        self
    }

    /// Number of rows that were written.
    pub async fn execute<'c>(self, on: impl Executor<'c>) -> Result<u64> {
        match on.on() {
            On::Connection(Connection::Sqlite(connection)) => {
                Ok(sqlite::execute(connection, self.text.as_str(), &self.values)?)
            }
            On::Connection(Connection::Postgres(connection)) => {
                let query = sqlx::query_with(self.postgres_text(), self.postgres()?);
                Ok(query.execute(&mut **connection).await?.rows_affected())
            }
            On::Reader(_) => Err(Error::internal("store: a reader was asked to write")),
        }
    }

    /// Shows each row to `look`, where it stands.
    pub async fn each(
        self,
        on: &mut Connection,
        mut look: impl FnMut(&Row) -> Result<(), Trouble> + Send,
    ) -> Result<()> {
        match on {
            Connection::Sqlite(connection) => {
                sqlite::each(connection, self.text.as_str(), &self.values, &[], |row| look(row).map(|()| true))?;
            }
            Connection::Postgres(connection) => {
                let found = self.postgres_rows(&mut **connection, self.postgres()?, usize::MAX).await?;
                for_each(&found, &[], look)?;
            }
        }
        Ok(())
    }

    /// The first `most` rows.
    async fn rows<'c, T: FromRow>(self, on: impl Executor<'c>, most: usize) -> Result<Vec<T>> {
        let found = match on.on() {
            On::Connection(Connection::Sqlite(connection)) => {
                return Ok(sqlite::rows(connection, self.text.as_str(), &self.values, most)?);
            }
            On::Reader(Reader::Sqlite(readers)) => {
                return readers.run(async move |on: &mut Connection| Box::pin(self.rows(on, most)).await).await;
            }
            On::Connection(Connection::Postgres(connection)) => {
                self.postgres_rows(&mut **connection, self.postgres()?, most).await?
            }
            On::Reader(Reader::Postgres(pool)) => {
                let mut attempt = 0;
                loop {
                    match self.postgres_rows(pool, self.postgres()?, most).await {
                        Err(error) if trouble::is_lost(&error) && attempt < ATTEMPTS => attempt += 1,
                        answer => break answer?,
                    }
                    tokio::time::sleep(Duration::from_millis(u64::from(attempt))).await;
                }
            }
        };
        let mut answer = Vec::with_capacity(found.len());
        for_each(&found, T::NAMES, |row| {
            answer.push(T::from_row(row)?);
            Ok(())
        })?;
        Ok(answer)
    }

    /// A text that was put together is not kept prepared: PostgreSQL would plan it for whatever values may come.
    async fn postgres_rows<'c>(
        &self,
        on: impl sqlx::Executor<'c, Database = Postgres>,
        arguments: PgArguments,
        most: usize,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        let query = sqlx::query_with(self.postgres_text(), arguments).persistent(!self.built);
        if most == 1 { Ok(query.fetch_optional(on).await?.into_iter().collect()) } else { query.fetch_all(on).await }
    }

    /// The text with numbered values and locks.
    fn postgres_text(&self) -> SqlStr {
        let lock = match self.lock {
            None if !self.built => return self.text.clone(),
            None => "",
            Some(Lock::Alone) => " FOR NO KEY UPDATE",
            Some(Lock::Shared) => " FOR SHARE",
        };
        let mut text = String::with_capacity(self.text.as_str().len() + 3 * self.values.len());
        let listed = self.text.as_str().replace("IN rarray(", "= ANY(");
        let mut parts = listed.split('?');
        text.extend(parts.next());
        for (i, part) in parts.enumerate() {
            write!(text, "${}{part}", i + 1).ok(); // a String takes everything
        }
        AssertSqlSafe(text + lock).into_sql_str()
    }

    fn postgres(&self) -> Result<PgArguments> {
        let mut arguments = PgArguments::default();
        arguments.reserve(self.values.len(), 8 * self.values.len());
        for value in &self.values {
            match value {
                Value::Integer(value) => arguments.add(value),
                Value::Real(value) => arguments.add(value),
                Value::Text(Some(text)) if text.contains('\0') => {
                    return Err(Error::invalid("Text must not contain the character NUL."));
                }
                Value::Text(value) => arguments.add(value),
                Value::Ids(ids) => arguments.add(ids),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        Ok(arguments)
    }
}

fn for_each(rows: &[PgRow], names: &[&str], mut look: impl FnMut(&Row) -> Result<(), Trouble>) -> Result<(), Trouble> {
    let Some(first) = rows.first() else { return Ok(()) };
    let columns = Columns::of(names, first.len(), |i| first.column(i).name())?;
    rows.iter().try_for_each(|row| look(&Row::postgres(row, &columns)))
}

/// A [`Query`] that answers with rows.
pub struct QueryAs<T> {
    query: Query,
    row: PhantomData<fn() -> T>,
}

impl<T: FromRow> QueryAs<T> {
    /// The value of the next `$n`.
    pub fn bind(mut self, value: impl Into<Value>) -> QueryAs<T> {
        self.query.values.push(value.into());
        self
    }

    /// Locks the rows it finds until the transaction ends.
    pub fn locked(mut self, lock: Lock) -> QueryAs<T> {
        self.query.lock = Some(lock);
        self
    }

    /// All rows.
    pub async fn fetch_all<'c>(self, on: impl Executor<'c>) -> Result<Vec<T>> {
        self.query.rows(on, usize::MAX).await
    }

    /// The row; that there is none is an error of ours.
    pub async fn fetch_one<'c>(self, on: impl Executor<'c>) -> Result<T> {
        self.fetch_optional(on).await?.ok_or_else(|| Error::internal("store: there is no such row"))
    }

    /// The row, if there is one.
    pub async fn fetch_optional<'c>(self, on: impl Executor<'c>) -> Result<Option<T>> {
        Ok(self.query.rows(on, 1).await?.pop())
    }
}

/// A [`Query`] that answers with one column.
pub struct QueryScalar<T>(QueryAs<(T,)>);

impl<T> QueryScalar<T>
where
    (T,): FromRow,
{
    /// The value of the next `$n`.
    pub fn bind(self, value: impl Into<Value>) -> QueryScalar<T> {
        QueryScalar(self.0.bind(value))
    }

    /// The column of all rows.
    pub async fn fetch_all<'c>(self, on: impl Executor<'c>) -> Result<Vec<T>> {
        Ok(self.0.fetch_all(on).await?.into_iter().map(|(value,)| value).collect())
    }

    /// The value; that there is no row is an error of ours.
    pub async fn fetch_one<'c>(self, on: impl Executor<'c>) -> Result<T> {
        Ok(self.0.fetch_one(on).await?.0)
    }

    /// The value, if there is a row.
    pub async fn fetch_optional<'c>(self, on: impl Executor<'c>) -> Result<Option<T>> {
        Ok(self.0.fetch_optional(on).await?.map(|(value,)| value))
    }
}
