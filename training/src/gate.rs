//! The gate: is the candidate better than the champion on the same held-out rows, and as safe?
//!
//! ```text
//! check → guards (module, answers, leakage, signature, parity, bytes, latency)
//!       → measure (metrics, paired stratified bootstrap, McNemar, DeLong, Holm over guards and slices)
//!       → verdict (PROMOTE, HOLD or REJECT, and the one deciding reason) → report (Markdown, JSON)
//! ```
//!
//! Pure: no files, no sockets, no clocks. Whoever calls it has run both models on the same rows.

mod baseline;
mod bootstrap;
mod check;
mod delong;
mod error;
mod flips;
mod guards;
mod holm;
mod leakage;
mod markdown;
mod mcnemar;
mod measure;
mod metric;
mod normal;
mod policy;
mod random;
mod report;
mod scores;
mod signature;
mod verdict;
mod weighted;

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use contract::Manifest;

pub use delong::{DeLong, delong};
pub use error::Error;
pub use flips::{ClassFlips, Flips};
pub use holm::holm;
pub use leakage::row_hash;
pub use mcnemar::{McNemar, mcnemar};
pub use metric::Metric;
pub use policy::{Bootstrap, Floor, GuardMetric, Guards, Policy, Slices};
pub use report::{Guard, GuardState, Measured, MeasuredState, Report, Role, Test, Verdict};
pub use scores::{Labels, Scores};

/// Two models on the same held-out rows, and what else is known of them.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The truth, one for each held-out row.
    pub labels: Labels,
    /// The model in production; `None` for a first deployment, which has its own rule.
    pub champion: Option<Contender>,
    /// The model that wants to take its place.
    pub candidate: Contender,
    /// How far the candidate's answers differ between hosts; empty: not measured.
    pub parity: Vec<Parity>,
    /// Identities of the candidate's training rows and of the held-out rows; `None`: not known.
    pub row_hashes: Option<RowHashes>,
    /// Parts of the held-out rows on which the candidate must not be worse either.
    pub slices: Vec<Slice>,
    /// What is demanded.
    pub policy: Policy,
}

/// One model: its answers and its module.
#[derive(Clone, Debug)]
pub struct Contender {
    /// Name for the report, `wine-quality/7`.
    pub name: String,
    /// Its answers, in the order of the labels. Not looked at when the module is broken.
    pub scores: Scores,
    /// Its module, or the sentence that says why there is none (damaged, does not compile, golden rows fail).
    pub module: Result<Module, String>,
}

/// What a compiled model weighs.
#[derive(Clone, Debug)]
pub struct Module {
    /// Signature and cost.
    pub manifest: Manifest,
    /// Size of the sealed module.
    pub bytes: u64,
    /// Median time for one row in microseconds, both models in the same host on the same machine;
    /// `None` where it cannot be measured.
    pub latency_us: Option<f64>,
}

/// Greatest difference between one host's answers and the reference's on the held-out rows, relative
/// to 1 + |answer|; NaN when the host failed.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Parity {
    pub host: String,
    pub max_difference: f64,
}

/// Identities of rows, for example by [`row_hash`]; the same function on both sides.
#[derive(Clone, Debug, Default)]
pub struct RowHashes {
    /// Every row that the candidate's fit or its choice of a learner has seen.
    pub seen: Vec<u128>,
    /// The same of the champion; empty: not known.
    pub champion: Vec<u128>,
    /// The held-out rows, in the order of the labels.
    pub held_out: Vec<u128>,
}

/// A part of the held-out rows.
#[derive(Clone, Debug)]
pub struct Slice {
    /// Name for the report, `alcohol >= 12`.
    pub name: String,
    /// Row numbers from 0.
    pub rows: Vec<usize>,
}

/// Compares and decides. A fault of a model is a verdict; an error says that the question itself
/// is wrong (labels, slices or policy), and nothing must be promoted then either.
pub fn decide(comparison: &Comparison) -> Result<Report, Error> {
    check::check(comparison)?;
    let guards = guards::all(comparison);
    let measured = measure::all(comparison);
    let (verdict, reason) = verdict::verdict(comparison, &guards, &measured);
    Ok(Report {
        verdict,
        reason,
        candidate: comparison.candidate.name.clone(),
        champion: comparison.champion.as_ref().map(|champion| champion.name.clone()),
        rows: comparison.labels.len(),
        flips: flips::flips(comparison),
        measured,
        guards,
        policy: comparison.policy.clone(),
    })
}
