//! Counting one row: which bin does a value fall into?

use contract::profile::{Bins, Profile};
use contract::telemetry::{Counters, FeatureCounts};

/// Counters of zeros, shaped like `profile`.
pub fn empty(profile: Option<&Profile>) -> Counters {
    let Some(profile) = profile else { return Counters::default() };
    Counters {
        features: profile
            .features
            .iter()
            .map(|f| FeatureCounts { counts: vec![0; f.bins.len()], ..Default::default() })
            .collect(),
        score: vec![0; profile.score.as_ref().map_or(0, |s| s.bins.len())],
        ..Default::default()
    }
}

/// Bin of a number among ascending `edges`: the number of edges that are not greater than it.
/// `None` for NaN, which is a missing value. -0 equals 0; infinities fall into the outer bins.
pub fn bin(edges: &[f64], value: f64) -> Option<usize> {
    if value.is_nan() { None } else { Some(edges.partition_point(|edge| *edge <= value)) }
}

/// Counts a number of one feature. Categories that are numbers are compared by their text.
pub fn number(bins: &Bins, counts: &mut FeatureCounts, value: f64) {
    match bins {
        Bins::Edges(edges) => match bin(edges, value) {
            Some(bin) => counts.counts[bin] += 1,
            None => counts.missing += 1,
        },
        Bins::Categories(_) if value.is_nan() => counts.missing += 1,
        Bins::Categories(categories) => match categories.iter().position(|c| c.parse::<f64>() == Ok(value)) {
            Some(bin) => counts.counts[bin] += 1,
            None => counts.unseen += 1,
        },
    }
}

/// Counts a string of one feature by its id in the model's vocabulary. The profile's categories
/// are the vocabulary, so the id is the bin; other ids are unseen or missing.
pub fn string(counts: &mut FeatureCounts, id: i32) {
    match usize::try_from(id) {
        Ok(bin) if bin < counts.counts.len() => counts.counts[bin] += 1,
        _ if id == contract::manifest::MISSING => counts.missing += 1,
        _ => counts.unseen += 1,
    }
}

/// Counts a score; NaN is counted nowhere.
pub fn score(bins: &Bins, counts: &mut [u64], value: f64) {
    if let Bins::Edges(edges) = bins
        && let Some(bin) = bin(edges, value)
    {
        counts[bin] += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_an_edge_belongs_to_the_bin_above() {
        let edges = [0.0, 1.0];
        for (value, expected) in [(-0.5, 0), (-0.0, 1), (0.5, 1), (1.0, 2), (f64::INFINITY, 2), (f64::NEG_INFINITY, 0)]
        {
            assert_eq!(bin(&edges, value), Some(expected), "{value}");
        }
        assert_eq!(bin(&edges, f64::NAN), None);
    }

    #[test]
    fn strings_are_seen_unseen_or_missing() {
        let mut counts = FeatureCounts { counts: vec![0, 0], ..Default::default() };
        [0, 1, 1, -1, -2, 7].into_iter().for_each(|id| string(&mut counts, id));
        assert_eq!(counts, FeatureCounts { counts: vec![1, 2], missing: 1, unseen: 2 });
    }
}
