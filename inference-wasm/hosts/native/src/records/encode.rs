//! Records to regions; every fault is found, not the first alone.

use std::collections::HashMap;

use contract::{Fault, Loc, Manifest};
use serde_json::{Map, Value};

use crate::Batch;
use crate::element::Writer;

/// Encodes records that came as an array: faults are at `["body", row, feature]`.
pub fn encode(manifest: &Manifest, records: &[Map<String, Value>]) -> Result<Batch, Vec<Fault>> {
    rows(manifest, records, true)
}

/// As [`encode`]; without `many` faults are at `["body", feature]`.
pub(super) fn rows(manifest: &Manifest, records: &[Map<String, Value>], many: bool) -> Result<Batch, Vec<Fault>> {
    let names: Vec<Vec<String>> = manifest.inputs.iter().map(|spec| spec.element_names()).collect();
    let features: HashMap<&str, ()> = names.iter().flatten().map(|name| (name.as_str(), ())).collect();
    let writers: Vec<Writer> = manifest.inputs.iter().map(Writer::new).collect();
    let mut inputs: Vec<Vec<u8>> =
        manifest.inputs.iter().map(|spec| vec![0; records.len() * spec.row_bytes()]).collect();
    let mut faults = Vec::new();
    for (row, record) in records.iter().enumerate() {
        let loc = |name: &str| -> Vec<Loc> {
            let index = many.then_some(Loc::Index(row));
            [Loc::from("body")].into_iter().chain(index).chain([Loc::from(name)]).collect()
        };
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
        for name in record.keys().filter(|name| !features.contains_key(name.as_str())) {
            faults.push(Fault::new("extra_forbidden", loc(name), "Extra inputs are not permitted"));
        }
    }
    if faults.is_empty() { Ok(Batch { rows: records.len(), inputs }) } else { Err(faults) }
}
