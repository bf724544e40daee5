//! What a database's error means for the request: again, later, or never.

use sqlx::Error;

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

/// The database cannot be reached for now; nothing is wrong with the request.
pub fn is_away(error: &Error) -> bool {
    is_lost(error) || matches!(error, Error::PoolTimedOut | Error::PoolClosed)
}

/// The transaction met another one, and may go through when it runs again: serialization failure, deadlock, a
/// row that somebody else inserted meanwhile (the next attempt sees it).
pub fn is_collision(error: &Error) -> bool {
    code(error).is_some_and(|code| ["40001", "40P01", "23505"].contains(&code.as_str()))
}

/// There is no room for what was to be written: SQLite's SQLITE_FULL, PostgreSQL's `disk_full`.
pub fn is_full(error: &Error) -> bool {
    code(error).is_some_and(|code| code == "13" || code == "53100")
}

/// A text holds NUL: PostgreSQL's `character_not_in_repertoire`. SQLite keeps it.
pub fn is_nul(error: &Error) -> bool {
    code(error).is_some_and(|code| code == "22021")
}

fn code(error: &Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}
