//! Counters of one instance, and when they leave as a snapshot.

use contract::telemetry::{Counters, SNAPSHOT, Snapshot};
use contract::{Manifest, Profile};
use host_rows::{Batch, count};
use monitoring::latency;

/// Name of the runtime in the counters.
const HOST: &str = "proxy-wasm";

/// What was counted since the instance began.
pub struct Counting {
    instance: String,
    module_sha256: String,
    profile: Option<Profile>,
    counters: Counters,
    sequence: u64,
    /// Rows and errors of the last snapshot.
    told: u64,
    snapshot_rows: u64,
    clock_ns: u64,
    clock_rows: u64,
}

impl Counting {
    /// Nothing counted yet. `instance` is 32 hex digits that no other instance has.
    pub fn new(instance: String, module_sha256: String, profile: Option<Profile>, snapshot_rows: u64) -> Counting {
        let counters = monitoring::count::empty(profile.as_ref());
        let (sequence, told, clock_ns, clock_rows) = (0, 0, 0, 0);
        Counting { instance, module_sha256, profile, counters, sequence, told, snapshot_rows, clock_ns, clock_rows }
    }

    /// A predicted batch that took `ns`, as far as the host's clock can tell.
    pub fn rows(&mut self, manifest: &Manifest, batch: &Batch, outputs: &[Vec<u8>], ns: u64) {
        match &self.profile {
            Some(profile) => count::count(manifest, profile, batch, outputs, &mut self.counters),
            None => self.counters.predictions += batch.rows as u64,
        }
        // A rounded clock stands still for many calls and then jumps: the jump belongs to all of
        // them. One that never moves during a callback gives no latency at all.
        self.clock_ns = self.clock_ns.saturating_add(ns);
        self.clock_rows += batch.rows as u64;
        if self.clock_ns > 0 && self.clock_rows > 0 {
            let histogram = self.counters.latency.get_or_insert_with(latency::empty);
            latency::record(histogram, self.clock_ns / self.clock_rows, self.clock_rows);
            (self.clock_ns, self.clock_rows) = (0, 0);
        }
    }

    /// A request that was refused or failed.
    pub fn error(&mut self) {
        self.counters.errors += 1;
    }

    /// The line of the next snapshot once one is due: after `snapshot_rows`, and in the beginning
    /// when an eighth is untold. There are no timers, so what is untold waits for the next request.
    pub fn due(&mut self, now_ms: u64) -> Option<String> {
        let total = self.total();
        let due = total - self.told >= self.snapshot_rows.min(total / 8 + 1);
        if due { self.last(now_ms) } else { None }
    }

    /// The line of the next snapshot, if there is anything new to tell.
    pub fn last(&mut self, now_ms: u64) -> Option<String> {
        if self.total() == self.told {
            return None;
        }
        self.told = self.total();
        self.sequence += 1;
        let snapshot = Snapshot {
            instance: self.instance.clone(),
            sequence: self.sequence,
            module_sha256: self.module_sha256.clone(),
            edges_sha256: self.profile.as_ref().map(|profile| profile.edges_sha256.clone()).unwrap_or_default(),
            host: HOST.to_owned(),
            time_ms: now_ms,
            counters: self.counters.clone(),
        };
        Some(format!("{SNAPSHOT}{}", serde_json::to_string(&snapshot).ok()?))
    }

    fn total(&self) -> u64 {
        self.counters.predictions + self.counters.errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_are_cumulative_and_come_sooner_in_the_beginning() {
        let mut counting = Counting::new("0".repeat(32), "a".repeat(64), None, 4);
        let mut told = Vec::new();
        for error in 1..=40u64 {
            counting.error();
            if let Some(line) = counting.due(7) {
                let snapshot: Snapshot = serde_json::from_str(line.strip_prefix(SNAPSHOT).unwrap()).unwrap();
                assert_eq!((snapshot.counters.errors, snapshot.sequence), (error, told.len() as u64 + 1));
                assert_eq!(snapshot.counters.latency, None); // not measurable, never 0
                told.push(error);
            }
        }
        assert_eq!(told, [1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 15, 18, 21, 25, 29, 33, 37]);
        assert!(counting.last(7).is_some_and(|line| line.contains("\"errors\":40"))); // what the end leaves untold
        assert_eq!(counting.last(7), None);
    }
}
