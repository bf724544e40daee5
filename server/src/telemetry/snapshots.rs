//! Cumulative counters, merged exactly once: what a snapshot counts beyond the newest one known of
//! its instance is added. Lost lines, duplicates and any order end in the same sums.

use std::collections::BTreeSet;

use contract::{Counters, Origin, Snapshot};
use monitoring::merge;

use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::modules::Record;
use crate::store::{self, Connection, Store};
use crate::windows::{self, MINUTE_MS, Window};

/// An instance that has said nothing for so long is gone, and its lines are too: Pub/Sub keeps a
/// message for at most 31 days.
pub const KEPT_MS: i64 = 35 * 24 * 60 * MINUTE_MS;
/// A snapshot from further ahead shows a wrong clock: it is put at the server's minute.
const AHEAD_MS: i64 = 10 * MINUTE_MS;

/// What was new.
#[derive(Default)]
pub struct Counted {
    /// Snapshots that were newer than what was known.
    pub snapshots: u64,
    /// Rows they add.
    pub predictions: u64,
    /// Why others were not taken.
    pub refused: BTreeSet<String>,
}

/// Takes snapshots whose shape has been checked, all in one transaction.
pub async fn write(store: &Store, snapshots: Vec<(Record, Snapshot)>) -> Result<Counted> {
    if snapshots.is_empty() {
        return Ok(Counted::default());
    }
    let now = now_ms();
    store
        .write(move |tx| {
            Box::pin(async move {
                let mut counted = Counted::default();
                for (record, snapshot) in &snapshots {
                    match one(tx, record, snapshot, now).await? {
                        Ok(None) => {}
                        Ok(Some(predictions)) => {
                            counted.snapshots += 1;
                            counted.predictions += predictions;
                        }
                        Err(reason) => drop(counted.refused.insert(reason)),
                    }
                }
                Ok(counted)
            })
        })
        .await
}

/// Rows that are new; `None` when the snapshot is not newer than what is known.
async fn one(
    tx: &mut Connection,
    record: &Record,
    snapshot: &Snapshot,
    now: i64,
) -> Result<Result<Option<u64>, String>> {
    let json = |error: serde_json::Error| Error::internal(format!("snapshots table: {error}"));
    let instance = snapshot.instance.to_ascii_lowercase();
    let sequence = i64::try_from(snapshot.sequence).unwrap_or(i64::MAX);
    tx.lock(&format!("snapshot {instance} {}", record.sha256)).await?;
    let known: Option<(i64, String)> =
        store::query_as("SELECT sequence, counters FROM snapshots WHERE instance = $1 AND module_sha256 = $2")
            .bind(&instance)
            .bind(&record.sha256)
            .fetch_optional(&mut *tx)
            .await?;
    let earlier: Counters = match known {
        Some((known, _)) if known >= sequence => return Ok(Ok(None)),
        Some((_, counters)) => serde_json::from_str(&counters).map_err(json)?,
        None => Counters::default(),
    };
    let new = match merge::since(&snapshot.counters, &earlier) {
        Ok(new) => new,
        Err(mismatch) => return Ok(Err(mismatch.to_string())),
    };
    store::query(
        "INSERT INTO snapshots (instance, module_sha256, sequence, counters, at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (instance, module_sha256) DO UPDATE
         SET sequence = excluded.sequence, counters = excluded.counters, at = excluded.at",
    )
    .bind(&instance)
    .bind(&record.sha256)
    .bind(sequence)
    .bind(serde_json::to_string(&snapshot.counters).map_err(json)?)
    .bind(now)
    .execute(&mut *tx)
    .await?;
    let time = i64::try_from(snapshot.time_ms).unwrap_or(i64::MAX);
    let time = if (now - KEPT_MS..=now + AHEAD_MS).contains(&time) { time } else { now };
    let window = Window {
        name: &record.name,
        version: record.version,
        minute: time / MINUTE_MS * MINUTE_MS,
        origin: Origin::Edge,
        host: &snapshot.host,
    };
    windows::add(tx, &window, &new).await?;
    Ok(Ok(Some(new.predictions)))
}
