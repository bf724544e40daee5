//! `beira backup`: a copy of database and artifacts, made while the server runs.
//!
//! The database first, as it is at one moment; then the files, so that none is missing of which the database knows.
//! (A file that is deleted in between is missing and told.) The folder holds `backup.json`, the database, `files.jsonl`
//! with the sha256 of each file, and the files.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use contract::hex;
use futures_util::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Failed, Kept, Progress};
use crate::artifacts::Place;
use crate::artifacts::root::Root;
use crate::clock::{now_ms, rfc3339};
use crate::error::{Error, Result as Answer};
use crate::store::{Database, copies};

/// The files' names in a backup.
pub const NOTE: &str = "backup.json";
/// One line for each file.
pub const FILES: &str = "files.jsonl";
/// The folder of the files.
pub const ARTIFACTS: &str = "artifacts";

/// What a backup holds: `backup.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Note {
    /// The version of Beira that made it.
    pub beira: String,
    pub at: String,
    /// The database's file: `beira.db` (SQLite) or `beira.dump` (PostgreSQL's pg_dump).
    pub database: String,
    pub sha256: String,
    pub files: u64,
    pub bytes: u64,
}

/// A line of `files.jsonl`.
#[derive(Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Line {
    pub path: String,
    pub bytes: u64,
    pub sha256: String,
}

/// Writes a backup into a new or empty folder.
pub async fn backup(kept: &Kept, to: &Path, progress: &Progress) -> Result<Note, Failed> {
    fs::create_dir_all(to)?;
    if fs::read_dir(to)?.next().is_some() {
        return Err(Failed(format!("{} is not empty; a backup takes a folder of its own", to.display())));
    }
    let database = match kept.db {
        Database::File(_) => "beira.db",
        Database::Postgres(_) => "beira.dump",
    };
    (progress)("the database");
    copies::copy(&kept.db, &to.join(database)).await?;
    let sha256 = sha256_of(&to.join(database))?;
    let (mut files, mut bytes) = (0, 0);
    let root = kept.artifacts.open().await?;
    let target = Root::Folder(to.join(ARTIFACTS)).open().await?;
    let (from, into) = (Place::root(&root), Place::root(&target));
    let mut lines = std::io::BufWriter::new(fs::File::create(to.join(FILES))?);
    // Parts of uploads that have not ended are nobody's yet.
    for part in ["files", "modules"] {
        let mut found = from.below(part)?.files();
        while let Some(path) = found.try_next().await.map_err(Error::from)? {
            let line = copy(&from, &into, &path, &path).await?;
            let Some(line) = line else {
                (progress)(&format!("{path} was deleted meanwhile"));
                continue;
            };
            files += 1;
            bytes += line.bytes;
            serde_json::to_writer(&mut lines, &line)?;
            lines.write_all(b"\n")?;
            (progress)(&format!("{files} files, {} MB", bytes >> 20));
        }
    }
    lines.into_inner().map_err(|error| Failed(error.to_string()))?.sync_all()?;
    let (beira, at) = (env!("CARGO_PKG_VERSION").to_owned(), rfc3339(now_ms()));
    let note = Note { beira, at, database: database.to_owned(), sha256, files, bytes };
    // Last: a folder without it is no backup.
    let mut file = fs::File::create(to.join(NOTE))?;
    file.write_all(serde_json::to_string_pretty(&note)?.as_bytes())?;
    file.sync_all()?;
    Ok(note)
}

/// Copies one file; `None` when it is not there any more.
pub async fn copy(from: &Place, into: &Place, path: &str, to: &str) -> Answer<Option<Line>> {
    let Ok(Some(found)) = from.at(path)?.read(None, None).await else { return Ok(None) };
    let hash = Arc::new(Mutex::new((Sha256::new(), 0)));
    let seen = hash.clone();
    let bytes = found.body.into_data_stream().inspect_ok(move |bytes| {
        if let Ok(mut hash) = seen.lock() {
            hash.0.update(bytes);
            hash.1 += bytes.len() as u64;
        }
    });
    into.at(to)?.write(Body::from_stream(bytes.boxed()).into_data_stream(), u64::MAX).await?;
    let (hash, bytes) = hash.lock().map(|hash| hash.clone()).unwrap_or_default();
    Ok(Some(Line { path: path.to_owned(), bytes, sha256: hex::encode(&hash.finalize()) }))
}

/// sha256 of a file on this machine.
pub fn sha256_of(file: &Path) -> Result<String, Failed> {
    let mut hash = Sha256::new();
    std::io::copy(&mut fs::File::open(file)?, &mut hash)?;
    Ok(hex::encode(&hash.finalize()))
}
