//! Files of runs, models and modules, in folders of this server (`object_store`).

pub mod location;

use std::path::Path as FilePath;
use std::sync::Arc;

use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart};

use crate::error::{Code, Error, Result, StartError};
use crate::url;

/// Bytes gathered before an upload is written in parts.
const PART: usize = 8 << 20;

/// The server's artifact store.
#[derive(Clone)]
pub struct Artifacts {
    /// What `mlflow-artifacts:/` means.
    files: Arc<dyn ObjectStore>,
    /// Compiled modules by sha256; no client writes here.
    modules: Arc<dyn ObjectStore>,
    /// The operator's own local root, when `--default-artifact-root` names one: clients write there themselves.
    outside: Option<(String, Arc<dyn ObjectStore>)>,
}

/// A place in one of the folders.
pub struct Place {
    store: Arc<dyn ObjectStore>,
    path: Path,
}

/// An entry of a folder.
pub struct Entry {
    /// Last part of the path.
    pub name: String,
    /// Bytes of a file; `None` for a folder.
    pub size: Option<u64>,
}

impl Artifacts {
    /// Opens the folders, made when absent.
    pub fn open(folder: &FilePath, default_root: Option<&str>) -> Result<Artifacts, StartError> {
        let open = |folder: &FilePath| -> Result<Arc<dyn ObjectStore>, StartError> {
            let error = |what: String| StartError::Artifacts { path: folder.display().to_string(), what };
            std::fs::create_dir_all(folder).map_err(|e| error(e.to_string()))?;
            let store = LocalFileSystem::new_with_prefix(folder).map_err(|e| error(e.to_string()))?;
            Ok(Arc::new(store.with_automatic_cleanup(true)))
        };
        let outside = match default_root.and_then(|root| Some((root, location::local_folder(root)?))) {
            Some((root, folder)) => Some((root.trim_end_matches('/').to_owned(), open(&folder)?)),
            None => None,
        };
        Ok(Artifacts { files: open(&folder.join("files"))?, modules: open(&folder.join("modules"))?, outside })
    }

    /// A place under `mlflow-artifacts:/`. `path` is decoded once already; empty is the root.
    pub fn place(&self, path: &str) -> Result<Place> {
        Ok(Place { store: self.files.clone(), path: location::clean(path)? })
    }

    /// The place that an artifact URI names, when it is one of this server's folders.
    pub fn resolve(&self, uri: &str) -> Result<Place> {
        if let Some(rest) = uri.strip_prefix("mlflow-artifacts:") {
            return self.place(location::after_authority(rest));
        }
        if let Some((root, store)) = &self.outside
            && let Some(rest) = uri.strip_prefix(root.as_str())
            && (rest.is_empty() || rest.starts_with('/'))
        {
            return Ok(Place { store: store.clone(), path: location::clean(rest)? });
        }
        Err(Error::invalid("These artifacts lie outside this server; it neither lists nor reads them."))
    }

    /// The place of the module `sha256`.
    pub fn module(&self, sha256: &str) -> Place {
        Place { store: self.modules.clone(), path: Path::from(format!("{sha256}.wasm")) }
    }
}

impl Place {
    /// A place below this one.
    pub fn below(&self, path: &str) -> Result<Place> {
        let mut place = Place { store: self.store.clone(), path: self.path.clone() };
        for part in location::clean(path)?.parts() {
            place.path = place.path.join(part);
        }
        Ok(place)
    }

    /// Last part of the path.
    pub fn name(&self) -> String {
        self.path.filename().map(url::decoded).unwrap_or_default()
    }

    /// Length and bytes of the file, as they are read.
    pub async fn read(&self) -> Result<(u64, Body)> {
        let found = self.store.get(&self.path).await.map_err(missing)?;
        let size = found.meta.size;
        Ok((size, Body::from_stream(found.into_stream())))
    }

    /// The whole file; one longer than `most` is refused.
    pub async fn bytes(&self, most: u64) -> Result<Bytes> {
        let found = self.store.get(&self.path).await.map_err(missing)?;
        if found.meta.size > most {
            return Err(Error::Client(
                Code::TooLarge,
                format!("{} has {} bytes, more than the limit of {most}", self.name(), found.meta.size),
            ));
        }
        Ok(found.bytes().await?)
    }

    /// Writes a small file at once.
    pub async fn put(&self, bytes: Bytes) -> Result<()> {
        self.store.put(&self.path, bytes.into()).await?;
        Ok(())
    }

    /// Writes a body as it comes; a body that breaks off leaves nothing.
    pub async fn write(&self, mut body: BodyDataStream) -> Result<()> {
        if self.path.is_root() {
            return Err(Error::invalid("Invalid path: a file name is missing."));
        }
        let broken = |_| Error::bad_request("The body ended before it was complete.");
        let mut first = Vec::new();
        while let Some(bytes) = body.next().await {
            first.extend_from_slice(&bytes.map_err(broken)?);
            if first.len() >= PART {
                return self.write_parts(first, body).await;
            }
        }
        self.put(first.into()).await
    }

    async fn write_parts(&self, first: Vec<u8>, mut body: BodyDataStream) -> Result<()> {
        let mut upload = WriteMultipart::new_with_chunk_size(self.store.put_multipart(&self.path).await?, PART);
        upload.put(first.into());
        while let Some(bytes) = body.next().await {
            match bytes {
                Ok(bytes) => {
                    upload.wait_for_capacity(2).await?;
                    upload.put(bytes);
                }
                Err(_) => {
                    upload.abort().await.ok();
                    return Err(Error::bad_request("The body ended before it was complete."));
                }
            }
        }
        upload.finish().await?;
        Ok(())
    }

    /// What the folder holds, by name; nothing when there is no such folder.
    pub async fn list(&self) -> Result<Vec<Entry>> {
        let prefix = (!self.path.is_root()).then_some(&self.path);
        let found = self.store.list_with_delimiter(prefix).await?;
        let name = |path: &Path| path.filename().map(url::decoded).unwrap_or_default();
        let mut entries: Vec<Entry> = found
            .common_prefixes
            .iter()
            .map(|path| Entry { name: name(path), size: None })
            .chain(found.objects.iter().map(|object| Entry { name: name(&object.location), size: Some(object.size) }))
            .collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// Deletes the file, or the folder with all in it.
    pub async fn delete(&self) -> Result<()> {
        let inside: Vec<Path> =
            self.store.list(Some(&self.path)).map_ok(|object| object.location).try_collect().await?;
        for path in &inside {
            self.store.delete(path).await?;
        }
        if inside.is_empty() {
            self.store.delete(&self.path).await.map_err(missing)?;
        }
        Ok(())
    }
}

fn missing(error: object_store::Error) -> Error {
    match error {
        object_store::Error::NotFound { .. } => Error::missing("No such artifact."),
        other => other.into(),
    }
}
