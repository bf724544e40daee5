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
        let (records, many) = match body {
            Value::Object(record) => (vec![record], false),
            Value::Array(rows) => (objects(rows)?, true),
            _ => return Err(vec![not_an_object(vec!["body".into()])]),
        };
        let batch = encode::rows(manifest, &records, many)?;
        Ok(Request { batch, many })
    }

    /// The answer in the form of the body.
    pub fn answer(&self, manifest: &Manifest, outputs: &[Vec<u8>]) -> Value {
        let mut rows = decode(manifest, self.batch.rows, outputs);
        if self.many { Value::Array(rows) } else { rows.pop().unwrap_or(Value::Null) }
    }
}

/// The rows of an array; faults of those that are not objects.
fn objects(rows: Vec<Value>) -> Result<Vec<Map<String, Value>>, Vec<Fault>> {
    let mut records = Vec::with_capacity(rows.len());
    let mut faults = Vec::new();
    for (index, row) in rows.into_iter().enumerate() {
        match row {
            Value::Object(record) => records.push(record),
            _ => faults.push(not_an_object(vec!["body".into(), index.into()])),
        }
    }
    if faults.is_empty() { Ok(records) } else { Err(faults) }
}

fn not_an_object(loc: Vec<contract::Loc>) -> Fault {
    Fault::new("dict_type", loc, "Input should be a valid dictionary of named features")
}
