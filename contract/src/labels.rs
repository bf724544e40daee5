//! Late labels: what a prediction should have been, told by its id.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `POST /telemetry/labels`. All labels of a request are taken, or none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// Registered model that the ids must belong to; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// At most 10,000.
    pub labels: Vec<Label>,
}

/// One label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The `prediction_id` that came with the answer.
    pub id: String,
    /// The class (its name, or its number where classes have none), or for a predicted number the true one.
    pub label: Value,
}

/// Answer to labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelsAnswer {
    /// Labels that were new.
    pub counted: u64,
    /// Labels of predictions that had one already; the first stands.
    pub duplicates: u64,
}
