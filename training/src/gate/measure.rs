//! Metrics of both models, their difference, and how sure it is.

use super::bootstrap::{self, Spread};
use super::weighted::{self, Weighted};
use super::{
    Comparison, Contender, Labels, Measured, MeasuredState, Metric, Role, Test, baseline, delong, flips, holm, mcnemar,
    scores,
};

/// Share of the replicates on which a metric must be defined.
const DEFINED: f64 = 0.95;

/// What a contender answers, or why it cannot be judged.
pub(super) fn judged(contender: &Contender, labels: &Labels) -> Result<Vec<f64>, String> {
    contender.module.as_ref().map_err(|why| format!("its module is broken: {why}"))?;
    scores::answers(contender, labels)
}

/// The deciding metric, and where there is a champion the guard metrics and slices. Without a
/// champion the candidate is measured beside the trivial baseline.
pub(super) fn all(comparison: &Comparison) -> Vec<Measured> {
    let (labels, policy) = (&comparison.labels, &comparison.policy);
    let metric = policy.metric_for(labels);
    let candidate = judged(&comparison.candidate, labels).ok();
    let champion = match &comparison.champion {
        Some(champion) => judged(champion, labels).ok(),
        None => Some(baseline::answers(labels, metric)),
    };
    let everything: Vec<usize> = (0..labels.len()).collect();
    let mut jobs = vec![Job::new(Role::Deciding, metric, policy.margin, &everything)];
    if comparison.champion.is_some() {
        for guard in policy.guard_metrics_for(labels) {
            jobs.push(Job::new(Role::Guard, guard.metric, guard.margin, &everything));
        }
        for slice in &comparison.slices {
            let margin = policy.slices.margin.or(policy.margin.map(|margin| 3.0 * margin));
            jobs.push(Job::new(Role::Slice(slice.name.clone()), metric, margin, &slice.rows));
        }
    }
    for job in &mut jobs {
        let labels = part(labels, &job.rows);
        let of = |matrix: &Option<Vec<f64>>| {
            let matrix = rows_of(matrix.as_ref()?, comparison.labels.len(), &job.rows);
            (!job.rows.is_empty()).then(|| weighted::point(job.metric, &labels, &matrix)).flatten()
        };
        (job.champion, job.candidate) = (of(&champion), of(&candidate));
    }
    if let (Some(champion), Some(candidate)) = (&champion, &candidate) {
        replicate(comparison, &mut jobs, champion, candidate);
    }
    let mut measured: Vec<Measured> = jobs.iter_mut().map(|job| job.measured(comparison)).collect();
    if let (Some(champion), Some(candidate)) = (&champion, &candidate) {
        for (measured, job) in measured.iter_mut().zip(&jobs).filter(|(_, job)| !matches!(job.role, Role::Slice(_))) {
            measured.test = textbook(job.metric, labels, champion, candidate);
        }
        let bootstrap = jobs[0].spread.as_ref().map(|spread| Test { name: "bootstrap".to_owned(), p: spread.p() });
        measured[0].test = measured[0].test.take().or(bootstrap);
    }
    correct(&mut measured, policy.confidence);
    measured
}

/// One metric on some rows, on its way to a [`Measured`].
struct Job {
    role: Role,
    metric: Metric,
    margin: Option<f64>,
    rows: Vec<usize>,
    champion: Option<f64>,
    candidate: Option<f64>,
    spread: Option<Spread>,
}

impl Job {
    fn new(role: Role, metric: Metric, margin: Option<f64>, rows: &[usize]) -> Self {
        Job { role, metric, margin, rows: rows.to_vec(), champion: None, candidate: None, spread: None }
    }

    fn measured(&self, comparison: &Comparison) -> Measured {
        let policy = &comparison.policy;
        let factor = if matches!(self.role, Role::Slice(_)) { 3.0 } else { 1.0 };
        let margin = self.margin.or(self.champion.map(|champion| factor * self.metric.default_margin(champion)));
        let gain = self.champion.zip(self.candidate).map(|(champion, candidate)| self.metric.gain(champion, candidate));
        let few = matches!(self.role, Role::Slice(_)) && self.rows.len() < policy.slices.rows_min;
        let interval = self.spread.as_ref().map(|spread| spread.interval(policy.confidence));
        let state = match (interval, margin) {
            _ if few => MeasuredState::TooFewRows,
            (Some((lower, upper)), Some(margin)) => {
                if lower > 0.0 {
                    MeasuredState::Superior
                } else if lower > -margin || lower == 0.0 {
                    MeasuredState::NonInferior
                } else if upper < 0.0 {
                    MeasuredState::Inferior
                } else {
                    MeasuredState::Inconclusive
                }
            }
            // A slice of one class, say, or one so small that samples of it lack a class: its rows are to blame.
            _ if matches!(self.role, Role::Slice(_)) => MeasuredState::TooFewRows,
            _ => MeasuredState::NotMeasured,
        };
        let judged = !few && self.role != Role::Deciding;
        Measured {
            role: self.role.clone(),
            metric: self.metric,
            rows: self.rows.len(),
            champion: self.champion,
            candidate: self.candidate,
            gain,
            lower: interval.map(|(lower, _)| lower),
            upper: interval.map(|(_, upper)| upper),
            margin,
            detectable: self.spread.as_ref().and_then(|spread| spread.detectable(policy.confidence)),
            test: None,
            harm_p: self.spread.as_ref().zip(margin).filter(|_| judged).map(|(s, margin)| s.at_least(-margin)),
            state,
        }
    }
}

