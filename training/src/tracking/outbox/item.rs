//! One request as a file, `000007.json`; the bytes of an artifact beside it, `000007.bin`.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;
use crate::tracking::Client;
use crate::tracking::artifacts::Root;
use crate::tracking::registry::{Registered, register};

/// What to ask of the server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Item {
    /// A `POST` of the REST API.
    Post {
        /// Behind `/api/2.0/`.
        path: String,
        /// JSON.
        body: Value,
    },
    /// A file of the run.
    Artifact {
        /// The run's artifact URI.
        root: String,
        /// Below it.
        path: String,
    },
    /// A new version of a registered model.
    Register {
        /// The model.
        name: String,
        /// Folder of the model's files.
        source: String,
    },
}

pub(super) fn file(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:06}.json"))
}

pub(super) fn bytes(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:06}.bin"))
}

pub(super) fn remove(folder: &Path, number: u64) {
    fs::remove_file(file(folder, number)).ok();
    fs::remove_file(bytes(folder, number)).ok();
}

/// Sends it; answers the version when it registers one.
pub(super) fn send(folder: &Path, number: u64, client: &Client, run_id: &str) -> Result<Option<Registered>, Error> {
    let read = |path: PathBuf| {
        fs::read(&path).map_err(|source| Error::File { action: "read", path, source, help: String::new() })
    };
    let path = file(folder, number);
    let item: Item = serde_json::from_slice(&read(path.clone())?)
        .map_err(|error| Error::data(path.display().to_string(), format!("this is no kept request: {error}")))?;
    match item {
        Item::Post { path, body } => client.send(&path, &body).map(|_| None),
        Item::Artifact { root, path } => {
            Root::parse(&root)?.write(client, &path, &read(bytes(folder, number))?).map(|()| None)
        }
        Item::Register { name, source } => register(client, run_id, &name, &source).map(Some),
    }
}
