//! What a database's error means for the request: again, later, or never.

use rusqlite::ErrorCode;
use sqlx::Error;

/// What went wrong in a database.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// In SQLite.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// In PostgreSQL, or on the way to it.
    #[error("{0}")]
    Postgres(#[from] sqlx::Error),
    /// With the file, or the folder it is in.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// With its tables.
    #[error("{0}")]
    Tables(String),
}

impl Trouble {
    /// The database cannot be reached for now; nothing is wrong with the request.
    pub fn is_away(&self) -> bool {
        matches!(self, Trouble::Postgres(Error::PoolTimedOut | Error::PoolClosed)) || self.is_lost()
    }

    /// There is no room for what was to be written.
    pub fn is_full(&self) -> bool {
        match self {
            Trouble::Sqlite(error) => error.sqlite_error_code() == Some(ErrorCode::DiskFull),
            _ => self.is(&["53100"]),
        }
    }

    /// A text holds NUL: PostgreSQL's `character_not_in_repertoire`. SQLite keeps it.
    pub fn is_nul(&self) -> bool {
        self.is(&["22021"])
    }

    /// The connection is gone, or the server on its other end is going or coming.
    pub fn is_lost(&self) -> bool {
        matches!(self, Trouble::Postgres(error) if is_lost(error))
    }

    /// See [`is_collision`].
    pub fn is_collision(&self) -> bool {
        matches!(self, Trouble::Postgres(error) if is_collision(error))
    }

    fn is(&self, codes: &[&str]) -> bool {
        matches!(self, Trouble::Postgres(error) if code(error).is_some_and(|code| codes.contains(&code.as_str())))
    }
}

/// The connection is gone, or the server on its other end is going or coming.
pub fn is_lost(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::WorkerCrashed => true,
        // Connection exceptions; shutdown by the administrator, crash, not yet up; not enough connections.
        Error::Database(_) => code(error).is_some_and(|code| {
            code.len() == 5 && (code.starts_with("08") || ["57P01", "57P02", "57P03", "53300"].contains(&code.as_str()))
        }),
        _ => false,
    }
}

/// The transaction met another one, and may go through when it runs again: serialization failure, deadlock, a
/// row that somebody else inserted meanwhile (the next attempt sees it).
pub fn is_collision(error: &Error) -> bool {
    code(error).is_some_and(|code| ["40001", "40P01", "23505"].contains(&code.as_str()))
}

fn code(error: &Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}
