//! The report: what was found, and what follows. JSON by serde, Markdown by [`Report::markdown`].

use serde::{Deserialize, Serialize};

use super::{Flips, Metric, Policy, markdown};

/// What the gate found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What to do.
    pub verdict: Verdict,
    /// The one deciding reason, a sentence with figures.
    pub reason: String,
    /// Name of the candidate.
    pub candidate: String,
    /// Name of the champion; absent for a first deployment, which is compared with the trivial baseline.
    pub champion: Option<String>,
    /// Held-out rows.
    pub rows: usize,
    /// The deciding metric first, then guard metrics, then slices.
    pub measured: Vec<Measured>,
    /// In the order in which they decide.
    pub guards: Vec<Guard>,
    /// Decisions that changed; absent for numbers and without a champion.
    pub flips: Option<Flips>,
    /// What was demanded.
    pub policy: Policy,
}

/// What to do with the candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// Better, and as safe: it takes the champion's place.
    Promote,
    /// Not shown to be better, nor to be worse: the champion stays, a person may look.
    Hold,
    /// Worse, broken, or not shown to be as good: it must not be promoted.
    Reject,
}

/// One metric on all rows or on a slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Why it is measured.
    pub role: Role,
    /// Which.
    pub metric: Metric,
    /// On how many rows.
    pub rows: usize,
    /// Of the champion, or of the trivial baseline.
    pub champion: Option<f64>,
    /// Of the candidate.
    pub candidate: Option<f64>,
    /// How much better the candidate is: positive is better, whichever way the metric goes.
    pub gain: Option<f64>,
    /// Lower bound of the interval of the gain.
    pub lower: Option<f64>,
    /// Upper bound.
    pub upper: Option<f64>,
    /// Greatest loss that counts as none.
    pub margin: Option<f64>,
    /// Smallest difference that so many rows show in 80 of 100 cases; absent when no sample differs.
    pub detectable: Option<f64>,
    /// A test of "no difference"; it informs, the interval decides.
    pub test: Option<Test>,
    /// Guards and slices: p-value of "the loss is within the margin", corrected by Holm over all of them.
    pub harm_p: Option<f64>,
    /// What it means.
    pub state: MeasuredState,
}

/// Why something is measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It decides.
    Deciding,
    /// It must not become worse.
    Guard,
    /// The deciding metric on the slice of this name, where it must not become worse.
    Slice(String),
}

/// A test of "no difference".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// `DeLong`, `McNemar exact`, `McNemar` or `bootstrap`.
    pub name: String,
    /// Two-sided p-value.
    pub p: f64,
}

/// What a measurement means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeasuredState {
    /// The whole interval lies above 0.
    Superior,
    /// The whole interval lies above −margin.
    NonInferior,
    /// Neither as good nor worse is shown.
    Inconclusive,
    /// A loss greater than the margin is shown.
    Inferior,
    /// Too few rows for a judgement.
    TooFewRows,
    /// It could not be measured.
    NotMeasured,
}

/// One demand beside the metrics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Guard {
    /// `module`, `answers`, `champion`, `leakage`, `signature`, `parity`, `module bytes` or `latency`.
    pub name: String,
    /// Figure of the champion.
    pub champion: Option<String>,
    /// Figure of the candidate.
    pub candidate: Option<String>,
    /// What is allowed.
    pub limit: Option<String>,
    /// What it means.
    pub state: GuardState,
    /// Why, when it is broken or not measured: a sentence with figures.
    pub why: Option<String>,
}

/// What a guard means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardState {
    /// As demanded.
    Holds,
    /// Not as demanded: REJECT.
    Broken,
    /// It could not be measured: never PROMOTE.
    NotMeasured,
    /// There is no champion to compare with.
    NoChampion,
    /// The policy does not demand it.
    Off,
}

impl Report {
    /// One screen of Markdown for a pull request.
    pub fn markdown(&self) -> String {
        markdown::write(self)
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Verdict::Promote => "PROMOTE",
            Verdict::Hold => "HOLD",
            Verdict::Reject => "REJECT",
        })
    }
}
