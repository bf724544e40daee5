//! What a training came to, in one screen.

use serde::{Serialize, Serializer};

/// What a training came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// Run on the server.
    pub run_id: String,
    /// Experiment of the run.
    pub experiment_id: String,
    /// Registered model.
    pub model_name: String,
    /// Its new version.
    pub version: String,
    /// `champion` when there was none, else `challenger`.
    pub alias: String,
    /// `linear` or `boosting`: the learner that was better on the validation rows.
    pub learner: String,
    /// `binary`, `multiclass` or `regression`.
    pub task: String,
    /// Final metrics by key: `test_auc`, …
    #[serde(serialize_with = "by_key")]
    pub metrics: Vec<(String, f64)>,
    /// Identity of the module.
    pub module_sha256: String,
    /// Bytes of the module.
    pub module_bytes: usize,
    /// Bytes of the ONNX file.
    pub onnx_bytes: usize,
    /// Rows held out.
    pub heldout_rows: usize,
    /// Page of the run.
    pub url: String,
}

fn by_key<S: Serializer>(metrics: &[(String, f64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(metrics.iter().map(|(key, value)| (key, value)))
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, version, alias) = (&self.model_name, &self.version, &self.alias);
        writeln!(f, "{name} version {version} is registered as {alias} ({}, {})", self.task, self.learner)?;
        let test = self.metrics.iter().filter_map(|(key, value)| Some((key.strip_prefix("test_")?, value)));
        let metrics: Vec<String> = test.map(|(key, value)| format!("{} {value:.4}", key.replace('_', " "))).collect();
        writeln!(f, "  on {} held-out rows: {}", self.heldout_rows, metrics.join(", "))?;
        writeln!(f, "  ONNX {} bytes, module {} bytes, {}", self.onnx_bytes, self.module_bytes, self.module_sha256)?;
        write!(f, "  run {}", self.url)
    }
}
