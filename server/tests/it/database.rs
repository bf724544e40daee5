//! The databases of the tests: a file each, or a database each on one PostgreSQL of our own.

use std::cell::Cell;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use beira_server::Database;

/// Makes two tests of a story: one on each store.
macro_rules! on_both {
    ($($story:ident)*) => {
        $(mod $story {
            #[tokio::test]
            async fn sqlite() {
                super::$story().await;
            }

            #[tokio::test]
            async fn postgres() {
                crate::database::use_postgres();
                super::$story().await;
            }
        })*
    };
}
pub(crate) use on_both;

thread_local! {
    // A test has a thread of its own.
    static POSTGRES: Cell<bool> = const { Cell::new(false) };
}

/// From now on this test's servers have their store in PostgreSQL.
pub fn use_postgres() {
    POSTGRES.set(true);
}

/// The database of the server whose state is in `folder`.
pub fn of(folder: &Path) -> Database {
    if !POSTGRES.get() {
        return folder.join("beira.db").into();
    }
    let note = folder.join("postgres");
    let address = std::fs::read_to_string(&note).unwrap_or_else(|_| {
        let address = create();
        std::fs::write(&note, &address).unwrap();
        address
    });
    address.parse().unwrap()
}

/// Address of a new, empty database.
pub fn create() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let (server, name) = (server(), format!("test{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    let socket = server.rsplit_once('@').unwrap().1.replace("%2F", "/");
    let made = Command::new("psql")
        .args(["-q", "-h", &socket, "-U", "postgres", "-c", &format!("CREATE DATABASE {name}")])
        .status()
        .unwrap();
    assert!(made.success());
    format!("{server}/{name}")
}

/// The server of this process; tests/postgres.sh ends it when the process does.
fn server() -> &'static str {
    static SERVER: OnceLock<(String, Child)> = OnceLock::new();
    let (address, _) = SERVER.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/postgres.sh");
        let mut child = Command::new("sh").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("postgres://"), "tests/postgres.sh did not start PostgreSQL; it says why");
        (line.trim().to_owned(), child)
    });
    address
}

/// Takes the table of runs away from under a running server.
pub fn break_runs(folder: &Path) {
    let sql = "ALTER TABLE runs RENAME TO runs_hidden";
    let done = match std::fs::read_to_string(folder.join("postgres")) {
        Ok(address) => Command::new("psql").args(["-q", "-c", sql, &address]).status().unwrap().success(),
        Err(_) => {
            let script = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute(sys.argv[2])";
            let file = folder.join("beira.db");
            Command::new("python3").args(["-c", script]).arg(file).arg(sql).status().unwrap().success()
        }
    };
    assert!(done);
}
