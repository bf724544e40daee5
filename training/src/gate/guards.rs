//! Demands beside the metrics, in the order in which they decide.

use super::GuardState::{Broken, Holds, NoChampion, NotMeasured, Off};
use super::{Comparison, Guard, GuardState, Module, leakage, markdown, measure, scores, signature, weighted};

/// All guards.
pub(super) fn all(comparison: &Comparison) -> Vec<Guard> {
    let mut guards = vec![module(comparison)];
    guards.extend(answers(comparison));
    guards.push(leaked(comparison));
    guards.push(same_signature(comparison));
    guards.push(parity(comparison));
    guards.push(bytes(comparison));
    guards.push(latency(comparison));
    guards.extend(floors(comparison));
    guards.extend(champion(comparison));
    guards
}

fn guard(name: &str, state: GuardState, why: Option<String>) -> Guard {
    Guard { name: name.to_owned(), champion: None, candidate: None, limit: None, state, why }
}

fn module(comparison: &Comparison) -> Guard {
    match &comparison.candidate.module {
        Ok(_) => guard("module", Holds, None),
        Err(why) => guard("module", Broken, Some(format!("the candidate's module is broken: {why}"))),
    }
}

/// Nothing to say of answers when the module is broken.
fn answers(comparison: &Comparison) -> Option<Guard> {
    comparison.candidate.module.as_ref().ok()?;
    Some(match scores::answers(&comparison.candidate, &comparison.labels) {
        Ok(_) => guard("answers", Holds, None),
        Err(why) => guard("answers", Broken, Some(format!("the candidate cannot be judged: {why}"))),
    })
}

fn leaked(comparison: &Comparison) -> Guard {
    let Some(limit) = comparison.policy.guards.leaked_rows else { return guard("leakage", Off, None) };
    let Some(hashes) = comparison.row_hashes.as_ref().filter(|hashes| !hashes.seen.is_empty()) else {
        let why = "leakage is not measured: the hashes of the candidate's training rows are missing".to_owned();
        return guard("leakage", NotMeasured, Some(why));
    };
    let (leaked, rows) = (leakage::leaked(&hashes.seen, &hashes.held_out), comparison.labels.len());
    let state = if leaked <= limit { Holds } else { Broken };
    let why = (state == Broken).then(|| {
        format!("the candidate has been trained on {leaked} of the {rows} held-out rows; {limit} are allowed")
    });
    // A champion that knows some of the rows is flattered by them; it is said, and decides nothing.
    let champion = (!hashes.champion.is_empty()).then(|| leakage::leaked(&hashes.champion, &hashes.held_out));
    Guard {
        champion: champion.map(|leaked| format!("{leaked} rows")),
        candidate: Some(format!("{leaked} rows")),
        limit: Some(format!("{limit} rows")),
        ..guard("leakage", state, why)
    }
}

fn same_signature(comparison: &Comparison) -> Guard {
    if !comparison.policy.guards.signature {
        return guard("signature", Off, None);
    }
    match modules(comparison) {
        Modules::Both(champion, candidate) => {
            let found = signature::differences(&champion.manifest, &candidate.manifest);
            let more = if found.len() > 3 { format!(" and {} more", found.len() - 3) } else { String::new() };
            let first = found[..found.len().min(3)].join(", ");
            let why = format!("the candidate's signature differs from the champion's: {first}{more}");
            let state = if found.is_empty() { Holds } else { Broken };
            let candidate = (!found.is_empty()).then(|| format!("{} differences", found.len()));
            let limit = Some("the champion's".to_owned());
            Guard { candidate, limit, ..guard("signature", state, (!found.is_empty()).then_some(why)) }
        }
        Modules::First => guard("signature", NoChampion, None),
        Modules::Missing => guard("signature", NotMeasured, Some("the signatures cannot be compared".to_owned())),
    }
}

fn parity(comparison: &Comparison) -> Guard {
    let Some(limit) = comparison.policy.guards.parity else { return guard("parity", Off, None) };
    let greatest = comparison.parity.iter().max_by(|a, b| {
        // NaN, which says that a host failed, is the greatest of all whatever its sign.
        let key = |difference: f64| if difference.is_nan() { f64::INFINITY } else { difference.abs() };
        key(a.max_difference).total_cmp(&key(b.max_difference))
    });
    let Some(greatest) = greatest else {
        return guard("parity", NotMeasured, Some("parity is not measured: no host has run the candidate".to_owned()));
    };
    let (host, found) = (&greatest.host, greatest.max_difference);
    let state = if found.abs() <= limit { Holds } else { Broken };
    let why = (state == Broken).then(|| {
        let by = if found.is_finite() { format!("by {found:.1e}") } else { "without bound".to_owned() };
        format!("the candidate's answers on {host} differ from the reference {by}; {limit:.1e} is allowed")
    });
    let hosts: Vec<&str> = comparison.parity.iter().map(|parity| parity.host.as_str()).collect();
    let candidate = Some(format!("{found:.1e} ({})", hosts.join(", ")));
    Guard { candidate, limit: Some(format!("{limit:.1e}")), ..guard("parity", state, why) }
}

