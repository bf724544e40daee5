//! Does the question make sense? Faults of the models themselves are left to the verdict.

use super::{Comparison, Error, Labels};

/// Checks labels, slices, hashes and policy.
pub(super) fn check(comparison: &Comparison) -> Result<(), Error> {
    let wrong = |what: String| Error::Policy { file: "policy".to_owned(), what };
    let (labels, policy) = (&comparison.labels, &comparison.policy);
    policy.check().map_err(wrong)?;
    check_labels(labels)?;
    let numbers = matches!(labels, Labels::Numbers(_));
    let metric = policy.metric_for(labels);
    let guards = policy.guard_metrics_for(labels).into_iter().map(|guard| ("guards.metrics", guard.metric));
    let floors = policy.floors.iter().flatten().map(|floor| ("floors", floor.metric));
    for (key, metric) in [("metric", metric)].into_iter().chain(guards).chain(floors) {
        if metric.of_numbers() != numbers {
            let labels = if numbers { "numbers" } else { "classes" };
            return Err(wrong(format!("{key}: {} is not a metric of {labels}", metric.name())));
        }
    }
    for slice in &comparison.slices {
        let field = format!("slices `{}`", slice.name);
        if let Some(row) = slice.rows.iter().find(|row| **row >= labels.len()) {
            return Err(Error::input(field, format!("row {row} does not exist; there are {}", labels.len())));
        }
        let mut rows = slice.rows.clone();
        rows.sort_unstable();
        if let Some(pair) = rows.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::input(field, format!("row {} stands twice", pair[0])));
        }
    }
    enough_replicates(comparison).map_err(wrong)?;
    match &comparison.row_hashes {
        Some(hashes) if hashes.held_out.len() != labels.len() => Err(Error::input(
            "row_hashes.held_out",
            format!("{} hashes for {} labels", hashes.held_out.len(), labels.len()),
        )),
        _ => Ok(()),
    }
}

/// Holm multiplies the smallest p-value by the number of tests; with too few replicates no loss
/// could ever be shown.
fn enough_replicates(comparison: &Comparison) -> Result<(), String> {
    let policy = &comparison.policy;
    let tests = policy.guard_metrics_for(&comparison.labels).len() + comparison.slices.len();
    let least = (tests as f64 / ((1.0 - policy.confidence) / 2.0)).ceil() as usize;
    if policy.bootstrap.replicates < least {
        return Err(format!("bootstrap.replicates: {tests} guard metrics and slices need {least} or more"));
    }
    Ok(())
}

fn check_labels(labels: &Labels) -> Result<(), Error> {
    if labels.len() < 2 || labels.len() > u32::MAX as usize {
        return Err(Error::input("labels", format!("{} held-out rows cannot be judged", labels.len())));
    }
    match labels {
        Labels::Classes { names, rows } => {
            if names.len() < 2 {
                return Err(Error::input("labels", "two classes or more are needed"));
            }
            if let Some(row) = rows.iter().position(|class| *class >= names.len()) {
                return Err(Error::input("labels", format!("row {row}: no such class; there are {}", names.len())));
            }
            if rows.iter().all(|class| *class == rows[0]) {
                return Err(Error::input("labels", "all held-out rows are of one class; more rows help"));
            }
        }
        Labels::Numbers(rows) => {
            if let Some(row) = rows.iter().position(|value| !value.is_finite()) {
                return Err(Error::input("labels", format!("row {row}: not a finite number")));
            }
        }
    }
    Ok(())
}
