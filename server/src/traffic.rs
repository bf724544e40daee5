//! What this process itself predicted: counted in memory on the model's edges, taken out by whoever writes it down.

#[cfg(feature = "store")]
pub mod store;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::Counters;
use host_native::Batch;
use monitoring::{count, latency, merge};

use crate::clock::{MINUTE_MS, now_ms};
use crate::serving::Target;

/// Counters by model, version and minute; a clone counts into the same ones.
#[derive(Clone, Default)]
pub struct Traffic(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    counted: HashMap<Key, Counted>,
    totals: BTreeMap<(Arc<str>, Option<i64>), Total>,
}

type Key = (Arc<str>, Option<i64>, i64);

/// What one model version did in one minute.
#[derive(Clone)]
pub struct Counted {
    /// The model.
    pub target: Arc<Target>,
    /// Start of the minute, milliseconds since 1970.
    pub minute: i64,
    /// The counts.
    pub counters: Counters,
}

/// What one model version did since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Rows predicted.
    pub predictions: u64,
    /// Calls refused or failed.
    pub errors: u64,
}

impl Traffic {
    /// Counts rows that were predicted in `elapsed`.
    pub fn count(&self, target: &Arc<Target>, batch: &Batch, outputs: &[Vec<u8>], elapsed: Duration) {
        let rows = batch.rows as u64;
        self.with(target, |counters, total| {
            total.predictions += rows;
            match target.module.seal().and_then(|seal| seal.profile.as_ref()) {
                Some(profile) => host_native::count::count(target.module.manifest(), profile, batch, outputs, counters),
                None => counters.predictions += rows,
            }
            if let Some(ns) = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX).checked_div(rows) {
                latency::record(counters.latency.get_or_insert_with(latency::empty), ns, rows);
            }
        });
    }

    /// Counts a request that was refused or failed.
    pub fn error(&self, target: &Arc<Target>) {
        self.with(target, |counters, total| {
            counters.errors += 1;
            total.errors += 1;
        });
    }

    /// Takes out what was counted since the last call.
    pub fn take(&self) -> Vec<Counted> {
        std::mem::take(&mut self.lock().counted).into_values().collect()
    }

    /// Puts back what could not be written down.
    pub fn put_back(&self, counted: Vec<Counted>) {
        let mut state = self.lock();
        for counted in counted {
            let key = (counted.target.name.clone(), counted.target.version, counted.minute);
            match state.counted.entry(key) {
                Entry::Vacant(entry) => {
                    entry.insert(counted);
                }
                Entry::Occupied(mut entry) => {
                    if let Err(mismatch) = merge::merge(&mut entry.get_mut().counters, &counted.counters) {
                        tracing::error!(%mismatch, "counters of one version on two shapes");
                    }
                }
            }
        }
    }

    /// Sums since the process started, by name and version.
    pub fn totals(&self) -> Vec<(Arc<str>, Option<i64>, Total)> {
        let state = self.lock();
        state.totals.iter().map(|((name, version), total)| (name.clone(), *version, *total)).collect()
    }

    fn with(&self, target: &Arc<Target>, add: impl FnOnce(&mut Counters, &mut Total)) {
        let minute = now_ms() / MINUTE_MS * MINUTE_MS;
        let mut state = self.lock();
        let State { counted, totals } = &mut *state;
        let counted = counted.entry((target.name.clone(), target.version, minute)).or_insert_with(|| {
            let profile = target.module.seal().and_then(|seal| seal.profile.as_ref());
            Counted { target: target.clone(), minute, counters: count::empty(profile) }
        });
        let total = totals.entry((target.name.clone(), target.version)).or_default();
        add(&mut counted.counters, total);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
