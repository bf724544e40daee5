//! Where the store is: a file, or a server by its address.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

use crate::url::decoded;

/// What `--db` says. Neither `Display` nor `Debug` shows user or password.
#[derive(Clone)]
pub enum Database {
    /// An SQLite file.
    File(PathBuf),
    /// A PostgreSQL server.
    Postgres(Box<PgConnectOptions>),
}

impl FromStr for Database {
    type Err = String;

    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, or the name of a file.
    fn from_str(text: &str) -> Result<Database, String> {
        match text.split_once("://") {
            None => Ok(Database::File(text.into())),
            Some(("postgres" | "postgresql", _)) => {
                for (key, file) in files(text) {
                    std::fs::metadata(&file).map_err(|error| format!("{key}: {file}: {error}"))?;
                }
                let options: PgConnectOptions = text.parse().map_err(|_| {
                    "this address is none of PostgreSQL's; it should be postgres://USER:PASSWORD@HOST:PORT/DATABASE"
                })?;
                Ok(Database::Postgres(Box::new(options.application_name("beira"))))
            }
            Some(_) => Err("a database is a file, or postgres://USER:PASSWORD@HOST:PORT/DATABASE".to_owned()),
        }
    }
}

/// The files that an address names: the driver says of a missing one that something is missing.
fn files(address: &str) -> Vec<(&str, String)> {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let named = |key: &str| matches!(key.replace('-', "").as_str(), "sslrootcert" | "sslca" | "sslcert" | "sslkey");
    pairs.filter(|(key, _)| named(key)).map(|(key, value)| (key, decoded(value))).collect()
}

impl From<PathBuf> for Database {
    fn from(path: PathBuf) -> Database {
        Database::File(path)
    }
}

impl From<&Path> for Database {
    fn from(path: &Path) -> Database {
        Database::File(path.to_owned())
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Database::File(path) => path.display().fmt(f),
            Database::Postgres(options) => {
                let host = options.get_socket().map_or(options.get_host().into(), |socket| socket.to_string_lossy());
                write!(f, "postgres://{host}:{}/{}", options.get_port(), options.get_database().unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_addresses_and_no_password_is_shown() {
        let check = |text: &str, expected: &str| {
            let shown = text.parse::<Database>().map_or_else(|error| error, |database| format!("{database:?}"));
            assert_eq!(shown, expected, "{text}");
            assert!(!shown.contains("hunter2"), "{shown}");
        };
        check("beira.db", "beira.db");
        check("postgres://u:hunter2@db.example.org/models", "postgres://db.example.org:5432/models");
        check("postgresql://u:hunter2@127.0.0.1:6000/models", "postgres://127.0.0.1:6000/models");
        check(
            "postgres://u:hunter2@host:port/x",
            "this address is none of PostgreSQL's; it should be postgres://USER:PASSWORD@HOST:PORT/DATABASE",
        );
        check(
            "postgres://u:hunter2@host/x?sslmode=verify-full&sslrootcert=no%20where.pem",
            "sslrootcert: no where.pem: No such file or directory (os error 2)",
        );
        check("mysql://u:hunter2@x/y", "a database is a file, or postgres://USER:PASSWORD@HOST:PORT/DATABASE");
    }
}