fn bytes(comparison: &Comparison) -> Guard {
    let guards = &comparison.policy.guards;
    let figure = |module: &Module| Some(module.bytes as f64);
    let limits =
        (guards.module_bytes_ratio, guards.module_bytes_free as f64, guards.module_bytes_max.map(|max| max as f64));
    weighed(comparison, "module bytes", figure, limits, &|value| format!("{value:.0} B"))
}

fn latency(comparison: &Comparison) -> Guard {
    let guards = &comparison.policy.guards;
    let figure = |module: &Module| module.latency_us.filter(|us| us.is_finite() && *us > 0.0);
    let limits = (guards.latency_ratio, guards.latency_us_free, guards.latency_us_max);
    weighed(comparison, "latency", figure, limits, &|value| format!("{value:.2} µs"))
}

/// The metrics that must be reached, each a guard of its own.
fn floors(comparison: &Comparison) -> Vec<Guard> {
    let answers = measure::judged(&comparison.candidate, &comparison.labels).ok();
    let floors = comparison.policy.floors.iter().flatten();
    floors
        .map(|floor| {
            let metric = floor.metric;
            let name = format!("floor of {}", metric.name());
            let found = answers.as_ref().and_then(|matrix| weighted::point(metric, &comparison.labels, matrix));
            let word = if metric.greater_is_better() { "at least" } else { "at most" };
            let limit = format!("{word} {}", markdown::figure(floor.value));
            let (state, why) = match found {
                Some(found) if metric.gain(floor.value, found) >= 0.0 => (Holds, None),
                Some(found) => {
                    let found = markdown::figure(found);
                    (Broken, Some(format!("{} of the candidate is {found}; {limit} is demanded", metric.name())))
                }
                None => (NotMeasured, Some(format!("{} of the candidate is not defined", metric.name()))),
            };
            let candidate = found.map(markdown::figure);
            Guard { candidate, limit: Some(limit), ..guard(&name, state, why) }
        })
        .collect()
}

/// A figure that may be at most a multiple of the champion's (unless it is small enough anyway), and
/// at most a number.
fn weighed(
    comparison: &Comparison,
    name: &str,
    figure: impl Fn(&Module) -> Option<f64>,
    (ratio, free, max): (Option<f64>, f64, Option<f64>),
    print: &dyn Fn(f64) -> String,
) -> Guard {
    if ratio.is_none() && max.is_none() {
        return guard(name, Off, None);
    }
    let first = comparison.champion.is_none();
    let champion = comparison.champion.as_ref().and_then(|c| c.module.as_ref().ok()).and_then(&figure);
    let candidate = comparison.candidate.module.as_ref().ok().and_then(&figure);
    // Each limit that can be told, with the words for it.
    let relative = ratio.zip(champion).map(|(ratio, champion)| {
        ((ratio * champion).max(free), format!("{ratio} × the champion's or {}", print(free)))
    });
    let absolute = max.map(|max| (max, print(max)));
    let limits: Vec<(f64, String)> = [relative, absolute].into_iter().flatten().collect();
    let over =
        candidate.and_then(|value| limits.iter().find(|(limit, _)| value > *limit).map(|(_, words)| (value, words)));
    let untold = candidate.is_none() || (ratio.is_some() && champion.is_none() && !first);
    let (state, why) = match over {
        Some((value, words)) => {
            let than = champion.map_or(String::new(), |champion| format!(" (the champion's: {})", print(champion)));
            (Broken, Some(format!("{name} of the candidate: {}{than}; at most {words} is allowed", print(value))))
        }
        None if untold && !(first && max.is_none()) => {
            let who = if candidate.is_none() { "candidate" } else { "champion" };
            (NotMeasured, Some(format!("{name}: not measured for the {who}")))
        }
        None if limits.is_empty() => (NoChampion, None),
        None => (Holds, None),
    };
    let limit = (!limits.is_empty()).then(|| limits.into_iter().map(|(_, words)| words).collect::<Vec<_>>().join(", "));
    Guard { champion: champion.map(print), candidate: candidate.map(print), limit, ..guard(name, state, why) }
}

/// Only listed when the champion is at fault: then there is nothing to compare with.
fn champion(comparison: &Comparison) -> Option<Guard> {
    let why = measure::judged(comparison.champion.as_ref()?, &comparison.labels).err()?;
    Some(guard("champion", NotMeasured, Some(format!("the champion cannot be compared with: {why}"))))
}

enum Modules<'a> {
    Both(&'a Module, &'a Module),
    First,
    Missing,
}

fn modules(comparison: &Comparison) -> Modules<'_> {
    let Some(champion) = &comparison.champion else { return Modules::First };
    match (&champion.module, &comparison.candidate.module) {
        (Ok(champion), Ok(candidate)) => Modules::Both(champion, candidate),
        _ => Modules::Missing,
    }
}
