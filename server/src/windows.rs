//! Windows: merged counters of one version, minute, origin and host.

use contract::{Counters, Origin};
use monitoring::merge;

use crate::error::{Error, Result};
use crate::store::{self, Connection, Reader};

pub use crate::clock::MINUTE_MS;

/// Key of a window.
pub struct Window<'a> {
    /// Registered name.
    pub name: &'a str,
    /// Version.
    pub version: i64,
    /// Start, milliseconds since 1970.
    pub minute: i64,
    /// Where it ran.
    pub origin: Origin,
    /// Name of the runtime.
    pub host: &'a str,
}

/// A window as it is stored.
pub struct Stored {
    /// Version.
    pub version: i64,
    /// Start, milliseconds since 1970.
    pub minute: i64,
    /// Where it ran.
    pub origin: Origin,
    /// Name of the runtime.
    pub host: String,
    /// The counts.
    pub counters: Counters,
}

/// Adds `counters` to a window.
pub async fn add(tx: &mut Connection, window: &Window<'_>, counters: &Counters) -> Result<()> {
    let (origin, minute) = (window.origin.name(), window.minute);
    tx.lock(&format!("window {} {} {minute} {origin} {}", window.name, window.version, window.host)).await?;
    let old: Option<String> = store::query_scalar(
        "SELECT counters FROM windows WHERE name = $1 AND version = $2 AND minute = $3 AND origin = $4 AND host = $5",
    )
    .bind(window.name)
    .bind(window.version)
    .bind(window.minute)
    .bind(window.origin.name())
    .bind(window.host)
    .fetch_optional(&mut *tx)
    .await?;
    let mut sum = old.map(|text| read(&text)).transpose()?.unwrap_or_default();
    merge::merge(&mut sum, counters).map_err(|mismatch| Error::invalid(mismatch.to_string()))?;
    store::query(
        "INSERT INTO windows (name, version, minute, origin, host, predictions, errors, counters)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (name, version, minute, origin, host) DO UPDATE
         SET predictions = excluded.predictions, errors = excluded.errors, counters = excluded.counters",
    )
    .bind(window.name)
    .bind(window.version)
    .bind(window.minute)
    .bind(window.origin.name())
    .bind(window.host)
    .bind(i64::try_from(sum.predictions).unwrap_or(i64::MAX))
    .bind(i64::try_from(sum.errors).unwrap_or(i64::MAX))
    .bind(serde_json::to_string(&sum).map_err(|error| Error::internal(error.to_string()))?)
    .execute(tx)
    .await?;
    Ok(())
}

/// Whether the version is still there.
pub async fn known(tx: &mut Connection, name: &str, version: i64) -> Result<bool> {
    let found: Option<i64> =
        store::query_scalar("SELECT CAST(1 AS BIGINT) FROM model_versions WHERE name = $1 AND version = $2")
            .bind(name)
            .bind(version)
            .fetch_optional(tx)
            .await?;
    Ok(found.is_some())
}

/// The windows of a model from `from_ms` on, by time.
pub async fn since(pool: &Reader, name: &str, from_ms: i64) -> Result<Vec<Stored>> {
    let rows: Vec<(i64, i64, String, String, String)> = store::query_as(
        "SELECT version, minute, origin, host, counters FROM windows WHERE name = $1 AND minute >= $2
         ORDER BY minute, version, origin, host",
    )
    .bind(name)
    .bind(from_ms)
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|(version, minute, origin, host, counters)| {
            Ok(Stored { version, minute, origin: self::origin(&origin)?, host, counters: read(&counters)? })
        })
        .collect()
}

/// The origin of a stored name.
pub fn origin(name: &str) -> Result<Origin> {
    [Origin::Browser, Origin::Edge, Origin::Server]
        .into_iter()
        .find(|origin| origin.name() == name)
        .ok_or_else(|| Error::internal("windows table: unknown origin"))
}

fn read(text: &str) -> Result<Counters> {
    serde_json::from_str(text).map_err(|error| Error::internal(format!("windows table: {error}")))
}
