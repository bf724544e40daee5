//! Named features: `{"alcohol": 9.4, …}` in, `{"label": 1, …}` out, one object for each row.

mod answer;
mod read;

use contract::{Fault, Manifest};
use serde_json::{Map, Value};

use crate::Batch;

pub use answer::{Answer, PREDICTION_ID};
pub use read::Reader;

/// The body of `POST /predict/{name}`: an object or an array, answered in kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The rows.
    pub batch: Batch,
    /// True when the body was an array.
    pub many: bool,
}

impl Request {
    /// Reads a body. On an error: every fault of the request, at `["body", feature]` for an object
    /// and `["body", row, feature]` for an array. Where many come, keep the model's [`Reader`].
    pub fn read(manifest: &Manifest, body: Value) -> Result<Request, Vec<Fault>> {
        Reader::new(manifest).value(&body)
    }

    /// The answer in the form of the body.
    pub fn answer(&self, manifest: &Manifest, outputs: &[Vec<u8>]) -> Value {
        serde_json::json!(Answer { manifest, rows: self.batch.rows, outputs, many: self.many, ids: &[] })
    }
}

/// Encodes records. On an error: every fault, at `["body", row, feature]`.
pub fn encode(manifest: &Manifest, records: &[Map<String, Value>]) -> Result<Batch, Vec<Fault>> {
    Reader::new(manifest).records(records)
}

/// One object for each row, output name to answer; see [`Answer`].
///
/// `outputs` are the regions that the module answered for `rows` rows.
pub fn decode(manifest: &Manifest, rows: usize, outputs: &[Vec<u8>]) -> Vec<Value> {
    match serde_json::to_value(Answer { manifest, rows, outputs, many: true, ids: &[] }) {
        Ok(Value::Array(answers)) => answers,
        _ => Vec::new(), // an `Answer` of many rows is an array, and no map key of it fails
    }
}
