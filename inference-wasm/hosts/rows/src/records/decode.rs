//! Regions to records.

use contract::{Manifest, TensorSpec};
use serde_json::{Map, Value};

use crate::element;

/// One object for each row, output name to answer: the value alone where a row has one element,
/// an object by label where the manifest has `columns`, else an array.
///
/// `outputs` are the regions that the module answered for `rows` rows.
pub fn decode(manifest: &Manifest, rows: usize, outputs: &[Vec<u8>]) -> Vec<Value> {
    (0..rows)
        .map(|row| {
            let answers = manifest.outputs.iter().zip(outputs);
            Value::Object(answers.map(|(spec, region)| (spec.name.clone(), answer(spec, region, row))).collect())
        })
        .collect()
}

fn answer(spec: &TensorSpec, region: &[u8], row: usize) -> Value {
    let row_bytes = spec.row_bytes();
    let bytes = region.get(row * row_bytes..(row + 1) * row_bytes).unwrap_or_default();
    let mut values = bytes.chunks_exact(spec.datatype.bytes()).map(|element| element::read(spec, element));
    match &spec.columns {
        _ if spec.row_elements() == 1 => values.next().unwrap_or(Value::Null),
        Some(columns) => Value::Object(columns.iter().cloned().zip(values).collect::<Map<_, _>>()),
        None => Value::Array(values.collect()),
    }
}
