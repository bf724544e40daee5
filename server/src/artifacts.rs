//! Files of runs, models and modules, in a folder or a bucket (`object_store`).

pub mod http;
mod links;
pub mod location;
pub mod multipart;
pub mod root;

use std::ops::Range;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::Method;
use futures_util::future::ready;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, WriteMultipart};

use crate::error::{Code, Error, Result, StartError};
use crate::url;
use root::{Opened, Root};

/// Bytes gathered before an upload is written in parts.
const PART: usize = 8 << 20;

/// The server's artifact store.
#[derive(Clone)]
pub struct Artifacts {
    /// What `mlflow-artifacts:/` means.
    files: Opened,
    /// Compiled modules by sha256; no client writes here.
    modules: Opened,
    /// Parts of uploads that have not ended.
    uploads: Opened,
    /// The operator's own root, when `--default-artifact-root` names a folder or a bucket: clients write there themselves.
    outside: Option<(String, Opened)>,
}

/// A place in one of the roots.
#[derive(Clone)]
pub struct Place {
    root: Opened,
    path: Path,
}

/// An entry of a folder.
pub struct Entry {
    /// Last part of the path.
    pub name: String,
    /// Bytes of a file; `None` for a folder.
    pub size: Option<u64>,
}

/// A file on its way out.
pub struct Found {
    /// Bytes of the whole file.
    pub size: u64,
    /// Which of them `body` has.
    pub range: Range<u64>,
    /// Changes when the file does.
    pub tag: Option<String>,
    /// The bytes, as they are read.
    pub body: Body,
}

impl Artifacts {
    /// Opens the roots; folders are made when absent.
    pub async fn open(root: &Root, default_root: Option<&str>) -> Result<Artifacts, StartError> {
        let outside = match default_root.and_then(|uri| Some((uri, Root::of_uri(uri)?))) {
            None => None,
            Some((uri, root)) => match root.open().await {
                Ok(opened) => Some((uri.trim_end_matches('/').to_owned(), opened)),
                Err(error @ StartError::Artifacts { .. }) if matches!(root, Root::Bucket(_)) => {
                    tracing::warn!(%error, "clients may know it; this server will neither list nor read what is there");
                    None
                }
                Err(error) => return Err(error),
            },
        };
        let root = root.open().await?;
        let (files, modules, uploads) = (root.below("files"), root.below("modules"), root.below("uploads"));
        Ok(Artifacts { files, modules, uploads, outside })
    }

    /// Whether addresses can be signed, so that clients may ask the bucket itself.
    pub fn signs(&self) -> bool {
        self.files.signs
    }

    /// A place under `mlflow-artifacts:/`. `path` is decoded once already; empty is the root.
    pub fn place(&self, path: &str) -> Result<Place> {
        Place::root(&self.files).below(path)
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
            return Place::root(store).below(rest);
        }
        Err(Error::invalid("These artifacts lie outside this server; it neither lists nor reads them."))
    }

    /// The place of the module `sha256`.
    pub fn module(&self, sha256: &str) -> Place {
        Place { path: self.modules.prefix.clone().join(format!("{sha256}.wasm")), root: self.modules.clone() }
    }
}

impl Place {
    /// The root itself.
    pub fn root(root: &Opened) -> Place {
        Place { path: root.prefix.clone(), root: root.clone() }
    }

    /// The store, when no link leads away from it.
    async fn store(&self) -> Result<&dyn ObjectStore> {
        links::none_on(&self.root, &self.path).await?;
        Ok(&*self.root.store)
    }

    /// A place below this one.
    pub fn below(&self, path: &str) -> Result<Place> {
        let mut place = self.clone();
        for part in location::clean(path)?.parts() {
            place.path = place.path.join(part);
        }
        Ok(place)
    }

