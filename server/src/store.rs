//! The store: SQLite or PostgreSQL, in one SQL. The only room that names sqlx and the databases.

mod builder;
mod connection;
pub mod copies;
mod database;
mod insert;
mod jobs;
mod migrations;
mod query;
mod row;
mod sqlite;
pub mod trouble;
mod value;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::error::Result;
use sqlite::Readers;
use trouble::Trouble;
use writer::Writer;

pub use builder::QueryBuilder;
pub use connection::{Connection, Executor, On, Reader};
pub use database::Database;
pub use insert::insert;
pub use query::{Lock, query, query_as, query_scalar};
pub(crate) use row::columns;
pub use row::{FromRow, KEY, Keyed, Row};
pub use value::Value;

/// SQLite's readers at once. They do not wait for the writer (WAL).
const READERS: usize = 4;
/// PostgreSQL's connections of one replica.
const CONNECTIONS: u32 = 16;
/// How long a request waits for a connection before it is told that the database is away.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads somebody else's SQLite file, which may be in use.
pub fn reader(file: &Path) -> Result<Reader, Trouble> {
    Ok(Reader::Sqlite(Readers::open(file, 1)?))
}

/// Handle to the store; a clone is the same store.
#[derive(Clone)]
pub struct Store {
    reader: Arc<Reader>,
    /// SQLite's one writer.
    writer: Option<Writer>,
}

/// Makes the file, when there is none, for its owner's eyes alone: it holds keys.
fn private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

impl Store {
    /// Opens the database (a file is made when absent) and brings its tables up to date.
    pub async fn open(database: &Database) -> Result<Store, Trouble> {
        match database {
            Database::File(path) => Store::sqlite(path),
            Database::Postgres(options) => Store::postgres(options).await,
        }
    }

    fn sqlite(path: &Path) -> Result<Store, Trouble> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        private(path)?;
        let mut connection = sqlite::open(path)?;
        migrations::sqlite(&mut connection)?;
        let writer = Writer::start(Connection::Sqlite(connection))?;
        let readers = Readers::open(path, READERS)?;
        Ok(Store { reader: Arc::new(Reader::Sqlite(readers)), writer: Some(writer) })
    }

    async fn postgres(options: &PgConnectOptions) -> Result<Store, Trouble> {
        let options = options.clone().statement_cache_capacity(256).disable_statement_logging();
        let options = options.options([("jit", "off")]); // it compiles longer than our queries run
        let pool = PgPoolOptions::new()
            .min_connections(1)
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .test_before_acquire(false) // a statement on a dead connection is run again on another
            .connect_with(options)
            .await?;
        migrations::postgres().run(&pool).await.map_err(sqlx::Error::from)?;
        Ok(Store { reader: Arc::new(Reader::Postgres(pool)), writer: None })
    }

    /// For queries that only read.
    pub fn read(&self) -> &Reader {
        &self.reader
    }

    /// Whether other processes may write to it too.
    pub fn is_shared(&self) -> bool {
        matches!(*self.reader, Reader::Postgres(_))
    }

    /// Runs `job` in a transaction and returns once that is on the disk. An error undoes what this job did, and
    /// nothing else. SQLite's writer takes several jobs into one transaction; PostgreSQL runs a job again when it met
    /// another one.
    pub async fn write<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T>> + Clone + Send + 'static,
    {
        match (&*self.reader, &self.writer) {
            (Reader::Postgres(pool), _) => jobs::run(pool.clone(), job).await,
            (_, Some(writer)) => writer.run(job).await,
            (_, None) => Err(crate::error::Error::internal("the store has no writer")),
        }
    }

    /// Runs `job`, which only reads, and whose statements see one state of the tables (on PostgreSQL: each its own). One
    /// after another they cost less than each by itself.
    pub async fn view<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T>> + Clone + Send + 'static,
    {
        match &*self.reader {
            Reader::Postgres(pool) => jobs::run(pool.clone(), job).await,
            Reader::Sqlite(readers) => {
                let view = async move |connection: &mut Connection| {
                    query("BEGIN").execute(&mut *connection).await?;
                    let answer = job(&mut *connection).await;
                    query("COMMIT").execute(connection).await?;
                    answer
                };
                readers.run(view).await
            }
        }
    }

    /// Waits for what is queued, and closes the database.
    pub async fn close(&self) {
        if let Some(writer) = &self.writer
            && let Err(error) = writer.run(|_| Box::pin(async { Ok(()) })).await
        {
            tracing::warn!(%error, "the store's writer had ended");
        }
        match &*self.reader {
            Reader::Sqlite(readers) => readers.close(READERS as u32).await,
            Reader::Postgres(pool) => pool.close().await,
        }
        if let Some(writer) = &self.writer {
            writer.close().await;
        }
    }
}
