//! Files of a source, wherever its artifact URIs point.

use axum::body::Body;
use serde_json::Value;

use super::http::Http;
use crate::artifacts::Place;
use crate::artifacts::location;
use crate::artifacts::root::{Opened, Root};
use crate::housekeeping::Failed;
use crate::url::encoded;

/// Where files are asked for.
pub enum Files {
    /// Through a server.
    Server(Http),
    /// On this machine or in a bucket; the root of what a server would serve, when it is known.
    Here(Option<Opened>),
}

/// A folder of a source.
pub enum Folder<'a> {
    /// Behind a server, by its path there.
    Behind(&'a Http, String),
    /// Opened here.
    Open(Place),
}

impl Files {
    /// The folder at an artifact URI; `None` when it cannot be opened from here.
    pub async fn folder(&self, uri: &str) -> Option<Folder<'_>> {
        if let Some(rest) = uri.strip_prefix("mlflow-artifacts:") {
            let path = location::after_authority(rest).trim_matches('/');
            return match self {
                Files::Server(http) => Some(Folder::Behind(http, path.to_owned())),
                Files::Here(root) => Some(Folder::Open(Place::root(root.as_ref()?).below(path).ok()?)),
            };
        }
        let root = Root::of_uri(uri)?;
        if matches!(&root, Root::Folder(folder) if !folder.is_dir()) {
            return None;
        }
        Some(Folder::Open(Place::root(&root.open().await.ok()?)))
    }
}

const PROXY: &str = "/api/2.0/mlflow-artifacts/artifacts";

impl Folder<'_> {
    /// Paths and sizes of all files here and below.
    pub async fn list(&self) -> Result<Vec<(String, u64)>, Failed> {
        let mut files = Vec::new();
        match self {
            Folder::Open(place) => {
                for (path, size) in place.sizes().await? {
                    files.push((path, size));
                }
            }
            Folder::Behind(http, root) => {
                let mut folders = vec![String::new()];
                while let Some(folder) = folders.pop() {
                    let path = join(root, &folder);
                    let found = http.get(PROXY, &[("path", &path)]).await?;
                    for entry in found["files"].as_array().into_iter().flatten() {
                        let path = join(&folder, entry["path"].as_str().unwrap_or_default());
                        match entry["is_dir"].as_bool() {
                            Some(true) => folders.push(path),
                            _ => files.push((path, size(&entry["file_size"]))),
                        }
                    }
                }
            }
        }
        Ok(files)
    }

    /// The bytes of a file.
    pub async fn open(&self, path: &str) -> Result<Body, Failed> {
        match self {
            Folder::Open(place) => {
                let found = place.below(path)?.read(None, None).await?;
                Ok(found.ok_or_else(|| Failed(format!("{path} is not there any more")))?.body)
            }
            Folder::Behind(http, root) => {
                let path: Vec<String> = join(root, path).split('/').map(encoded).collect();
                http.fetch(&format!("{PROXY}/{}", path.join("/"))).await
            }
        }
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else if name.is_empty() {
        folder.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// A number, also in quotes.
fn size(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}
