//! What a host tells the server: counts on fixed edges, never an input value.

use serde::{Deserialize, Serialize};

/// `POST /telemetry/counters`: what one host counted since its last flush.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flush {
    /// Idempotency key, 32 hex digits, fresh for every flush; a replay is counted once.
    pub id: String,
    /// Write-only ingest key; in the body because `sendBeacon` sets no headers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingest_key: Option<String>,
    /// Identity of the module that predicted.
    pub module_sha256: String,
    /// Edges that the counts are on; empty for a module without a profile.
    #[serde(default)]
    pub edges_sha256: String,
    /// Where the prediction ran.
    pub origin: Origin,
    /// Name of the runtime: `chromium`, `workerd`, `node`, `wasmtime`.
    pub host: String,
    /// Start of the window, milliseconds since 1970 (UTC).
    pub window_start_ms: u64,
    /// Smoke tests, golden rows and gate runs: accepted, never counted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub probe: bool,
    /// The counts.
    pub counters: Counters,
}

/// What a [`Snapshot`]'s line of a log begins with, wherever in the line it stands.
pub const SNAPSHOT: &str = "beira-snapshot ";

/// What one instance counted since it began, for hosts whose only way out is a log
/// ([`SNAPSHOT`], then this as JSON). Cumulative: a later one replaces an earlier one, so lines may
/// be lost, come twice or in any order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The instance, 32 hex digits, fresh for each start.
    pub instance: String,
    /// 1 for its first snapshot, then ascending.
    pub sequence: u64,
    /// Identity of the module that predicted.
    pub module_sha256: String,
    /// Edges that the counts are on; empty for a module without a profile.
    #[serde(default)]
    pub edges_sha256: String,
    /// Name of the runtime: `proxy-wasm`. Its origin is the edge.
    pub host: String,
    /// When it was written, milliseconds since 1970 (UTC).
    pub time_ms: u64,
    /// The counts since the instance began.
    pub counters: Counters,
}

/// Answer to `POST /telemetry/logs`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogsAnswer {
    /// Snapshots found in the lines.
    pub snapshots: u64,
    /// Of those, the ones that told something new.
    pub counted: u64,
    /// Rows predicted that were not known before.
    pub predictions: u64,
    /// Why snapshots were refused, each reason once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
}

/// Where a prediction ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A page. These counters can be forged: labelled, capped, never able to promote or roll back.
    Browser,
    /// A worker or proxy at the edge.
    Edge,
    /// The server itself.
    Server,
}

impl Origin {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Origin::Browser => "browser",
            Origin::Edge => "edge",
            Origin::Server => "server",
        }
    }
}

/// Sums that merge exactly, in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Rows predicted.
    pub predictions: u64,
    /// Calls that ended in an error (refused input or a failed run).
    #[serde(default)]
    pub errors: u64,
    /// One entry for each feature of the profile, in its order; empty without a profile.
    #[serde(default)]
    pub features: Vec<FeatureCounts>,
    /// Rows in each bin of the score; empty without a profile.
    #[serde(default)]
    pub score: Vec<u64>,
    /// Time for one row; absent where the host's clock stands still ("not measurable", never 0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<LatencyHistogram>,
}

/// Counts of one feature.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureCounts {
    /// Rows in each bin of the profile.
    pub counts: Vec<u64>,
    /// Rows without a value (`null`, NaN).
    #[serde(default)]
    pub missing: u64,
    /// Rows with a category that the training data did not hold.
    #[serde(default)]
    pub unseen: u64,
}

/// Base-2 exponential histogram of durations in nanoseconds, as in OpenTelemetry's data model
/// ("ExponentialHistogram"): with `base = 2^(2^-scale)`, bucket `i` counts `base^i < v <= base^(i+1)`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyHistogram {
    /// Resolution; always 3 (4.4 % wide either way) so that a merge needs no down-scaling.
    pub scale: i32,
    /// Durations of 0.
    #[serde(default)]
    pub zero: u64,
    /// Index of the first bucket in `counts`.
    pub offset: i32,
    /// Counts from bucket `offset` on, without leading or trailing zeros.
    pub counts: Vec<u64>,
    /// Sum of all durations in nanoseconds (an integer, so that it merges exactly).
    pub sum_ns: u64,
}

/// Answer to a flush.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlushAnswer {
    /// False when this idempotency key had been counted before, or the flush was a probe.
    pub counted: bool,
    /// Name and version of the model that the server knows the module by.
    pub model: String,
    /// Its version.
    pub version: String,
}
