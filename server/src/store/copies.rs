//! Copies of a whole database, made while others write to it: SQLite's `VACUUM INTO`, PostgreSQL's own programs.

use std::path::Path;
use std::process::{Command, Stdio};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::trouble::Trouble;
use super::{Database, sqlite};
use crate::housekeeping::Failed;

/// Copies the database, as it is at one moment, into a file. Its writers do not wait.
pub async fn copy(database: &Database, to: &Path) -> Result<(), Failed> {
    match database {
        Database::File(file) => {
            let name = to.to_str().ok_or_else(|| Failed("the folder's name is not UTF-8".to_owned()))?.to_owned();
            let connection = sqlite::open_to_read(file)
                .map_err(|error| Failed(format!("cannot open the database {}: {error}", file.display())))?;
            let copied = tokio::task::spawn_blocking(move || connection.execute("VACUUM INTO ?", [name]));
            copied.await.map_err(|error| Failed(error.to_string()))?.map_err(Trouble::from)?;
            std::fs::File::open(to)?.sync_all()?;
            Ok(())
        }
        Database::Postgres(options) => {
            let mut command = program("pg_dump", options);
            command.args(["--format=custom", "--no-owner", "--no-privileges", "--file"]).arg(to);
            run(command, "pg_dump").await
        }
    }
}

/// Makes a database of a copy. There must be none yet: what is there is never overwritten.
pub async fn restore(from: &Path, database: &Database) -> Result<(), Failed> {
    match database {
        Database::File(file) => {
            if file.exists() {
                return Err(Failed(format!("{} exists; a backup is restored into a new file", file.display())));
            }
            if let Some(folder) = file.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::copy(from, file)?;
            std::fs::File::open(file)?.sync_all()?;
            let connection = sqlite::open_to_read(file)?;
            let check = move || connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
            let checked = tokio::task::spawn_blocking(check).await.map_err(|error| Failed(error.to_string()))?;
            let checked = checked.map_err(Trouble::from)?;
            if checked == "ok" { Ok(()) } else { Err(Failed(format!("SQLite finds the copy broken: {checked}"))) }
        }
        Database::Postgres(options) => {
            let tables = tables(options).await?;
            if tables > 0 {
                return Err(Failed(format!(
                    "{database} has {tables} tables; a backup is restored into an empty database"
                )));
            }
            let mut command = program("pg_restore", options);
            command.args(["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]);
            command.arg("--dbname").arg(options.get_database().unwrap_or("postgres")).arg(from);
            run(command, "pg_restore").await
        }
    }
}

/// How many tables a database has.
async fn tables(options: &PgConnectOptions) -> Result<i64, Trouble> {
    let mut connection = options.connect().await?;
    let text = "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()";
    let tables = sqlx::query_scalar(text).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(tables)
}

/// One of PostgreSQL's programs. What it must know goes by its environment: arguments can be seen by everybody.
fn program(name: &str, options: &PgConnectOptions) -> Command {
    let mut command = Command::new(name);
    match options.get_socket() {
        Some(socket) => command.env("PGHOST", socket),
        None => command.env("PGHOST", options.get_host()),
    };
    command.env("PGPORT", options.get_port().to_string()).env("PGUSER", options.get_username());
    if let Some(database) = options.get_database() {
        command.env("PGDATABASE", database);
    }
    let url = options.to_url_lossy();
    if let Some(password) = url.password() {
        command.env("PGPASSWORD", crate::url::decoded(password));
    }
    command
}

async fn run(mut command: Command, name: &str) -> Result<(), Failed> {
    let done = tokio::task::spawn_blocking(move || command.stdin(Stdio::null()).output());
    let done = done.await.map_err(|error| Failed(error.to_string()))?.map_err(|error| {
        Failed(format!("PostgreSQL is backed up and restored by its own {name}, which cannot be run: {error}"))
    })?;
    if done.status.success() {
        return Ok(());
    }
    Err(Failed(format!("{name}: {}", String::from_utf8_lossy(&done.stderr).trim())))
}
