//! Beira's own endpoints, beside MLflow's: what the dashboard and the hosts ask the server.

use serde::{Deserialize, Serialize};

use crate::mlflow::{ModelVersion, RunInfo};
use crate::profile::Bins;
use crate::watch::{Alarm, Performance, RealisedDay};
use crate::{Manifest, Origin};

/// `GET /api/beira/caller`: who asks. Both are absent where the server has no accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// What whoever made the token called it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it may do: `viewer`, `logger`, `ingest`, `deployer` or `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// `GET /api/beira/overview`: the first page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// Server version.
    pub version: String,
    /// Active experiments.
    pub experiments: u64,
    /// Active runs.
    pub runs: u64,
    /// Runs in state `RUNNING`.
    pub running: u64,
    /// Newest runs, at most 10.
    pub recent_runs: Vec<RunCard>,
    /// All registered models.
    pub models: Vec<ModelCard>,
}

/// A run in a short list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct RunCard {
    pub info: RunInfo,
    pub experiment_name: String,
}

/// A registered model in a short list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Registered name.
    pub name: String,
    /// Newest version.
    pub latest_version: Option<String>,
    /// Version that the alias `champion` points to.
    pub champion: Option<String>,
    /// Predictions of the last 24 hours, by origin.
    pub predictions: Vec<OriginCount>,
    /// Errors of the last 24 hours.
    pub errors: u64,
    /// Predictions per minute over the last 30 minutes, oldest first.
    pub per_minute: Vec<u64>,
}

/// A count by origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct OriginCount {
    pub origin: Origin,
    pub predictions: u64,
}

/// `GET /api/beira/models/{name}`: a registered model with its modules.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelDetail {
    /// Registered name.
    pub name: String,
    /// Description given by its owner.
    pub description: Option<String>,
    /// Newest first.
    pub versions: Vec<VersionDetail>,
}

/// A version with what was compiled from it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VersionDetail {
    /// The version as MLflow has it, aliases included.
    pub version: ModelVersion,
    /// The module, when the version could be compiled.
    pub module: Option<ModuleInfo>,
    /// Why there is no module: the compiler's own words, or `compiling`.
    pub error: Option<String>,
    /// Last metrics of the run it came from, by key (`test_auc`, …).
    pub metrics: Vec<(String, f64)>,
}

/// A compiled module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModuleInfo {
    /// Identity.
    pub sha256: String,
    /// Edges its counters are on; empty without a profile.
    pub edges_sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Where it can be fetched: `/modules/{name}/{version}`. An alias works too: `/modules/{name}/@champion`.
    pub url: String,
    /// Signature and cost.
    pub manifest: Manifest,
}

/// `GET /api/beira/models/{name}/production?minutes=60`: what the model does in production.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Production {
    /// Registered name.
    pub name: String,
    /// Start of the range, milliseconds since 1970.
    pub from_ms: i64,
    /// End of the range (now).
    pub to_ms: i64,
    /// Width of one window in `series`, milliseconds.
    pub window_ms: i64,
    /// Windows with traffic, ascending in time; several per window when versions or origins differ.
    pub series: Vec<WindowPoint>,
    /// Sums over the range by version, origin and host.
    pub totals: Vec<Total>,
    /// Reference against live, per feature of the version with most traffic; greatest PSI first.
    pub features: Vec<Drift>,
    /// The same for the score.
    pub score: Option<Drift>,
    /// Version that `features` and `score` belong to.
    pub drift_version: Option<String>,
    /// Registered, alias moved, trained, alarms: marks on the time line, ascending, whole life of the model.
    pub events: Vec<TimelineEvent>,
    /// What the watch found last, one for each version that it looks at; the newest version first.
    #[serde(default)]
    pub alarms: Vec<Alarm>,
    /// Metrics of `drift_version` without labels, over the range.
    #[serde(default)]
    pub estimated: Option<Performance>,
    /// Metrics by late labels, newest day first, at most 31 days of each version.
    #[serde(default)]
    pub realised: Vec<RealisedDay>,
}

/// One window of one version and origin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowPoint {
    /// Start, milliseconds since 1970.
    pub start_ms: i64,
    /// Model version.
    pub version: String,
    /// Where it ran.
    pub origin: Origin,
    /// Rows predicted.
    pub predictions: u64,
    /// Calls that failed.
    pub errors: u64,
    /// Time for one row; absent where it cannot be measured.
    pub latency: Option<Percentiles>,
}

/// Latency percentiles in microseconds, from the histogram (at most 4.4 % off).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Percentiles {
    pub p50_us: f64,
    pub p90_us: f64,
    pub p99_us: f64,
}

/// Sums over a range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Total {
    pub version: String,
    pub origin: Origin,
    pub host: String,
    pub predictions: u64,
    pub errors: u64,
    pub latency: Option<Percentiles>,
}

/// Reference against live on the same edges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Feature (or output) name.
    pub name: String,
    /// The bins.
    pub bins: Bins,
    /// Training rows in each bin.
    pub reference: Vec<u64>,
    /// Training rows without a value.
    pub reference_missing: u64,
    /// Production rows in each bin.
    pub live: Vec<u64>,
    /// Production rows without a value.
    pub live_missing: u64,
    /// Production rows with an unknown category.
    pub live_unseen: u64,
    /// Population stability index; absent while there is too little data.
    pub psi: Option<f64>,
    /// PSI that no change would exceed in 99 of 100 such samples; absent with it.
    pub psi_limit: Option<f64>,
    /// Production rows compared.
    #[serde(default)]
    pub rows: u64,
    /// Rows from which on a change of the least size that counts would be seen; absent when the
    /// training data is too small for that, whatever comes in.
    #[serde(default)]
    pub rows_needed: Option<u64>,
    /// Verdict.
    pub state: DriftState,
}

/// Verdict on one feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftState {
    /// Too few rows to tell.
    InsufficientData,
    /// No drift seen, and it would have been.
    Ok,
    /// Above the limit that chance explains (all features considered), and above the effect floor.
    Drift,
}

/// A mark on the time line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEvent {
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// `trained`, `registered`, `alias`, `alarm`.
    pub kind: String,
    /// Model version it concerns.
    pub version: String,
    /// Run it concerns.
    pub run_id: Option<String>,
    /// A few words.
    pub text: String,
}

/// `POST /api/beira/compile` (body: an ONNX file): what compiles and what does not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompileReport {
    /// Each kind of operator in the file.
    pub operators: Vec<OperatorReport>,
    /// The module, when the whole model compiles; fetch it from `url`.
    pub module: Option<ModuleInfo>,
    /// Why there is none.
    pub error: Option<String>,
    /// Milliseconds the compiler took.
    pub compile_ms: f64,
    /// Size of the ONNX file.
    pub onnx_bytes: u64,
}

/// One kind of operator of an ONNX file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorReport {
    /// Domain; empty for `ai.onnx`.
    pub domain: String,
    /// Operator.
    pub op: String,
    /// How many nodes.
    pub nodes: u64,
    /// Names of the first such nodes.
    pub examples: Vec<String>,
    /// True when the compiler has it.
    pub supported: bool,
    /// What would help, when it is not.
    pub help: Option<String>,
}
