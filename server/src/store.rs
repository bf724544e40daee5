//! The store: SQLite now, in SQL that PostgreSQL understands too. The only rooms that name sqlx are this and its queries' callers.

mod writer;

use std::path::Path;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection};

use crate::error::{Error, Result};
use writer::Writer;

/// Readers at once. SQLite's readers do not wait for its writer (WAL).
const READERS: u32 = 4;

/// Handle to the store; a clone is the same store.
#[derive(Clone)]
pub struct Store {
    readers: SqlitePool,
    writer: Writer,
}

impl Store {
    /// Opens the file (made when absent) and brings its tables up to date.
    pub async fn open(path: &Path) -> std::result::Result<Store, sqlx::Error> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(sqlx::Error::Io)?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10))
            .foreign_keys(true)
            .statement_cache_capacity(256)
            .pragma("case_sensitive_like", "ON")
            .pragma("cache_size", "-32000")
            .disable_statement_logging();
        let mut connection = options.connect().await?;
        sqlx::migrate!("./migrations").run(&mut connection).await?;
        let readers = SqlitePoolOptions::new()
            .min_connections(1)
            .max_connections(READERS)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await?;
        Ok(Store { readers, writer: Writer::start(connection) })
    }

    /// For queries that only read.
    pub fn read(&self) -> &SqlitePool {
        &self.readers
    }

    /// Runs `job` in the writer's next transaction and returns once that is on the disk. An error
    /// undoes what this job did, and nothing else.
    pub async fn write<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        self.writer.run(job).await
    }

    /// Waits for what is queued, and closes the file.
    pub async fn close(&self) {
        let drained = self.write(|_| Box::pin(async { Ok(()) })).await;
        if let Err(Error::Internal(error)) = drained {
            tracing::warn!(%error, "the store's writer had ended");
        }
        self.readers.close().await;
        self.writer.close().await;
    }
}
