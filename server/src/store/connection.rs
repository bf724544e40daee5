//! What statements run on: the transaction of a job, or the readers.

use sqlx::postgres::PgPool;
use sqlx::{Postgres, Transaction};

use super::query::query;
use super::sqlite::Readers;
use crate::error::Result;

/// The open transaction of a job.
pub enum Connection {
    /// The one connection that writes.
    Sqlite(rusqlite::Connection),
    /// One of many.
    Postgres(Transaction<'static, Postgres>),
}

impl Connection {
    /// Keeps other jobs that name the same thing out until this one is done. SQLite's run one by one anyway.
    pub async fn lock(&mut self, thing: &str) -> Result<()> {
        if let Connection::Postgres(_) = self {
            query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))").bind(thing).execute(self).await?;
        }
        Ok(())
    }

    /// Lets the next new experiment have an id beyond all that were given by hand. SQLite does so by itself.
    pub async fn count_on_experiments(&mut self) -> Result<()> {
        if let Connection::Postgres(_) = self {
            let text =
                "SELECT setval(pg_get_serial_sequence('experiments', 'experiment_id'), greatest(max(experiment_id), 1))
                        FROM experiments";
            query(text).execute(self).await?;
        }
        Ok(())
    }
}

/// Connections that only read.
pub enum Reader {
    /// They do not wait for the writer (WAL).
    Sqlite(Readers),
    /// The same pool that writes.
    Postgres(PgPool),
}

/// Where a statement runs.
pub enum On<'c> {
    /// In a job's transaction.
    Connection(&'c mut Connection),
    /// By itself.
    Reader(&'c Reader),
}

/// What a statement can be run on.
pub trait Executor<'c>: Send {
    /// Where that is.
    fn on(self) -> On<'c>;
}

impl<'c> Executor<'c> for &'c mut Connection {
    fn on(self) -> On<'c> {
        On::Connection(self)
    }
}

impl<'c> Executor<'c> for &'c Reader {
    fn on(self) -> On<'c> {
        On::Reader(self)
    }
}
