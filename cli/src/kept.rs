//! Where a server keeps what it knows, as arguments; and how a long chore shows that it goes on.

use std::sync::Arc;

use indicatif::ProgressBar;
use server::housekeeping::{self, Progress};

/// The arguments of `serve` that say where things are.
#[derive(clap::Args)]
pub struct Kept {
    /// The server's database: SQLite file, or postgres://USER:PASSWORD@HOST/DATABASE.
    #[arg(long, default_value = "beira.db", env = "BEIRA_DB", hide_env_values = true)]
    db: server::Database,
    /// The server's artifacts: a folder, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX.
    #[arg(long, default_value = "artifacts", env = "BEIRA_ARTIFACTS", value_name = "DIR|URL")]
    artifacts: server::ArtifactRoot,
}

impl Kept {
    /// For the server's chores.
    pub fn kept(&self, default_artifact_root: Option<String>) -> housekeeping::Kept {
        housekeeping::Kept { db: self.db.clone(), artifacts: self.artifacts.clone(), default_artifact_root }
    }
}

/// A line on the terminal that changes; nothing where there is no terminal.
pub fn progress() -> Progress {
    let line = ProgressBar::new_spinner();
    Arc::new(move |text| {
        line.set_message(text.to_owned());
        line.tick();
    })
}
