//! Named features: `{"alcohol": 9.4, …}` in, `{"label": 1, …}` out, one object for each row.

mod decode;
mod encode;

use contract::{Fault, Manifest};
use serde_json::{Map, Value};

use crate::Batch;

pub use decode::decode;
pub use encode::encode;

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
    /// and `["body", row, feature]` for an array.
    pub fn read(manifest: &Manifest, body: Value) -> Result<Request, Vec<Fault>> {
        let (rows, many) = match body {
            Value::Array(rows) => (rows, true),
            row => (vec![row], false),
        };
        let records: Vec<Option<&Map<String, Value>>> = rows.iter().map(Value::as_object).collect();
        let batch = encode::rows(manifest, &records, many)?;
        Ok(Request { batch, many })
    }

    /// The answer in the form of the body.
    pub fn answer(&self, manifest: &Manifest, outputs: &[Vec<u8>]) -> Value {
        let mut rows = decode(manifest, self.batch.rows, outputs);
        if self.many { Value::Array(rows) } else { rows.pop().unwrap_or(Value::Null) }
    }
}
