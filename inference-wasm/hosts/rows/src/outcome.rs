//! What a predicted row came to, for its prediction id: bin of the score, class, or the number.

use contract::profile::{Bins, Profile};
use contract::{Manifest, TensorSpec};
use monitoring::count;
use monitoring::prediction::Outcome;

use crate::element;

/// Names of the classes an outcome's `class` is a position in; empty for a model that predicts a number.
pub fn classes(manifest: &Manifest, profile: Option<&Profile>) -> Vec<String> {
    let Some(spec) = judged(manifest, profile).map(|output| &manifest.outputs[output]) else { return Vec::new() };
    match (&spec.columns, spec.row_elements()) {
        (_, 0 | 1) => Vec::new(),
        (Some(columns), _) => columns.clone(),
        (None, classes) => (0..classes).map(|class| class.to_string()).collect(),
    }
}

/// The outcome of each row. `outputs` are the regions that the module answered.
pub fn outcomes(manifest: &Manifest, profile: Option<&Profile>, rows: usize, outputs: &[Vec<u8>]) -> Vec<Outcome> {
    let region = judged(manifest, profile).and_then(|output| Some((&manifest.outputs[output], outputs.get(output)?)));
    let Some((spec, region)) = region.filter(|(spec, _)| spec.row_bytes() > 0) else {
        return vec![Outcome::default(); rows];
    };
    let read = |row: &[u8]| outcome(spec, profile, row);
    region.chunks_exact(spec.row_bytes()).take(rows).map(read).collect()
}

fn outcome(spec: &TensorSpec, profile: Option<&Profile>, row: &[u8]) -> Outcome {
    let values: Vec<f64> =
        row.chunks_exact(spec.datatype.bytes()).map(|bytes| element::number(spec.datatype, bytes)).collect();
    // The first of equal ones, as ONNX's ArgMax has it.
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = i;
        }
    }
    let score = profile.and_then(|profile| profile.score.as_ref());
    let value = values.get(score.and_then(|score| score.element).unwrap_or(best)).copied().unwrap_or(f64::NAN);
    let bin = match score.map(|score| &score.bins) {
        Some(Bins::Edges(edges)) => count::bin(edges, value).and_then(|bin| u16::try_from(bin).ok()),
        _ => None,
    };
    if values.len() > 1 {
        Outcome { bin, class: u16::try_from(best).ok(), value: None }
    } else {
        Outcome { bin, class: None, value: Some(value as f32) }
    }
}

/// The output that labels are compared with: the one the profile's score is read from, else the last of floats.
fn judged(manifest: &Manifest, profile: Option<&Profile>) -> Option<usize> {
    let score = profile.and_then(|profile| profile.score.as_ref());
    match score {
        Some(score) => manifest.outputs.iter().position(|spec| spec.name == score.output),
        None => manifest.outputs.iter().rposition(|spec| spec.datatype.is_float()),
    }
}
