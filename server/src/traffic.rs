//! What this server itself predicted: counted in memory, written to the store every second and at shutdown.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::{Counters, Origin};
use host_native::Batch;
use monitoring::{count, latency, merge};

use crate::clock::now_ms;
use crate::error::Result;
use crate::modules::Target;
use crate::store::Store;
use crate::windows::{self, MINUTE_MS, Window};

/// Name of the runtime in these counters.
const HOST: &str = "wasmtime";

/// Counters by model, version and minute.
#[derive(Clone, Default)]
pub struct Traffic(Arc<Mutex<HashMap<(String, i64, i64), Counters>>>);

impl Traffic {
    /// Counts rows that were predicted in `elapsed`.
    pub fn count(&self, target: &Target, batch: &Batch, outputs: &[Vec<u8>], elapsed: Duration) {
        let profile = target.module.seal().and_then(|seal| seal.profile.as_ref());
        let mut counters = count::empty(profile);
        match profile {
            Some(profile) => {
                host_native::count::count(target.module.manifest(), profile, batch, outputs, &mut counters)
            }
            None => counters.predictions += batch.rows as u64,
        }
        if batch.rows > 0 {
            let mut histogram = latency::empty();
            let ns = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX) / batch.rows as u64;
            latency::record(&mut histogram, ns, batch.rows as u64);
            counters.latency = Some(histogram);
        }
        self.add(target, &counters);
    }

    /// Counts a request that was refused or failed.
    pub fn error(&self, target: &Target) {
        self.add(target, &Counters { errors: 1, ..Counters::default() });
    }

    fn add(&self, target: &Target, counters: &Counters) {
        let minute = now_ms() / MINUTE_MS * MINUTE_MS;
        let mut all = self.lock();
        let into = all.entry((target.name.clone(), target.version, minute)).or_default();
        if let Err(mismatch) = merge::merge(into, counters) {
            tracing::error!(%mismatch, "counters of one version on two shapes");
        }
    }

    /// Writes what was counted; keeps it when the store refuses.
    pub async fn flush(&self, store: &Store) -> Result<()> {
        let counted: Vec<_> = std::mem::take(&mut *self.lock()).into_iter().collect();
        if counted.is_empty() {
            return Ok(());
        }
        let writing = counted.clone();
        let written = store
            .write(move |tx| {
                Box::pin(async move {
                    for ((name, version, minute), counters) in &writing {
                        let window =
                            Window { name, version: *version, minute: *minute, origin: Origin::Server, host: HOST };
                        if windows::known(tx, name, *version).await? {
                            windows::add(tx, &window, counters).await?;
                        }
                    }
                    Ok(())
                })
            })
            .await;
        if written.is_err() {
            let mut all = self.lock();
            for (key, counters) in counted {
                merge::merge(all.entry(key).or_default(), &counters).ok();
            }
        }
        written
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(String, i64, i64), Counters>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Flushes every second, for as long as the process lives.
pub async fn flush_every_second(traffic: Traffic, store: Store) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        if let Err(error) = traffic.flush(&store).await {
            tracing::error!(%error, "counters could not be written; they are kept for the next try");
        }
    }
}
