//! `gate.yaml`: which metric decides, how much loss is none, and the limits of the guards.
//!
//! An empty file is the default policy. `null` switches a guard off. All of it, with its defaults:
//!
//! ```yaml
//! metric: null             # auc for two classes, log_loss for more, rmse for numbers
//! margin: null             # a loss below it is none; 0.01, and 2 % of the champion's error for rmse and mae
//! confidence: 0.95         # of the intervals
//! bootstrap: {replicates: 2000, seed: 20}
//! guards:
//!   metrics: null          # accuracy and brier, or mae; else a list like [{metric: brier, margin: 0.005}]
//!   parity: 1.0e-6         # greatest difference between hosts, relative to 1 + |answer|
//!   signature: true        # whoever can call the champion can call the candidate
//!   leaked_rows: 0         # held-out rows that the candidate has been trained on
//!   module_bytes_ratio: 1.5
//!   module_bytes_free: 262144 # the ratio is not asked for below it
//!   module_bytes_max: null
//!   latency_ratio: 1.5
//!   latency_us_free: 20    # the ratio is not asked for below it
//!   latency_us_max: null   # microseconds for one row
//! floors: null             # what a candidate must reach, champion or not: a list like [{metric: auc, value: 0.7}]
//! slices: {rows_min: 100, margin: null} # smaller slices are shown and not judged; margin 3 × the metric's
//! ```

use serde::{Deserialize, Serialize};

use super::{Error, Metric, scores::Labels};

/// What the gate demands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// The metric that decides; by the task when absent.
    pub metric: Option<Metric>,
    /// Greatest loss of it that counts as none, in its own unit; [`Metric::default_margin`] when absent.
    pub margin: Option<f64>,
    /// Of the two-sided intervals; tests use 1 − confidence.
    pub confidence: f64,
    /// How intervals are found.
    pub bootstrap: Bootstrap,
    /// What must not become worse.
    pub guards: Guards,
    /// What must be reached, with or without a champion.
    pub floors: Option<Vec<Floor>>,
    /// How parts of the rows are judged.
    pub slices: Slices,
}

/// How intervals are found: rows are drawn again, with replacement, within each class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bootstrap {
    /// How often, 100 to 100,000.
    pub replicates: usize,
    /// The same seed gives the same interval.
    pub seed: u64,
}

/// Limits beside the deciding metric. `None` switches one off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Guards {
    /// Metrics on which the candidate must be non-inferior; by the task when absent.
    pub metrics: Option<Vec<GuardMetric>>,
    /// Greatest difference between hosts, relative to 1 + |answer|.
    pub parity: Option<f64>,
    /// Whether the candidate must take what the champion takes and answer what it answers.
    pub signature: bool,
    /// Most held-out rows that the candidate may have been trained on.
    pub leaked_rows: Option<u64>,
    /// Most bytes of the module, as a multiple of the champion's.
    pub module_bytes_ratio: Option<f64>,
    /// A module of at most so many bytes is small enough, whatever the ratio.
    pub module_bytes_free: u64,
    /// Most bytes of the module.
    pub module_bytes_max: Option<u64>,
    /// Most time for a row, as a multiple of the champion's.
    pub latency_ratio: Option<f64>,
    /// A row that takes at most so many microseconds is quick enough, whatever the ratio.
    pub latency_us_free: f64,
    /// Most time for a row in microseconds.
    pub latency_us_max: Option<f64>,
}

/// A metric that must not become worse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardMetric {
    /// Which.
    pub metric: Metric,
    /// Greatest loss that counts as none; [`Metric::default_margin`] when absent.
    #[serde(default)]
    pub margin: Option<f64>,
}

/// A metric that must be reached: at least `value`, or at most where less is better.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floor {
    /// Which.
    pub metric: Metric,
    /// The figure on the held-out rows.
    pub value: f64,
}

