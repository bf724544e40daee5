//! Counts a predicted batch on the profile's edges.

use contract::profile::{Profile, Score};
use contract::telemetry::Counters;
use contract::{Datatype, Manifest};
use monitoring::count as bins;

use crate::{Batch, element};

/// Adds `batch` and its answers to `counters`, which [`monitoring::count::empty`] shaped for
/// `profile`. The profile is that of a loaded module's seal, so it fits the manifest.
pub fn count(manifest: &Manifest, profile: &Profile, batch: &Batch, outputs: &[Vec<u8>], counters: &mut Counters) {
    counters.predictions += batch.rows as u64;
    let mut first = 0;
    for (spec, region) in manifest.inputs.iter().zip(&batch.inputs) {
        let elements = spec.row_elements();
        for (i, bytes) in region.chunks_exact(spec.datatype.bytes()).enumerate() {
            let feature = first + i % elements;
            let (Some(reference), Some(counts)) = (profile.features.get(feature), counters.features.get_mut(feature))
            else {
                continue;
            };
            let value = element::number(spec.datatype, bytes);
            match spec.datatype {
                Datatype::Bytes => bins::string(counts, value as i32),
                _ => bins::number(&reference.bins, counts, value),
            }
        }
        first += elements;
    }
    if let Some(score) = &profile.score {
        count_score(manifest, score, outputs, &mut counters.score);
    }
}

fn count_score(manifest: &Manifest, score: &Score, outputs: &[Vec<u8>], counts: &mut [u64]) {
    let found = manifest.outputs.iter().zip(outputs).find(|(spec, _)| spec.name == score.output);
    let Some((spec, region)) = found else { return };
    for row in region.chunks_exact(spec.row_bytes()) {
        let mut values = row.chunks_exact(spec.datatype.bytes()).map(|bytes| element::number(spec.datatype, bytes));
        let value = match score.element {
            Some(element) => values.nth(element),
            None => values.reduce(f64::max),
        };
        bins::score(&score.bins, counts, value.unwrap_or(f64::NAN));
    }
}
