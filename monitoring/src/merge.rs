//! Merge: addition, element by element. Commutative, associative, exact; sums saturate at `u64::MAX`.

use contract::telemetry::{Counters, FeatureCounts};

use crate::latency;

/// Why two counters cannot be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch(pub String);

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mismatch {}

/// Adds `other` to `into`. An empty list of features or score bins is a neutral element.
/// On an error `into` is unchanged.
pub fn merge(into: &mut Counters, other: &Counters) -> Result<(), Mismatch> {
    check(into, other)?;
    into.predictions = into.predictions.saturating_add(other.predictions);
    into.errors = into.errors.saturating_add(other.errors);
    if into.features.is_empty() {
        into.features = other.features.clone();
    } else {
        for (a, b) in into.features.iter_mut().zip(&other.features) {
            merge_feature(a, b);
        }
    }
    if into.score.is_empty() {
        into.score = other.score.clone();
    } else {
        add(&mut into.score, &other.score);
    }
    into.latency = match (into.latency.take(), &other.latency) {
        (None, b) => b.clone(),
        (a, None) => a,
        (Some(a), Some(b)) => Some(latency::merge(&a, b)),
    };
    Ok(())
}

/// What `later` counts beyond `earlier`, two cumulative counters of one instance: merged into
/// `earlier` it gives `later`. An error where `earlier` counts more.
pub fn since(later: &Counters, earlier: &Counters) -> Result<Counters, Mismatch> {
    check(earlier, later)?;
    let less = |what: &str| Mismatch(format!("{what}: fewer than an earlier snapshot of the same instance counted"));
    let minus = |a: u64, b: u64, what: &str| a.checked_sub(b).ok_or_else(|| less(what));
    let lists = |a: &[u64], b: &[u64], what: &str| -> Result<Vec<u64>, Mismatch> {
        if a.len() < b.len() {
            return Err(less(what));
        }
        let b = b.iter().copied().chain(std::iter::repeat(0));
        a.iter().zip(b).map(|(a, b)| minus(*a, b, what)).collect()
    };
    if later.features.len() < earlier.features.len() {
        return Err(less("features"));
    }
    let none = FeatureCounts::default();
    let earlier_features = earlier.features.iter().chain(std::iter::repeat(&none));
    let features = later.features.iter().zip(earlier_features).map(|(a, b)| {
        Ok(FeatureCounts {
            counts: lists(&a.counts, &b.counts, "features")?,
            missing: minus(a.missing, b.missing, "features")?,
            unseen: minus(a.unseen, b.unseen, "features")?,
        })
    });
    Ok(Counters {
        predictions: minus(later.predictions, earlier.predictions, "predictions")?,
        errors: minus(later.errors, earlier.errors, "errors")?,
        features: features.collect::<Result<_, _>>()?,
        score: lists(&later.score, &earlier.score, "score")?,
        latency: match (&later.latency, &earlier.latency) {
            (Some(a), Some(b)) => Some(latency::since(a, b).ok_or_else(|| less("latency"))?),
            (None, Some(_)) => return Err(less("latency")),
            (a, None) => a.clone(),
        },
    })
}

/// Whether `counters` has the shape that `like` has.
pub fn check(like: &Counters, counters: &Counters) -> Result<(), Mismatch> {
    let lists = |a: usize, b: usize, what: &str| {
        if a == b || a == 0 || b == 0 {
            Ok(())
        } else {
            Err(Mismatch(format!("{what}: {b} counts where {a} are expected")))
        }
    };
    lists(like.features.len(), counters.features.len(), "features")?;
    lists(like.score.len(), counters.score.len(), "score")?;
    for (i, (a, b)) in like.features.iter().zip(&counters.features).enumerate() {
        if a.counts.len() != b.counts.len() {
            return Err(Mismatch(format!(
                "features[{i}].counts: {} counts where {} are expected",
                b.counts.len(),
                a.counts.len()
            )));
        }
    }
    match &counters.latency {
        Some(latency) if latency.scale != latency::SCALE => {
            Err(Mismatch(format!("latency.scale: {} where {} is expected", latency.scale, latency::SCALE)))
        }
        Some(latency) if !latency::in_range(latency) => {
            Err(Mismatch("latency: buckets beyond what 64 bits of nanoseconds can reach".to_owned()))
        }
        _ => Ok(()),
    }
}

fn merge_feature(into: &mut FeatureCounts, other: &FeatureCounts) {
    add(&mut into.counts, &other.counts);
    into.missing = into.missing.saturating_add(other.missing);
    into.unseen = into.unseen.saturating_add(other.unseen);
}

fn add(into: &mut [u64], other: &[u64]) {
    for (a, b) in into.iter_mut().zip(other) {
        *a = a.saturating_add(*b);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counters() -> impl Strategy<Value = Counters> {
        let feature = (prop::collection::vec(0u64..1000, 3), 0u64..9, 0u64..9)
            .prop_map(|(counts, missing, unseen)| FeatureCounts { counts, missing, unseen });
        let durations = prop::collection::vec(0u64..u64::MAX / 1000, 0..20);
        (0u64..1000, 0u64..9, prop::collection::vec(feature, 2), prop::collection::vec(0u64..1000, 4), durations)
            .prop_map(|(predictions, errors, features, score, durations)| {
                let mut histogram = latency::empty();
                durations.iter().for_each(|ns| latency::record(&mut histogram, *ns, 1));
                Counters { predictions, errors, features, score, latency: Some(histogram) }
            })
    }

    fn sum(parts: &[&Counters]) -> Counters {
        let mut total = Counters::default();
        parts.iter().for_each(|part| merge(&mut total, part).unwrap());
        total
    }

    proptest! {
        #[test]
        fn any_order_gives_the_same_counters(a in counters(), b in counters(), c in counters()) {
            prop_assert_eq!(sum(&[&a, &b, &c]), sum(&[&c, &a, &b]));
            prop_assert_eq!(sum(&[&a, &sum(&[&b, &c])]), sum(&[&sum(&[&a, &b]), &c]));
            prop_assert_eq!(sum(&[&Counters::default(), &a]), a);
        }

        #[test]
        fn what_was_added_comes_back(a in counters(), b in counters()) {
            let later = sum(&[&a, &b]);
            prop_assert_eq!(sum(&[&a, &since(&later, &a).unwrap()]), later.clone());
            prop_assert_eq!(since(&later, &Counters::default()).unwrap(), later.clone());
            prop_assert_eq!(since(&a, &later).is_err(), later != a);
        }
    }

    #[test]
    fn other_edges_are_refused_and_nothing_is_added() {
        let mut into = Counters { score: vec![1, 2], ..Default::default() };
        let error = merge(&mut into, &Counters { predictions: 5, score: vec![1], ..Default::default() }).unwrap_err();
        assert_eq!(error.to_string(), "score: 1 counts where 2 are expected");
        assert_eq!(into.predictions, 0);
    }
}
