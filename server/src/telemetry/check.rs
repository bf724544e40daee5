//! Whether a flush can be true: its form, its shape, its sums. Pure.

use contract::fault::{Fault, Loc};
use contract::{Flush, Origin, Profile};
use monitoring::{count, latency, merge};

/// Most rows of one flush: beyond what a host can predict before it flushes, far below overflow.
const ROWS: u64 = 1 << 40;

/// Ids and names.
pub fn form(flush: &Flush) -> Result<(), Vec<Fault>> {
    let hex = |text: &str, length: usize| text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit());
    let mut faults = Vec::new();
    let mut check = |good: bool, field: &str, text: &str| {
        if !good {
            faults.push(Fault::new("value_error", vec!["body".into(), field.into()], text));
        }
    };
    check(hex(&flush.id, 32), "id", "must be 32 hex digits");
    check(hex(&flush.module_sha256, 64), "module_sha256", "must be 64 hex digits");
    let host = !flush.host.is_empty()
        && flush.host.len() <= 64
        && flush.host.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/".contains(&b));
    check(host, "host", "must be 1 to 64 of letters, digits and . _ - /");
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Shape as `profile` asks for, and sums that one prediction a row can give.
pub fn counts(flush: &Flush, profile: Option<&Profile>, browser_rows: u64) -> Result<(), Vec<Fault>> {
    let counters = &flush.counters;
    let mut faults = Vec::new();
    let mut fault = |path: &[Loc], text: String| {
        let loc = ["body".into(), "counters".into()].into_iter().chain(path.iter().cloned()).collect();
        faults.push(Fault::new("value_error", loc, text));
    };
    let like = count::empty(profile);
    if let Err(mismatch) = merge::check(&like, counters) {
        fault(&[], mismatch.to_string());
    } else if profile.is_none() && !(counters.features.is_empty() && counters.score.is_empty()) {
        fault(&[], "the module has no profile, so there are no bins to count in".to_owned());
    }
    let most = if flush.origin == Origin::Browser { browser_rows.min(ROWS) } else { ROWS };
    for (field, value) in [("predictions", counters.predictions), ("errors", counters.errors)] {
        if value > most {
            fault(&[field.into()], format!("a flush counts at most {most}"));
        }
    }
    let too_many = |sum: Option<u64>| sum.is_none_or(|sum| sum > counters.predictions);
    let text = || "more rows are counted than were predicted".to_owned();
    for (i, feature) in counters.features.iter().enumerate() {
        let all = feature.counts.iter().chain([&feature.missing, &feature.unseen]);
        if too_many(sum(all)) {
            fault(&["features".into(), i.into()], text());
        }
    }
    if too_many(sum(counters.score.iter())) {
        fault(&["score".into()], text());
    }
    if counters.latency.as_ref().is_some_and(|histogram| latency::total(histogram) > counters.predictions) {
        fault(&["latency".into()], text());
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn sum<'a>(mut counts: impl Iterator<Item = &'a u64>) -> Option<u64> {
    counts.try_fold(0u64, |sum, count| sum.checked_add(*count))
}

#[cfg(test)]
mod tests {
    use contract::Counters;
    use contract::profile::{Bins, Reference};
    use contract::telemetry::FeatureCounts;

    use super::*;

    fn flush(origin: Origin, predictions: u64, bins: &[u64]) -> Flush {
        let feature = FeatureCounts { counts: bins.to_vec(), missing: 1, unseen: 0 };
        Flush {
            id: "0".repeat(32),
            ingest_key: None,
            module_sha256: "a".repeat(64),
            edges_sha256: String::new(),
            origin,
            host: "chromium".to_owned(),
            window_start_ms: 0,
            probe: false,
            counters: Counters { predictions, features: vec![feature], ..Counters::default() },
        }
    }

    #[test]
    fn only_what_can_be_true_is_counted() {
        let reference = Reference { name: "x".into(), bins: Bins::Edges(vec![0.0]), counts: vec![1, 1], missing: 0 };
        let profile = Profile { features: vec![reference], ..Profile::default() };
        let check = |flush: Flush, profile: Option<&Profile>, expected: &str| {
            let faults = counts(&flush, profile, 100).err().unwrap_or_default();
            let text: Vec<String> = faults.iter().map(ToString::to_string).collect();
            assert_eq!(text.join("; "), expected);
        };
        check(flush(Origin::Browser, 20, &[10, 9]), Some(&profile), "");
        check(
            flush(Origin::Browser, 20, &[10, 10]),
            Some(&profile),
            "body.counters.features[0]: more rows are counted than were predicted",
        );
        check(
            flush(Origin::Edge, 20, &[u64::MAX, 10]),
            Some(&profile),
            "body.counters.features[0]: more rows are counted than were predicted",
        );
        check(
            flush(Origin::Edge, 20, &[1, 1, 1]),
            Some(&profile),
            "body.counters: features[0].counts: 3 counts where 2 are expected",
        );
        check(
            flush(Origin::Browser, 101, &[1, 1]),
            Some(&profile),
            "body.counters.predictions: a flush counts at most 100",
        );
        check(flush(Origin::Server, 101, &[1, 1]), Some(&profile), "");
        check(
            flush(Origin::Edge, 20, &[1, 1]),
            None,
            "body.counters: the module has no profile, so there are no bins to count in",
        );
    }
}
