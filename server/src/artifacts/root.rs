//! Where artifacts are kept: a folder, or a bucket of S3 or GCS.

use std::fmt;
use std::path::{Path as FilePath, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use futures_util::StreamExt;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{ObjectStore, RetryConfig};

use super::http::Connector;
use super::location;
use crate::error::StartError;

/// What `--artifacts` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// A folder, made when absent.
    Folder(PathBuf),
    /// `s3://bucket/prefix` or `gs://bucket/prefix`. Keys come from the environment, as the vendors' own tools take them.
    Bucket(String),
}

impl FromStr for Root {
    type Err = String;

    fn from_str(text: &str) -> Result<Root, String> {
        match text.split_once("://") {
            None => Ok(Root::Folder(text.into())),
            Some(("s3" | "gs", rest)) if !rest.trim_matches('/').is_empty() && !rest.contains(['?', '#', '@']) => {
                Ok(Root::Bucket(text.trim_end_matches('/').to_owned()))
            }
            Some(_) => Err("artifacts are in a folder, in s3://BUCKET/PREFIX or in gs://BUCKET/PREFIX".to_owned()),
        }
    }
}

impl From<PathBuf> for Root {
    fn from(folder: PathBuf) -> Root {
        Root::Folder(folder)
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Root::Folder(folder) => folder.display().fmt(f),
            Root::Bucket(url) => url.fmt(f),
        }
    }
}

/// What buckets can and folders cannot.
pub trait Remote: MultipartStore + Signer {}

impl<T: MultipartStore + Signer> Remote for T {}

/// An open root, or a part of one.
#[derive(Clone)]
pub struct Opened {
    /// The files.
    pub store: Arc<dyn ObjectStore>,
    /// The same, where it is a bucket.
    pub remote: Option<Arc<dyn Remote>>,
    /// Whether there is a key that signs addresses.
    pub signs: bool,
    /// The folder, where it is one.
    pub folder: Option<PathBuf>,
    /// What stands before all paths.
    pub prefix: Path,
}

impl Opened {
    /// The part below `name`.
    pub fn below(&self, name: &str) -> Opened {
        Opened { prefix: self.prefix.clone().join(name), ..self.clone() }
    }
}

impl Root {
    /// The root of an artifact URI, when its scheme is one that is opened here.
    pub fn of_uri(uri: &str) -> Option<Root> {
        match location::local_folder(uri) {
            Some(folder) => Some(Root::Folder(folder)),
            None => uri.parse().ok().filter(|root| matches!(root, Root::Bucket(_))),
        }
    }

    /// Opens it. Of a bucket one page is listed, so that a wrong name or key is told at once.
    pub async fn open(&self) -> Result<Opened, StartError> {
        let error = |what: String| StartError::Artifacts { path: self.to_string(), what };
        let mut opened = match self {
            Root::Folder(folder) => folder_at(folder).map_err(error)?,
            Root::Bucket(url) => bucket_at(url).map_err(|e| error(e.to_string()))?,
        };
        if let Some(remote) = &opened.remote {
            if let Some(Err(e)) = opened.store.list(Some(&opened.prefix)).next().await {
                return Err(error(e.to_string()));
            }
            let place = opened.prefix.clone().join("x");
            opened.signs = remote.signed_url(Method::GET, &place, Duration::from_secs(60)).await.is_ok();
        }
        Ok(opened)
    }
}

fn folder_at(folder: &FilePath) -> Result<Opened, String> {
    std::fs::create_dir_all(folder).map_err(|e| e.to_string())?;
    let store = LocalFileSystem::new_with_prefix(folder).map_err(|e| e.to_string())?;
    Ok(Opened {
        store: Arc::new(store.with_automatic_cleanup(true)),
        remote: None,
        signs: false,
        folder: Some(folder.to_owned()),
        prefix: Path::default(),
    })
}

fn bucket_at(url: &str) -> object_store::Result<Opened> {
    let retry = RetryConfig { max_retries: 4, retry_timeout: Duration::from_secs(30), ..RetryConfig::default() };
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let prefix = rest.split_once('/').map_or("", |(_, prefix)| prefix);
    let prefix = Path::parse(prefix)?;
    if scheme == "gs" {
        let builder = GoogleCloudStorageBuilder::from_env().with_url(url).with_retry(retry);
        let store = Arc::new(builder.with_http_connector(Connector).build()?);
        return Ok(Opened { store: store.clone(), remote: Some(store), signs: false, folder: None, prefix });
    }
    let mut builder = AmazonS3Builder::from_env().with_url(url).with_retry(retry);
    let endpoint = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint];
    let endpoint = endpoint.iter().find_map(|key| builder.get_config_value(key));
    if endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")) {
        builder = builder.with_allow_http(true); // the operator named it so
    }
    let store = Arc::new(builder.with_http_connector(Connector).build()?);
    Ok(Opened { store: store.clone(), remote: Some(store), signs: false, folder: None, prefix })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_buckets() {
        let check = |text: &str, expected: Result<Root, ()>| {
            assert_eq!(text.parse::<Root>().map_err(drop), expected, "{text}");
        };
        check("artifacts", Ok(Root::Folder("artifacts".into())));
        check("/srv/a b", Ok(Root::Folder("/srv/a b".into())));
        check("s3://bucket/models/", Ok(Root::Bucket("s3://bucket/models".to_owned())));
        check("gs://bucket", Ok(Root::Bucket("gs://bucket".to_owned())));
        for wrong in ["s3://", "gs:///", "ftp://host/x", "s3://key@bucket", "s3://bucket?x=1"] {
            check(wrong, Err(()));
        }
    }
}
