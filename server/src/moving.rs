//! Moving in from MLflow, and out to it.
//!
//! A source speaks of things as MLflow's REST API spells them, whatever it is made of; what takes them in writes them
//! down and counts them again. Ids are kept on the way in, so that links and notebooks go on working.

mod files;
mod http;
mod into_mlflow;
mod into_store;
mod mlruns;
mod source;
mod sqlite;

use std::fmt;

use crate::artifacts::root::Root;
use crate::housekeeping::{Failed, Kept, Progress};
use into_store::IntoStore;
use source::Source;

/// What was moved, counted where it arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Moved {
    pub experiments: u64,
    pub runs: u64,
    /// Runs that an earlier attempt had moved whole.
    pub before: u64,
    pub points: u64,
    pub models: u64,
    pub versions: u64,
    pub traces: u64,
    pub files: u64,
    pub bytes: u64,
    /// Places of files that could not be opened from here; they stay where they are.
    pub elsewhere: u64,
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Moved { experiments, runs, points, models, versions, traces, files, bytes, .. } = self;
        write!(
            f,
            "{experiments} experiments, {runs} runs with {points} metric points, {models} logged models, {versions} model \
             versions, {traces} traces, {files} files ({bytes} bytes)"
        )?;
        if self.before > 0 {
            write!(f, "; {} runs were there already", self.before)?;
        }
        if self.elsewhere > 0 {
            write!(
                f,
                "; the files of {} places stay where they are, as they cannot be opened from here",
                self.elsewhere
            )?;
        }
        Ok(())
    }
}

/// Brings in all that is at `from` (an address, `sqlite:///FILE`, or a folder `mlruns`). What is behind
/// `mlflow-artifacts:` is read at `artifacts`, when `from` is no address. It may be run again after an interruption.
pub async fn import(kept: &Kept, from: &str, artifacts: Option<&Root>, progress: &Progress) -> Result<Moved, Failed> {
    let source = Source::open(from, artifacts).await?;
    let mut target = IntoStore::open(kept, progress).await?;
    let moved = target.take(&source).await;
    target.close().await;
    moved
}

/// Takes all that the Beira at `from` has to the MLflow at `to`. It may be run again after an interruption.
pub async fn export(from: &str, to: &str, progress: &Progress) -> Result<Moved, Failed> {
    into_mlflow::export(&Source::open(from, None).await?, to, progress).await
}
