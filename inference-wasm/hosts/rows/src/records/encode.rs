//! Records to regions; every fault is found, not the first alone.

use std::collections::HashSet;

use contract::{Fault, Loc, Manifest};
use serde_json::{Map, Value};

use crate::Batch;
use crate::element::Writer;

/// Encodes records that came as an array: faults are at `["body", row, feature]`.
pub fn encode(manifest: &Manifest, records: &[Map<String, Value>]) -> Result<Batch, Vec<Fault>> {
    rows(manifest, &records.iter().map(Some).collect::<Vec<_>>(), true)
}

/// As [`encode`]; `None` is a row that is no object. Without `many` faults are at `["body", feature]`.
pub(super) fn rows(
    manifest: &Manifest,
    records: &[Option<&Map<String, Value>>],
    many: bool,
) -> Result<Batch, Vec<Fault>> {
    let names: Vec<Vec<String>> = manifest.inputs.iter().map(|spec| spec.element_names()).collect();
    let features: HashSet<&str> = names.iter().flatten().map(String::as_str).collect();
    let writers: Vec<Writer> = manifest.inputs.iter().map(Writer::new).collect();
    let mut inputs: Vec<Vec<u8>> =
        manifest.inputs.iter().map(|spec| vec![0; records.len() * spec.row_bytes()]).collect();
    let mut faults = Vec::new();
    for (row, record) in records.iter().enumerate() {
        let at: Vec<Loc> = [Loc::from("body")].into_iter().chain(many.then_some(Loc::Index(row))).collect();
        let Some(record) = record else {
            faults.push(Fault::new("dict_type", at, "Input should be a valid dictionary of named features"));
            continue;
        };
        let loc = |name: &str| -> Vec<Loc> { at.iter().cloned().chain([Loc::from(name)]).collect() };
        for (((spec, names), writer), region) in manifest.inputs.iter().zip(&names).zip(&writers).zip(&mut inputs) {
            let (row_bytes, width) = (spec.row_bytes(), spec.datatype.bytes());
            let elements = region[row * row_bytes..(row + 1) * row_bytes].chunks_exact_mut(width);
            for (name, element) in names.iter().zip(elements) {
                match record.get(name) {
                    None => faults.push(Fault::new("missing", loc(name), "Field required")),
                    Some(value) => {
                        if let Err(refused) = writer.write(value, element) {
                            faults.push(refused.at(loc(name)));
                        }
                    }
                }
            }
        }
        for name in record.keys().filter(|name| !features.contains(name.as_str())) {
            faults.push(Fault::new("extra_forbidden", loc(name), "Extra inputs are not permitted"));
        }
    }
    if faults.is_empty() { Ok(Batch { rows: records.len(), inputs }) } else { Err(faults) }
}
