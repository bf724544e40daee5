//! The rows held out, as the run keeps them: what a client would send, and what is true.

use serde_json::{Map, Value};

use crate::data::Data;

/// Records of `rows`, in the order of the file.
pub(crate) fn records(data: &Data, rows: &[usize]) -> Vec<Map<String, Value>> {
    rows.iter().map(|row| data.record(*row)).collect()
}

/// Their labels, as the model would answer them.
pub(crate) fn labels(data: &Data, rows: &[usize]) -> Vec<Value> {
    rows.iter().map(|row| data.target.json(*row)).collect()
}