    /// A place below this one, by a path that [`Place::files`] named.
    pub fn at(&self, path: &str) -> Result<Place> {
        let parsed = Path::parse(path).map_err(|_| Error::invalid("Invalid path"))?;
        let mut place = self.clone();
        for part in parsed.parts() {
            place.path = place.path.join(part);
        }
        Ok(place)
    }

    /// Whether this is the whole root.
    pub fn is_root(&self) -> bool {
        self.path == self.root.prefix
    }

    /// Paths of all files here and below, from the root on.
    pub fn files(&self) -> BoxStream<'static, object_store::Result<String>> {
        let root = self.root.prefix.clone();
        let found = self.root.store.list((!self.path.is_root()).then_some(&self.path));
        let path = move |object: ObjectMeta| {
            let parts = object.location.prefix_match(&root).into_iter().flatten();
            parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/")
        };
        found.map_ok(path).boxed()
    }

    /// Paths (from here on, as their names are) and sizes of all files here and below.
    pub async fn sizes(&self) -> Result<Vec<(String, u64)>> {
        let found = self.root.store.list((!self.path.is_root()).then_some(&self.path));
        let entry = |object: ObjectMeta| {
            let parts = object.location.prefix_match(&self.path).into_iter().flatten();
            (parts.map(|part| url::decoded(part.as_ref())).collect::<Vec<_>>().join("/"), object.size)
        };
        Ok(found.map_ok(entry).try_collect().await?)
    }

    /// Number of files here and below.
    pub async fn count(&self) -> Result<u64> {
        Ok(self.files().try_fold(0, |count, _| async move { Ok(count + 1) }).await?)
    }

    /// Last part of the path.
    pub fn name(&self) -> String {
        self.path.filename().map(url::decoded).unwrap_or_default()
    }

    /// The file, or the part of it that `range` asks for; what it asks of an older file is the whole. A range that the
    /// file does not have is `None`.
    pub async fn read(&self, range: Option<GetRange>, of: Option<&str>) -> Result<Option<Found>> {
        let mut options = GetOptions::default();
        if range.is_some() {
            let meta = self.store().await?.head(&self.path).await.map_err(missing)?;
            let tag = meta.e_tag.as_deref().map(|tag| tag.trim_matches('"'));
            let same = of.is_none() || of == tag;
            let range = range.filter(|_| same);
            if range.as_ref().is_some_and(|range| range.as_range(meta.size).is_err()) {
                return Ok(None);
            }
            options.range = range;
        }
        let found = self.store().await?.get_opts(&self.path, options).await.map_err(missing)?;
        let (size, tag, range) = (found.meta.size, found.meta.e_tag.clone(), found.range.clone());
        Ok(Some(Found { size, range, tag, body: Body::from_stream(found.into_stream()) }))
    }

    /// Changes when the file does.
    async fn tag(&self) -> Result<Option<String>> {
        Ok(self.store().await?.head(&self.path).await.map_err(missing)?.e_tag)
    }

    /// Bytes of the file.
    pub async fn size(&self) -> Result<u64> {
        Ok(self.store().await?.head(&self.path).await.map_err(missing)?.size)
    }

    /// An address with which anybody may do `method` for a while; `None` where there is no bucket to sign it.
    pub async fn address(&self, method: Method, good: Duration) -> Result<Option<String>> {
        let Some(remote) = self.root.remote.as_ref().filter(|_| self.root.signs) else { return Ok(None) };
        if self.is_root() {
            return Err(no_name());
        }
        Ok(Some(remote.signed_url(method, &self.path, good).await?.to_string()))
    }

    /// The whole file; one longer than `most` is refused.
    pub async fn bytes(&self, most: u64) -> Result<Bytes> {
        let found = self.store().await?.get(&self.path).await.map_err(missing)?;
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
        self.store().await?.put(&self.path, bytes.into()).await?;
        Ok(())
    }

    /// Writes a body as it comes; one that breaks off, or is longer than `most`, leaves nothing.
    pub async fn write(&self, body: BodyDataStream, most: u64) -> Result<()> {
        if self.is_root() {
            return Err(no_name());
        }
        // What its sender announced.
        if body.size_hint().0 as u64 > most {
            return Err(too_long(most));
        }
        let mut body = limited(body, most).boxed();
        let mut first = Vec::new();
        while let Some(bytes) = body.next().await {
            first.extend_from_slice(&bytes?);
            if first.len() >= PART {
                return self.write_parts(first, body).await;
            }
        }
        self.put(first.into()).await
    }

    async fn write_parts(&self, first: Vec<u8>, mut body: BoxStream<'_, Result<Bytes>>) -> Result<()> {
        let mut upload =
            WriteMultipart::new_with_chunk_size(self.store().await?.put_multipart(&self.path).await?, PART);
        upload.put(first.into());
        while let Some(bytes) = body.next().await {
            match bytes {
                Ok(bytes) => {
                    upload.wait_for_capacity(2).await?;
                    upload.put(bytes);
                }
                Err(error) => {
                    upload.abort().await.ok();
                    return Err(error);
                }
            }
        }
        upload.finish().await?;
        Ok(())
    }

    /// What the folder holds, by name; nothing when there is no such folder.
    pub async fn list(&self) -> Result<Vec<Entry>> {
        let prefix = (!self.path.is_root()).then_some(&self.path);
        let found = self.store().await?.list_with_delimiter(prefix).await?;
        let name = |path: &Path| path.filename().map(url::decoded).unwrap_or_default();
        let mut entries: Vec<Entry> = found
            .common_prefixes
            .iter()
            .map(|path| Entry { name: name(path), size: None })
            .chain(found.objects.iter().map(|object| Entry { name: name(&object.location), size: Some(object.size) }))
            .collect();
        let links = links::among(&self.root, &self.path).await?;
        entries.retain(|entry| !links.contains(&entry.name));
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// Deletes the file, or the folder with all in it; returns the number of files.
    pub async fn delete(&self) -> Result<u64> {
        let store = self.store().await?;
        let prefix = (!self.path.is_root()).then_some(&self.path);
        let root = self.root.clone();
        let straight = store.list(prefix).map_ok(|object| object.location).try_filter(move |path| {
            let (root, path) = (root.clone(), path.clone());
            async move { links::none_on(&root, &path).await.is_ok() }
        });
        let mut gone = store.delete_stream(straight.boxed());
        let mut files = 0;
        while let Some(deleted) = gone.next().await {
            match deleted {
                Ok(_) => files += 1,
                Err(object_store::Error::NotFound { .. }) => {} // somebody else was quicker
                Err(error) => return Err(error.into()),
            }
        }
        if files == 0 {
            store.head(&self.path).await.map_err(missing)?; // buckets do not say that there was nothing
            store.delete(&self.path).await.map_err(missing)?;
            files = 1;
        }
        Ok(files)
    }
}

/// What comes of a body; an error once it is longer than `most`.
fn limited(body: BodyDataStream, most: u64) -> impl Stream<Item = Result<Bytes>> {
    body.scan(0, move |total, bytes| {
        let bytes = bytes.map_err(|_| Error::bad_request("The body ended before it was complete.")).and_then(|bytes| {
            *total += bytes.len() as u64;
            if *total > most { Err(too_long(most)) } else { Ok(bytes) }
        });
        ready(Some(bytes))
    })
}

/// What is refused of an artifact beyond the limit.
pub fn too_long(most: u64) -> Error {
    let text = format!("The artifact is longer than {most} bytes, the limit of this server (--artifact-bytes-max).");
    Error::Client(Code::TooLarge, text)
}

fn no_name() -> Error {
    Error::invalid("Invalid path: a file name is missing.")
}

fn missing(error: object_store::Error) -> Error {
    match error {
        object_store::Error::NotFound { .. } => Error::missing("No such artifact."),
        other => other.into(),
    }
}