/// How parts of the rows are judged, by the deciding metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Slices {
    /// Slices with fewer rows are shown and not judged.
    pub rows_min: usize,
    /// Greatest loss that counts as none; three times the deciding metric's when absent.
    pub margin: Option<f64>,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            metric: None,
            margin: None,
            confidence: 0.95,
            bootstrap: Bootstrap::default(),
            guards: Guards::default(),
            floors: None,
            slices: Slices::default(),
        }
    }
}

impl Default for Bootstrap {
    fn default() -> Self {
        Bootstrap { replicates: 2000, seed: 20 }
    }
}

impl Default for Guards {
    fn default() -> Self {
        Guards {
            metrics: None,
            parity: Some(1e-6),
            signature: true,
            leaked_rows: Some(0),
            module_bytes_ratio: Some(1.5),
            module_bytes_free: 256 << 10,
            module_bytes_max: None,
            latency_ratio: Some(1.5),
            latency_us_free: 20.0,
            latency_us_max: None,
        }
    }
}

impl Default for Slices {
    fn default() -> Self {
        Slices { rows_min: 100, margin: None }
    }
}

impl Policy {
    /// Reads and checks `gate.yaml`; `file` names it in errors.
    pub fn parse(text: &str, file: &str) -> Result<Policy, Error> {
        let wrong = |what: String| Error::Policy { file: file.to_owned(), what };
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Policy::default());
        }
        let policy: Policy = serde_norway::from_str(text).map_err(|error| wrong(error.to_string()))?;
        policy.check().map_err(wrong)?;
        Ok(policy)
    }

    /// Whether every number makes sense; the error names the key.
    pub(super) fn check(&self) -> Result<(), String> {
        let above_zero = |key: &str, value: Option<f64>| match value {
            Some(value) if !value.is_finite() || value <= 0.0 => Err(format!("{key}: a number above 0 is needed")),
            _ => Ok(()),
        };
        let guards = &self.guards;
        above_zero("margin", self.margin)?;
        above_zero("guards.parity", guards.parity)?;
        above_zero("guards.module_bytes_ratio", guards.module_bytes_ratio)?;
        above_zero("guards.latency_ratio", guards.latency_ratio)?;
        above_zero("guards.latency_us_max", guards.latency_us_max)?;
        above_zero("slices.margin", self.slices.margin)?;
        if !guards.latency_us_free.is_finite() || guards.latency_us_free < 0.0 {
            return Err("guards.latency_us_free: a number from 0 on is needed".to_owned());
        }
        if let Some(i) = self.floors.iter().flatten().position(|floor| !floor.value.is_finite()) {
            return Err(format!("floors[{i}].value: a finite number is needed"));
        }
        for (i, guard) in guards.metrics.iter().flatten().enumerate() {
            above_zero(&format!("guards.metrics[{i}].margin"), guard.margin)?;
            if guards.metrics.iter().flatten().take(i).any(|other| other.metric == guard.metric) {
                return Err(format!("guards.metrics[{i}]: {} stands twice", guard.metric.name()));
            }
        }
        if !(100..=100_000).contains(&self.bootstrap.replicates) {
            return Err("bootstrap.replicates: 100 to 100000 are possible".to_owned());
        }
        if !(0.5..1.0).contains(&self.confidence) {
            return Err("confidence: a number from 0.5 to below 1 is needed".to_owned());
        }
        if (1.0 - self.confidence) / 2.0 * (self.bootstrap.replicates as f64 + 1.0) < 1.0 {
            return Err("bootstrap.replicates: too few for this confidence".to_owned());
        }
        Ok(())
    }

    /// The deciding metric.
    pub(super) fn metric_for(&self, labels: &Labels) -> Metric {
        self.metric.unwrap_or_else(|| Metric::default_for(labels))
    }

    /// The guard metrics, without the deciding one.
    pub(super) fn guard_metrics_for(&self, labels: &Labels) -> Vec<GuardMetric> {
        let default =
            || Metric::default_guards(labels).iter().map(|m| GuardMetric { metric: *m, margin: None }).collect();
        let mut metrics = self.guards.metrics.clone().unwrap_or_else(default);
        metrics.retain(|guard| guard.metric != self.metric_for(labels));
        metrics
    }
}
