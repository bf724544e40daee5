//! `beira restore`: a backup becomes the database and the artifacts of a server that is still to start.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::backup::{ARTIFACTS, FILES, Line, NOTE, Note, copy, sha256_of};
use super::{Failed, Kept, Progress};
use crate::artifacts::Place;
use crate::artifacts::root::Root;
use crate::store::{self, copies};

/// What was restored, counted in the new database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Restored {
    pub experiments: i64,
    pub runs: i64,
    pub versions: i64,
    pub files: u64,
}

/// Restores a backup. The database must be a new one; every byte is compared with the backup's sums.
pub async fn restore(from: &Path, kept: &Kept, progress: &Progress) -> Result<Restored, Failed> {
    let note = fs::read(from.join(NOTE))
        .map_err(|error| Failed::because(format!("{} is no whole backup ({NOTE})", from.display()), error))?;
    let note: Note = serde_json::from_slice(&note)?;
    (progress)("the database");
    let database = from.join(&note.database);
    if sha256_of(&database)? != note.sha256 {
        return Err(Failed(format!("{} is not as it was backed up (sha256)", database.display())));
    }
    copies::restore(&database, &kept.db).await?;
    let source = Root::Folder(from.join(ARTIFACTS)).open().await?;
    let target = kept.artifacts.open().await?;
    let (source, target) = (Place::root(&source), Place::root(&target));
    let mut files = 0;
    for line in BufReader::new(fs::File::open(from.join(FILES))?).lines() {
        let line: Line = serde_json::from_str(&line?)?;
        let copied = copy(&source, &target, &line.path, &line.path).await?;
        if copied.is_none_or(|copied| copied.sha256 != line.sha256) {
            return Err(Failed(format!("{} is not as it was backed up (sha256)", line.path)));
        }
        files += 1;
        (progress)(&format!("{files} of {} files", note.files));
    }
    if files != note.files {
        return Err(Failed(format!("{FILES} names {files} files, and {NOTE} says {}", note.files)));
    }
    let store = kept.store().await?; // brings an older backup's tables up to date
    let count = async |text: &'static str| store::query_scalar::<i64>(text).fetch_one(store.read()).await;
    let restored = Restored {
        experiments: count("SELECT count(*) FROM experiments").await?,
        runs: count("SELECT count(*) FROM runs").await?,
        versions: count("SELECT count(*) FROM model_versions WHERE deleted = 0").await?,
        files,
    };
    store.close().await;
    Ok(restored)
}
