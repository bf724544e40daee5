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
    /// Shown to be worse, or broken: it must not be promoted.
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
    /// A test of "no difference" (DeLong, McNemar, else the bootstrap's); it informs, the interval decides.
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
    /// Worse is shown (the whole interval lies below 0), and a loss of the margin is not excluded.
    /// Guards and slices: a loss greater than the margin is shown, after Holm's correction.
    Inferior,
    /// Too few rows for a judgement.
    TooFewRows,
    /// It could not be measured.
    NotMeasured,
}

/// One demand beside the metrics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Guard {
    /// `module`, `answers`, `champion`, `leakage`, `signature`, `parity`, `module bytes`, `latency`, or
    /// `floor of` a metric.
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
    /// The report as JSON, a line for each field.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// What is worth a curve in the candidate's run: `gate/auc.delta`, `gate/auc.lower`, `gate/auc.upper`, …
    pub fn figures(&self) -> Vec<(String, f64)> {
        let whole = self.measured.iter().filter(|m| !matches!(m.role, Role::Slice(_)));
        whole
            .flat_map(|m| {
                let figures = [
                    ("champion", m.champion),
                    ("candidate", m.candidate),
                    ("delta", m.gain),
                    ("lower", m.lower),
                    ("upper", m.upper),
                ];
                figures.into_iter().filter_map(|(key, value)| {
                    Some((format!("gate/{}.{key}", m.metric.name()), value.filter(|value| value.is_finite())?))
                })
            })
            .collect()
    }

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
