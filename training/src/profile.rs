//! The reference profile: edges from the training rows, counts on them, the score on the held-out rows.

use contract::profile::{Bins, HeldOut, Profile, Reference, Score};
use contract::{Datatype, Manifest};
use host_native::{Batch, count};
use monitoring::reference::{edges_sha256, quantile_edges};

use crate::Error;
use crate::data::{Data, Target, Values};

/// Bins of a numeric feature.
const BINS: usize = 10;
/// Bins of the score.
const SCORE_BINS: usize = 20;

/// Builds the profile. `scores` are the model's answers for the rows `held` out of training.
pub(crate) fn profile(
    data: &Data,
    manifest: &Manifest,
    train: (&[usize], &Batch),
    (held, scores): (&[usize], &[Vec<u8>]),
) -> Result<Profile, Error> {
    let (train, batch) = train;
    let mut features = Vec::with_capacity(manifest.inputs.len());
    for spec in &manifest.inputs {
        let feature = data.features.iter().find(|feature| feature.name == spec.name);
        let bins = match feature.map(|feature| &feature.values) {
            Some(Values::Numbers(numbers)) => {
                let seen: Vec<f32> = train.iter().map(|row| numbers[*row]).collect();
                quantile_edges(&seen, BINS)
            }
            Some(Values::Dates { numbers, .. }) => {
                let seen: Vec<f32> = train.iter().map(|row| numbers[*row] as f32).collect();
                quantile_edges(&seen, BINS)
            }
            // The ids that the module sees are positions in this list.
            _ => Bins::Categories(spec.strings.clone().unwrap_or_default()),
        };
        features.push(Reference { name: spec.name.clone(), bins, counts: Vec::new(), missing: 0 });
    }
    let score = score(data, manifest, scores);
    let mut profile = Profile { edges_sha256: String::new(), rows: batch.rows as u64, features, score };
    let mut counters = monitoring::count::empty(Some(&profile));
    count::count(manifest, &profile, batch, &[], &mut counters);
    let held_out = Batch { rows: 0, inputs: vec![Vec::new(); manifest.inputs.len()] };
    count::count(manifest, &profile, &held_out, scores, &mut counters);
    for (reference, counted) in profile.features.iter_mut().zip(counters.features) {
        (reference.counts, reference.missing) = (counted.counts, counted.missing);
    }
    if let Some(score) = &mut profile.score {
        score.counts = counters.score;
        score.held_out = goodness(data, manifest, score, held, scores);
    }
    profile.edges_sha256 = edges_sha256(&profile);
    Ok(profile)
}

/// Where the score is read, and its edges: quantiles, and for two classes the decision threshold.
fn score(data: &Data, manifest: &Manifest, scores: &[Vec<u8>]) -> Option<Score> {
    // The only output of floats: probabilities, or the predicted number.
    let output = manifest.outputs.iter().position(|spec| spec.datatype == Datatype::Fp32)?;
    let spec = &manifest.outputs[output];
    let element = (data.target.classes() == Some(2)).then_some(1);
    let values: Vec<f32> = floats(&scores[output])
        .chunks_exact(spec.row_elements())
        .filter_map(|row| match element {
            Some(element) => row.get(element).copied(),
            None => row.iter().copied().reduce(f32::max),
        })
        .collect();
    let Bins::Edges(mut edges) = quantile_edges(&values, SCORE_BINS) else { return None };
    if matches!(&data.target, Target::Classes { .. }) && element.is_some() && !edges.contains(&0.5) {
        edges.insert(edges.partition_point(|edge| *edge < 0.5), 0.5);
    }
    Some(Score { output: spec.name.clone(), element, bins: Bins::Edges(edges), counts: Vec::new(), held_out: None })
}

/// How good the answers are: what the estimate without labels and the alarms in production rest on.
fn goodness(data: &Data, manifest: &Manifest, score: &Score, held: &[usize], scores: &[Vec<u8>]) -> Option<HeldOut> {
    let output = manifest.outputs.iter().position(|spec| spec.name == score.output)?;
    let values = floats(scores.get(output)?);
    match &data.target {
        Target::Numbers { rows, .. } => {
            let errors = || held.iter().zip(&values).map(|(row, value)| f64::from(*value) - f64::from(rows[*row]));
            let all = held.len().max(1) as f64;
            let mae = errors().map(f64::abs).sum::<f64>() / all;
            Some(HeldOut::Errors { mae, rmse: (errors().map(|error| error * error).sum::<f64>() / all).sqrt() })
        }
        Target::Classes { rows, .. } => {
            let Bins::Edges(edges) = &score.bins else { return None };
            let mut hits = vec![0; score.bins.len()];
            for (row, answer) in held.iter().zip(values.chunks_exact(manifest.outputs[output].row_elements())) {
                // The first of equal ones, as ArgMax has it.
                let best = answer.iter().enumerate().rev().max_by(|a, b| a.1.total_cmp(b.1)).map(|(class, _)| class)?;
                let hit = rows[*row] as usize == score.element.unwrap_or(best);
                let read = f64::from(answer[score.element.unwrap_or(best)]);
                if let Some(bin) = monitoring::count::bin(edges, read) {
                    hits[bin] += u64::from(hit);
                }
            }
            Some(HeldOut::Hits(hits))
        }
    }
}

/// A region of f32.
pub(crate) fn floats(region: &[u8]) -> Vec<f32> {
    region.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}
