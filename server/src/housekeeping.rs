//! What an operator does beside the server: delete for good, back up, restore. On its database and its artifacts,
//! whether it is running or not.

pub mod backup;
pub mod gc;
pub mod restore;

use std::sync::Arc;

use crate::artifacts::Artifacts;
use crate::artifacts::root::Root;
use crate::store::trouble::Trouble;
use crate::store::{Database, Store};

/// Why a chore was not done, in a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failed(pub String);

impl Failed {
    fn because(what: impl std::fmt::Display, error: impl std::fmt::Display) -> Failed {
        Failed(format!("{what}: {error}"))
    }
}

macro_rules! failures {
    ($($error:ty)*) => {
        $(impl From<$error> for Failed {
            fn from(error: $error) -> Failed {
                Failed(error.to_string())
            }
        })*
    };
}

failures! { crate::error::Error crate::error::StartError Trouble std::io::Error serde_json::Error }

/// Where a server keeps what it knows: as `beira serve` is told it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The database.
    pub db: Database,
    /// The artifacts.
    pub artifacts: Root,
    /// The root that experiments were given, if it was another one.
    pub default_artifact_root: Option<String>,
}

impl Kept {
    /// Opens the database and brings its tables up to date.
    pub(crate) async fn store(&self) -> Result<Store, Failed> {
        let store = Store::open(&self.db).await;
        store.map_err(|error| Failed::because(format!("cannot open the database {}", self.db), error))
    }

    /// Opens the artifacts.
    pub(crate) async fn files(&self) -> Result<Artifacts, Failed> {
        Ok(Artifacts::open(&self.artifacts, self.default_artifact_root.as_deref()).await?)
    }
}

/// Told what is being done, now and then.
pub type Progress = Arc<dyn Fn(&str) + Send + Sync>;
