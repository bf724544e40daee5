//! Uploads in parts, as MLflow's client makes them: begun here, parts sent by whoever has their addresses, ended here.
//!
//! A bucket keeps the parts itself and signs their addresses. In a folder they lie as files of their own until the
//! end; there the id of the upload, which nobody can guess, is what lets a part in.

use std::time::Duration;

use axum::body::BodyDataStream;
use axum::http::Method;
use futures_util::StreamExt;
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::signer::SignedUrlOptions;
use object_store::{ObjectStoreExt, WriteMultipart};
use uuid::Uuid;

use super::{Artifacts, PART, Place};
use crate::clock::now_ms;
use crate::error::{Error, Result};

/// How long the address of a part is good.
pub const PATIENCE: Duration = Duration::from_secs(24 * 3600);
/// Most parts of an upload: S3's limit.
pub const PARTS: i64 = 10_000;
/// The file among the parts that says where they will go.
const TARGET: &str = "target";

/// A part as its sender names it at the end.
pub struct Part {
    /// From 1.
    pub number: i64,
    /// What the answer to it said.
    pub etag: String,
}

/// An upload that has begun.
pub struct Upload {
    /// Its id.
    pub id: String,
    /// Addresses of the parts; `None` when parts come through this server.
    pub addresses: Option<Vec<String>>,
}

impl Artifacts {
    /// Begins an upload to `place`. `None` when the bucket has no key to sign addresses with.
    pub async fn begin(&self, place: &Place, parts: i64) -> Result<Option<Upload>> {
        let Some(remote) = &place.root.remote else {
            let id = Uuid::new_v4().simple().to_string();
            self.uploads(&id)?.below(TARGET)?.put(place.path.to_string().into()).await?;
            return Ok(Some(Upload { id, addresses: None }));
        };
        if !place.root.signs {
            return Ok(None);
        }
        let id = remote.create_multipart(&place.path).await?;
        let mut addresses = Vec::new();
        for number in 1..=parts {
            let query = [("partNumber", number.to_string()), ("uploadId", id.clone())];
            let options = SignedUrlOptions::default().with_query(query);
            let url = remote.signed_url_opts(Method::PUT, &place.path, PATIENCE, &options).await?;
            addresses.push(url.to_string());
        }
        Ok(Some(Upload { id, addresses: Some(addresses) }))
    }

    /// Takes in a part of an upload to a folder, of which the whole may have `most` bytes; returns the part's tag.
    pub async fn part(&self, id: &str, number: i64, body: BodyDataStream, most: u64) -> Result<String> {
        let folder = self.uploads(id)?;
        self.target(&folder).await?;
        if !(1..=PARTS).contains(&number) {
            return Err(Error::invalid(format!("Parts have numbers from 1 to {PARTS}.")));
        }
        let part = folder.below(&number.to_string())?;
        part.write(body, most).await?;
        Ok(part.tag().await?.unwrap_or_default())
    }

    /// Puts the parts together, which may have `most` bytes.
    pub async fn finish(&self, place: &Place, id: &str, mut parts: Vec<Part>, most: u64) -> Result<()> {
        parts.sort_by_key(|part| part.number);
        if parts.is_empty() || parts.iter().zip(1..).any(|(part, number)| part.number != number) {
            return Err(Error::invalid("The parts of an upload have the numbers 1, 2, 3 and so on, each once."));
        }
        if let Some(remote) = &place.root.remote {
            let parts = parts.into_iter().map(|part| PartId { content_id: part.etag }).collect();
            remote.complete_multipart(&place.path, &id.to_owned(), parts).await.map_err(unknown)?;
            return Ok(());
        }
        let folder = self.uploads(id)?;
        if self.target(&folder).await? != place.path {
            return Err(Error::invalid("This upload is one of another file."));
        }
        let sent = folder.sizes().await?;
        if sent.iter().filter(|(name, _)| name != TARGET).map(|(_, size)| size).sum::<u64>() > most {
            folder.delete().await?;
            return Err(super::too_long(most));
        }
        let upload = place.store().await?.put_multipart(&place.path).await?;
        let mut whole = WriteMultipart::new_with_chunk_size(upload, PART);
        for part in &parts {
            let written = append(&mut whole, &folder.below(&part.number.to_string())?, &part.etag).await;
            if let Err(error) = written {
                whole.abort().await.ok(); // its staging file goes when it is dropped
                return Err(error);
            }
        }
        whole.finish().await?;
        folder.delete().await.map(drop)
    }

    /// Forgets an upload and its parts.
    pub async fn abort(&self, place: &Place, id: &str) -> Result<()> {
        if let Some(remote) = &place.root.remote {
            return remote.abort_multipart(&place.path, &id.to_owned()).await.map_err(unknown);
        }
        let folder = self.uploads(id)?;
        self.target(&folder).await?;
        folder.delete().await.map(drop)
    }

    /// Deletes the parts of uploads that began too long ago to end; returns the number of files.
    pub async fn sweep(&self) -> Result<u64> {
        let mut files = 0;
        for upload in Place::root(&self.uploads).list().await? {
            let folder = Place::root(&self.uploads).below(&upload.name)?;
            if self.target(&folder).await.is_err() {
                files += folder.delete().await?;
            }
        }
        Ok(files)
    }

    /// The folder of an upload's parts.
    fn uploads(&self, id: &str) -> Result<Place> {
        if id.len() != 32 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Error::missing("No such upload."));
        }
        Place::root(&self.uploads).below(id)
    }

    /// Where an upload will go, while it is good.
    async fn target(&self, folder: &Place) -> Result<Path> {
        let unknown = |_| Error::missing("No such upload.");
        let note = folder.below(TARGET)?;
        let meta = note.store().await?.head(&note.path).await.map_err(unknown)?;
        if now_ms() - meta.last_modified.timestamp_millis() > PATIENCE.as_millis() as i64 {
            return Err(Error::missing("This upload began too long ago."));
        }
        let text = note.bytes(1 << 16).await?;
        Path::parse(String::from_utf8_lossy(&text)).map_err(|error| Error::internal(error.to_string()))
    }
}

/// The bytes of a part after those of the parts before it.
async fn append(whole: &mut WriteMultipart, part: &Place, etag: &str) -> Result<()> {
    let found = part
        .store()
        .await?
        .get(&part.path)
        .await
        .map_err(|_| Error::invalid(format!("Part {} of the upload was not sent.", part.name())))?;
    let tag = found.meta.e_tag.clone().unwrap_or_default();
    if etag.trim_matches('"') != tag.trim_matches('"') {
        return Err(Error::invalid(format!("Part {} of the upload is not the one that was sent.", part.name())));
    }
    let mut bytes = found.into_stream();
    while let Some(bytes) = bytes.next().await {
        whole.wait_for_capacity(2).await?;
        whole.put(bytes?);
    }
    Ok(())
}

fn unknown(error: object_store::Error) -> Error {
    match error {
        object_store::Error::NotFound { .. } => Error::missing("No such upload."),
        // What the bucket says of wrong parts is the sender's to know, and may name keys.
        other => {
            tracing::warn!(error = %other, "an upload in parts was refused");
            Error::invalid("The bucket does not know this upload, or its parts are not those that were sent.")
        }
    }
}
