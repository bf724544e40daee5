//! SQLite: how a file is opened, asked and read by several at once.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{CachedStatement, Connection, InterruptHandle, OpenFlags, vtab};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::row::{Columns, FromRow, Row};
use super::trouble::Trouble;
use super::value::Value;
use crate::error::{Error, Result};
use crate::store;

/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 256;
/// Bytes of a statement's text beyond which it is not kept: somebody wrote a long filter, which hardly comes again.
const LONG: usize = 4000;
/// How long a connection waits for another process that writes.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens the file to write it; there may be none yet.
pub fn open(file: &Path) -> Result<Connection, Trouble> {
    let connection = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    // What a savepoint may need again stays in memory; else it would go to a file, made anew for each transaction.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY",
    )?;
    Ok(connection)
}

/// Opens the file to read it.
pub fn open_to_read(file: &Path) -> Result<Connection, Trouble> {
    connect(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn connect(file: &Path, flags: OpenFlags) -> Result<Connection, Trouble> {
    let connection = Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    vtab::array::load_module(&connection)?;
    // The cache in KiB of each connection; the system keeps the rest of the file.
    connection.execute_batch("PRAGMA case_sensitive_like = ON; PRAGMA cache_size = -8000")?;
    Ok(connection)
}

/// Runs a statement that answers with nothing; how many rows it wrote.
pub fn execute(connection: &Connection, text: &str, values: &[Value]) -> Result<u64, Trouble> {
    let mut lists = Lists::new();
    Ok(prepared(connection, text, values, &mut lists)?.raw_execute()? as u64)
}

/// Runs a statement that answers with rows, of which `most` are read.
pub fn rows<T: FromRow>(connection: &Connection, text: &str, values: &[Value], most: usize) -> Result<Vec<T>, Trouble> {
    let mut answer = Vec::new();
    each(connection, text, values, T::NAMES, |row| {
        answer.push(T::from_row(row)?);
        Ok(answer.len() < most)
    })?;
    Ok(answer)
}

/// Runs a statement that answers with rows, of which `names` are columns, and shows them to `look` until that has seen enough.
pub fn each(
    connection: &Connection,
    text: &str,
    values: &[Value],
    names: &[&str],
    mut look: impl FnMut(&Row) -> Result<bool, Trouble>,
) -> Result<(), Trouble> {
    let mut lists = Lists::new();
    let mut statement = prepared(connection, text, values, &mut lists)?;
    let columns = Columns::of(names, statement.column_count(), |i| statement.column_name(i).unwrap_or_default())?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        if !look(&Row::sqlite(row, &columns))? {
            break;
        }
    }
    drop(rows);
    if text.len() > LONG {
        statement.discard();
    }
    Ok(())
}

/// Lists that are bound. They outlive the statement: rusqlite forgets their memory when SQLite is the last to hold one.
type Lists = Vec<vtab::array::Array>;

fn prepared<'c>(
    connection: &'c Connection,
    text: &str,
    values: &[Value],
    lists: &mut Lists,
) -> Result<CachedStatement<'c>, Trouble> {
    let mut statement = connection.prepare_cached(text)?;
    let names = text.contains('$');
    for i in 1..=statement.parameter_count() {
        // To SQLite `$2` is a name, which gets its number where it stands first; `?` has none.
        let name = if names { statement.parameter_name(i) } else { None };
        let named = name.and_then(|name| name.strip_prefix('$')?.parse::<usize>().ok());
        let value = values.get(named.unwrap_or(i).wrapping_sub(1));
        let value = value.ok_or_else(|| Trouble::Tables(format!("a statement lacks its value {i}")))?;
        match value {
            Value::Integer(value) => statement.raw_bind_parameter(i, value),
            Value::Real(value) => statement.raw_bind_parameter(i, value),
            Value::Text(value) => statement.raw_bind_parameter(i, value),
            Value::Ids(ids) => {
                let list = Rc::new(ids.iter().map(|id| (*id).into()).collect());
                lists.push(Rc::clone(&list));
                statement.raw_bind_parameter(i, list)
            }
        }?;
    }
    Ok(statement)
}

/// Connections that only read. They do not wait for the writer (WAL).
pub struct Readers {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
    turns: Arc<Semaphore>,
}

impl Readers {
    /// Opens one of them, and others when they are needed: at most `most` at once.
    pub fn open(file: &Path, most: usize) -> Result<Readers, Trouble> {
        let idle = Mutex::new(vec![open_to_read(file)?]);
        Ok(Readers { file: file.to_owned(), idle, turns: Arc::new(Semaphore::new(most)) })
    }

    /// Does `work` with one of them, on a thread that may wait. Who gives up waiting ends the statement.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl AsyncFnOnce(&mut store::Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| Error::internal("the store is closed"))?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = idle.map_or_else(|| open_to_read(&self.file), Ok)?;
        let mut patience = Patience(Some(connection.get_interrupt_handle()));
        let runtime = Handle::current();
        let done = tokio::task::spawn_blocking(move || {
            let mut connection = store::Connection::Sqlite(connection);
            let answer = runtime.block_on(work(&mut connection));
            (connection, answer, turn)
        });
        let (connection, answer, _turn) = done.await.map_err(|_| Error::internal("a query of the store panicked"))?;
        patience.0 = None;
        // One whose transaction did not end is of no more use.
        if let store::Connection::Sqlite(connection) = connection
            && connection.is_autocommit()
        {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
        answer
    }

    /// Waits for those that read, and closes all.
    pub async fn close(&self, most: u32) {
        let all = self.turns.acquire_many(most).await;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.turns.close();
        drop(all);
    }
}

/// Ends the statement when nobody waits for it any more.
struct Patience(Option<InterruptHandle>);

impl Drop for Patience {
    fn drop(&mut self) {
        if let Some(handle) = &self.0 {
            handle.interrupt();
        }
    }
}
