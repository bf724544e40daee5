//! The rows held out, as the run keeps them: what a client would send, and what is true.

use serde_json::{Map, Value};

use crate::data::Data;
use crate::gate::row_hash;
use crate::split::Parts;

/// Records of `rows`, in the order of the file.
pub(crate) fn records(data: &Data, rows: &[usize]) -> Vec<Map<String, Value>> {
    rows.iter().map(|row| data.record(*row)).collect()
}

/// Their labels, as the model would answer them.
pub(crate) fn labels(data: &Data, rows: &[usize]) -> Vec<Value> {
    rows.iter().map(|row| data.target.json(*row)).collect()
}

/// Identities of the rows that fit and choice have seen, one line of 32 hex digits each, ascending:
/// what the gate compares held-out rows with.
pub(crate) fn seen(data: &Data, parts: &Parts) -> String {
    let hash = |row: &usize| row_hash(&data.record(*row), &data.target.json(*row));
    let mut hashes: Vec<u128> = parts.train.iter().chain(&parts.validation).map(hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes.iter().map(|hash| format!("{hash:032x}\n")).collect()
}
