//! Has the candidate been trained on held-out rows? Rows are compared by their hashes.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Identity of a row: the first 128 bits of a sha256 over its features by name, and its label.
/// Numbers are compared as numbers (`1` is `1.0`, `-0` is `0`), whatever their order in the record.
/// The label belongs to it: two different rows may have the same features.
pub fn row_hash(record: &Map<String, Value>, label: &Value) -> u128 {
    let mut hash = Sha256::new();
    for (name, value) in record.iter().collect::<BTreeMap<_, _>>() {
        text(&mut hash, name);
        cell(&mut hash, value);
    }
    hash.update([0xff]);
    cell(&mut hash, label);
    hash.finalize().iter().take(16).fold(0, |bits, byte| (bits << 8) | u128::from(*byte))
}

/// How many of the held-out rows have been seen.
pub(super) fn leaked(seen: &[u128], held_out: &[u128]) -> u64 {
    let seen: HashSet<u128> = seen.iter().copied().collect();
    held_out.iter().filter(|hash| seen.contains(hash)).count() as u64
}

fn cell(hash: &mut Sha256, value: &Value) {
    match (value.as_f64(), value) {
        (Some(number), _) => {
            hash.update([1]);
            hash.update((number + 0.0).to_le_bytes());
        }
        (None, Value::Null) => hash.update([0]),
        (None, Value::String(string)) => {
            hash.update([2]);
            text(hash, string);
        }
        (None, other) => {
            hash.update([3]);
            text(hash, &other.to_string());
        }
    }
}

fn text(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hash(record: Value, label: Value) -> u128 {
        row_hash(record.as_object().unwrap(), &label)
    }

    #[test]
    fn equal_rows_have_equal_hashes() {
        let row = hash(json!({"a": 1, "b": "x", "c": null}), json!(0));
        assert_eq!(row, hash(json!({"c": null, "b": "x", "a": 1.0}), json!(-0.0)));
        for other in [
            hash(json!({"a": 1, "b": "x", "c": null}), json!(1)),
            hash(json!({"a": "1", "b": "x", "c": null}), json!(0)),
            hash(json!({"a": 1, "b": "x"}), json!(0)),
            hash(json!({"a": 1, "b": "xc", "": null}), json!(0)),
        ] {
            assert_ne!(row, other);
        }
        assert_eq!(leaked(&[1, 2, 2], &[2, 3, 2]), 2);
    }
}
