//! What the watch over a model in production says: drift, performance, alarm.

use serde::{Deserialize, Serialize};

use crate::api::DriftState;

/// The last evaluation of one version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Registered name.
    pub model: String,
    /// Version.
    pub version: String,
    /// Run that the version came from.
    #[serde(default)]
    pub run_id: Option<String>,
    /// Is something wrong?
    pub state: AlarmState,
    /// Since when it is in this state, milliseconds since 1970.
    pub since_ms: i64,
    /// When it was looked at.
    pub evaluated_ms: i64,
    /// True when the state would be the same without what browsers counted, which can be forged.
    /// Only then may anything be promoted or rolled back because of it.
    pub trusted: bool,
    /// Why it is pending or firing: `drift:FEATURE`, `drift:score`, `estimated:METRIC`, `realised:METRIC`.
    pub causes: Vec<String>,
    /// The window that `features` and the estimate are from; absent without data.
    #[serde(default)]
    pub window: Option<Span>,
    /// Features against their training data, the sustained and greatest PSI first.
    pub features: Vec<WatchedFeature>,
    /// The same for the score.
    #[serde(default)]
    pub score: Option<WatchedFeature>,
    /// Estimated without labels from the window, realised by the labels of the newest day that has enough.
    pub performance: Vec<Performance>,
}

/// The four states of an alarm, as Grafana names them; a later one is worse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmState {
    /// Too few rows to tell.
    #[default]
    NoData,
    /// Nothing found.
    Ok,
    /// Found, but not in enough windows yet.
    Pending,
    /// Found in enough windows.
    Firing,
}

impl AlarmState {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            AlarmState::NoData => "no_data",
            AlarmState::Ok => "ok",
            AlarmState::Pending => "pending",
            AlarmState::Firing => "firing",
        }
    }
}

/// A stretch of time, milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Span {
    pub from_ms: i64,
    pub to_ms: i64,
    /// Rows predicted in it.
    pub rows: u64,
}

/// Drift of one feature, as the alarm sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WatchedFeature {
    /// Feature (or output) name.
    pub name: String,
    /// Population stability index in the newest window.
    pub psi: Option<f64>,
    /// PSI that no change would exceed in 99 of 100 such samples.
    pub psi_limit: Option<f64>,
    /// Rows compared, and rows needed for a verdict.
    pub rows: u64,
    /// See [`crate::api::Drift::rows_needed`].
    #[serde(default)]
    pub rows_needed: Option<u64>,
    /// Verdict on the newest window.
    pub state: DriftState,
    /// How many of the last windows with enough data drift, and how many there are.
    pub drifting: u32,
    /// Windows with enough data among those that are looked at.
    pub windows: u32,
}

/// How good the answers are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    /// Where the numbers come from.
    pub kind: Kind,
    /// Rows (estimated) or labels (realised).
    pub rows: u64,
    /// Rows for a verdict.
    pub rows_needed: u64,
    /// The metrics.
    pub metrics: Vec<Measured>,
}

/// Where performance comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// From scores alone, by the calibration of the held-out rows. It does not see the meaning of labels change.
    Estimated,
    /// From late labels.
    Realised,
}

impl Kind {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Estimated => "estimated",
            Kind::Realised => "realised",
        }
    }
}

/// One metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// `accuracy`, `precision`, `recall`, `f1`, `auc`, `brier`, `log_loss`, `mae`, `rmse`.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// 95 % interval, where there is one.
    #[serde(default)]
    pub lower: Option<f64>,
    /// See `lower`.
    #[serde(default)]
    pub upper: Option<f64>,
    /// The same on the held-out rows of the training data.
    #[serde(default)]
    pub reference: Option<f64>,
    /// Verdict; only metrics with an interval and a reference are judged.
    #[serde(default)]
    pub state: Option<PerformanceState>,
}

/// Verdict on a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PerformanceState {
    /// Too few rows to tell.
    InsufficientData,
    /// Not surely below the margin.
    Ok,
    /// The whole interval is worse than the reference by more than the margin.
    Degraded,
}

/// Metrics by the labels of one day's predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RealisedDay {
    /// Day of the predictions (UTC), milliseconds since 1970.
    pub day_ms: i64,
    /// Version that predicted.
    pub version: String,
    /// True for ids that a page made or nobody signed: shown, never acted on.
    pub browser: bool,
    /// The numbers.
    pub performance: Performance,
}

/// Body of the webhook. It holds no input value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The same for every attempt to deliver it.
    pub id: String,
    /// `firing`, `confirmed` (late labels agree with a firing alarm), or `resolved`.
    pub event: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Path of the dashboard's page.
    pub page: String,
    /// The evaluation that led to it, with the top features.
    #[serde(flatten)]
    pub alarm: Alarm,
}
