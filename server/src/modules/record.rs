//! What the store knows of the module of a version.

use contract::api::ModuleInfo;
use contract::{Manifest, Profile};

use crate::error::{Error, Result};
use crate::store::{self, Connection, Reader, Store};
use crate::url::encoded;

/// A ready module.
#[derive(Clone, Debug)]
pub struct Record {
    /// Registered name.
    pub name: String,
    /// Version.
    pub version: i64,
    /// Identity.
    pub sha256: String,
    /// Edges of its profile; empty without one.
    pub edges_sha256: String,
    /// Size.
    pub bytes: u64,
    /// Signature and cost.
    pub manifest: Manifest,
    /// What its training data was like.
    pub profile: Option<Profile>,
}

impl Record {
    /// For the API.
    pub fn info(&self) -> ModuleInfo {
        let name = encoded(&self.name);
        ModuleInfo {
            sha256: self.sha256.clone(),
            edges_sha256: self.edges_sha256.clone(),
            bytes: self.bytes,
            url: format!("/modules/{name}/{}", self.version),
            manifest: self.manifest.clone(),
        }
    }
}

struct Row {
    name: String,
    version: i64,
    state: String,
    error: Option<String>,
    sha256: Option<String>,
    edges_sha256: Option<String>,
    bytes: Option<i64>,
    manifest: Option<String>,
    profile: Option<String>,
}

store::columns! {
    Row { name, version, state, error, sha256, edges_sha256, bytes, manifest, profile }
}

impl Row {
    /// The module, or why there is none: the compiler's words, `None` while it is waiting.
    fn read(self) -> Result<Result<Record, Option<String>>> {
        let damaged = |error: serde_json::Error| Error::internal(format!("modules table: {error}"));
        match (self.state.as_str(), self.sha256, self.manifest) {
            ("ready", Some(sha256), Some(manifest)) => Ok(Ok(Record {
                name: self.name,
                version: self.version,
                sha256,
                edges_sha256: self.edges_sha256.unwrap_or_default(),
                bytes: self.bytes.unwrap_or_default() as u64,
                manifest: serde_json::from_str(&manifest).map_err(damaged)?,
                profile: self.profile.map(|text| serde_json::from_str(&text)).transpose().map_err(damaged)?,
            })),
            ("failed", ..) => Ok(Err(Some(self.error.unwrap_or_default()))),
            _ => Ok(Err(None)),
        }
    }
}

/// The module of a version, if there is one or will be.
pub async fn of_version(pool: &Reader, name: &str, version: i64) -> Result<Option<Result<Record, Option<String>>>> {
    let row: Option<Row> = store::query_as(
        "SELECT name, version, state, error, sha256, edges_sha256, bytes, manifest, profile FROM modules
         WHERE name = $1 AND version = $2",
    )
    .bind(name)
    .bind(version)
    .fetch_optional(pool)
    .await?;
    row.map(Row::read).transpose()
}

/// The modules of all versions of a model.
pub async fn of_model(pool: &Reader, name: &str) -> Result<Vec<(i64, Result<Record, Option<String>>)>> {
    let rows: Vec<Row> = store::query_as(
        "SELECT name, version, state, error, sha256, edges_sha256, bytes, manifest, profile FROM modules WHERE name = $1",
    )
    .bind(name)
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(|row| Ok((row.version, row.read()?))).collect()
}

/// The version that telemetry of module `sha256` (or the first digits of it) belongs to: the champion
/// where several have the very same module, else the newest.
pub async fn by_sha256(pool: &Reader, sha256: &str) -> Result<Option<Record>> {
    let row: Option<Row> = store::query_as(
        "SELECT m.name, m.version, m.state, m.error, m.sha256, m.edges_sha256, m.bytes, m.manifest, m.profile
         FROM modules m JOIN model_versions v ON v.name = m.name AND v.version = m.version
         LEFT JOIN aliases a ON a.name = m.name AND a.version = m.version AND a.alias = 'champion'
         WHERE m.sha256 >= $1 AND m.sha256 < $1 || 'g' AND m.state = 'ready' AND v.deleted = 0
         ORDER BY a.alias IS NULL, v.creation_timestamp DESC, m.version DESC LIMIT 1",
    )
    .bind(sha256)
    .fetch_optional(pool)
    .await?;
    Ok(row.map(Row::read).transpose()?.and_then(|read| read.ok()))
}

/// Sha256 of the module that `compiler` made of this ONNX file before.
pub async fn compiled_before(pool: &Reader, onnx_sha256: &str, compiler: &str) -> Result<Option<String>> {
    store::query_scalar(
        "SELECT sha256 FROM modules
         WHERE onnx_sha256 = $1 AND compiler = $2 AND profile IS NULL AND state = 'ready' LIMIT 1",
    )
    .bind(onnx_sha256)
    .bind(compiler)
    .fetch_optional(pool)
    .await
}

/// Versions registered before `before` whose module is still to be made.
pub async fn waiting(reader: &Reader, before: i64) -> Result<Vec<(String, i64)>> {
    store::query_as(
        "SELECT m.name, m.version FROM modules m JOIN model_versions v ON v.name = m.name AND v.version = m.version
         WHERE m.state = 'waiting' AND v.creation_timestamp < $1 ORDER BY m.name, m.version",
    )
    .bind(before)
    .fetch_all(reader)
    .await
}

/// Records how it went. A version deleted meanwhile stays deleted.
pub async fn finish(store: &Store, name: &str, version: i64, outcome: Result<Record, String>) -> Result<()> {
    let (name, now) = (name.to_owned(), version);
    store.write(move |tx| Box::pin(async move { write(tx, &name, now, outcome).await })).await
}

async fn write(tx: &mut Connection, name: &str, version: i64, outcome: Result<Record, String>) -> Result<()> {
    let json = |error: serde_json::Error| Error::internal(format!("modules table: {error}"));
    match outcome {
        Ok(record) => {
            let profile = record.profile.as_ref().map(serde_json::to_string).transpose().map_err(json)?;
            store::query(
                "UPDATE modules SET state = 'ready', error = NULL, sha256 = $1, edges_sha256 = $2, bytes = $3, manifest = $4,
                     profile = $5, onnx_sha256 = $6, compiler = $7
                 WHERE name = $8 AND version = $9",
            )
            .bind(&record.sha256)
            .bind(&record.edges_sha256)
            .bind(record.bytes as i64)
            .bind(serde_json::to_string(&record.manifest).map_err(json)?)
            .bind(profile)
            .bind(&record.manifest.onnx_sha256)
            .bind(&record.manifest.compiler)
            .bind(name)
            .bind(version)
            .execute(tx)
            .await?;
        }
        Err(error) => {
            store::query("UPDATE modules SET state = 'failed', error = $1 WHERE name = $2 AND version = $3")
                .bind(error)
                .bind(name)
                .bind(version)
                .execute(tx)
                .await?;
        }
    }
    Ok(())
}