/// Draws once for all jobs, so that they are measured on the same samples.
fn replicate(comparison: &Comparison, jobs: &mut [Job], champion: &[f64], candidate: &[f64]) {
    let labels = &comparison.labels;
    let mut ready: Vec<(Weighted, Weighted, Vec<f64>)> = jobs
        .iter()
        .map(|job| {
            // A slice is prepared on its own rows, so that a sample of it costs what the slice is long.
            let (truth, rows) = (part(labels, &job.rows), labels.len());
            let of = |matrix| weighted::prepare(job.metric, &truth, &rows_of(matrix, rows, &job.rows));
            (of(champion), of(candidate), Vec::new())
        })
        .collect();
    let mut some = Vec::new();
    bootstrap::samples(&comparison.policy.bootstrap, &labels.strata(), |weights| {
        for (job, (champion, candidate, gains)) in jobs.iter().zip(&mut ready) {
            some.clear();
            some.extend(job.rows.iter().map(|row| weights[*row]));
            if let (Some(before), Some(now)) = (champion.value(&some), candidate.value(&some)) {
                gains.push(job.metric.gain(before, now));
            }
        }
    });
    let least = DEFINED * comparison.policy.bootstrap.replicates as f64;
    for (job, (_, _, gains)) in jobs.iter_mut().zip(ready) {
        let defined = gains.len() as f64 >= least && job.champion.is_some() && job.candidate.is_some();
        job.spread = if defined { Spread::new(gains) } else { None };
    }
}

/// The textbook test of "no difference", where there is one for the metric: DeLong for the AUC of two
/// classes, McNemar for the accuracy.
fn textbook(metric: Metric, labels: &Labels, champion: &[f64], candidate: &[f64]) -> Option<Test> {
    let Labels::Classes { names, rows } = labels else { return None };
    match metric {
        Metric::Auc if names.len() == 2 => {
            let positive: Vec<bool> = rows.iter().map(|class| *class == 1).collect();
            let scores = |matrix: &[f64]| matrix.chunks_exact(2).map(|row| row[1]).collect::<Vec<f64>>();
            let found = delong(&positive, &scores(champion), &scores(candidate))?;
            Some(Test { name: "DeLong".to_owned(), p: found.p })
        }
        Metric::Accuracy => {
            let flips = flips::count(names, rows, champion, candidate);
            let found = mcnemar(flips.right_to_wrong, flips.wrong_to_right);
            let name = if found.exact { "McNemar exact" } else { "McNemar" };
            Some(Test { name: name.to_owned(), p: found.p })
        }
        _ => None,
    }
}

/// Guards and slices are many: one of them is called worse only when Holm's correction lets it be.
/// To be non-inferior on all of them needs no correction, as every one must pass (Berger 1982).
fn correct(measured: &mut [Measured], confidence: f64) {
    let tested: Vec<usize> = (0..measured.len()).filter(|i| measured[*i].harm_p.is_some()).collect();
    let p: Vec<f64> = tested.iter().filter_map(|i| measured[*i].harm_p).collect();
    for (i, p) in tested.into_iter().zip(holm(&p)) {
        measured[i].harm_p = Some(p);
        if matches!(measured[i].state, MeasuredState::Inferior | MeasuredState::Inconclusive) {
            let shown = p < (1.0 - confidence) / 2.0;
            measured[i].state = if shown { MeasuredState::Inferior } else { MeasuredState::Inconclusive };
        }
    }
}

/// The labels of some rows.
pub(super) fn part(labels: &Labels, rows: &[usize]) -> Labels {
    match labels {
        Labels::Classes { names, rows: classes } => {
            Labels::Classes { names: names.clone(), rows: rows.iter().map(|row| classes[*row]).collect() }
        }
        Labels::Numbers(numbers) => Labels::Numbers(rows.iter().map(|row| numbers[*row]).collect()),
    }
}

/// Some rows of a matrix of `count` rows.
fn rows_of(matrix: &[f64], count: usize, rows: &[usize]) -> Vec<f64> {
    let width = matrix.len() / count;
    rows.iter().flat_map(|row| &matrix[row * width..][..width]).copied().collect()
}
