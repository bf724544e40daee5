//! The metrics that the gate knows: name, direction, and what counts as a loss too small to matter.

use serde::{Deserialize, Serialize};

use super::scores::Labels;

/// A metric, by the name it has in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Area under the ROC curve; for several classes the mean of each against the rest.
    Auc,
    /// Mean of `-ln p(true class)`.
    LogLoss,
    /// Share of rows whose most probable class is the true one.
    Accuracy,
    /// F1 of the second of two classes, else the mean over the classes.
    F1,
    /// Mean squared distance of the probabilities to the truth.
    Brier,
    /// Expected calibration error in ten bins.
    Ece,
    /// Root of the mean squared error.
    Rmse,
    /// Mean absolute error.
    Mae,
    /// Share of the variance explained.
    R2,
}

impl Metric {
    /// The name in a run and in `gate.yaml`.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Auc => "auc",
            Metric::LogLoss => "log_loss",
            Metric::Accuracy => "accuracy",
            Metric::F1 => "f1",
            Metric::Brier => "brier",
            Metric::Ece => "ece",
            Metric::Rmse => "rmse",
            Metric::Mae => "mae",
            Metric::R2 => "r2",
        }
    }

    /// True when more is better.
    pub fn greater_is_better(self) -> bool {
        matches!(self, Metric::Auc | Metric::Accuracy | Metric::F1 | Metric::R2)
    }

    /// True for metrics of predicted numbers, false for those of class probabilities.
    pub fn of_numbers(self) -> bool {
        matches!(self, Metric::Rmse | Metric::Mae | Metric::R2)
    }

    /// How much better `candidate` is than `champion`: positive is better, whichever way the metric goes.
    pub fn gain(self, champion: f64, candidate: f64) -> f64 {
        if self.greater_is_better() { candidate - champion } else { champion - candidate }
    }

    /// The margin when the policy gives none: 0.01, 0.005 for the Brier score, 0.02 for F1 and ECE, and
    /// 2 % of the champion's own error for RMSE and MAE, which are in the target's unit.
    pub fn default_margin(self, champion: f64) -> f64 {
        match self {
            Metric::Auc | Metric::LogLoss | Metric::Accuracy | Metric::R2 => 0.01,
            Metric::Brier => 0.005,
            Metric::F1 | Metric::Ece => 0.02,
            Metric::Rmse | Metric::Mae => 0.02 * champion,
        }
    }

    /// The deciding metric when the policy names none: AUC for two classes, log loss for more, RMSE for numbers.
    pub(super) fn default_for(labels: &Labels) -> Metric {
        match labels {
            Labels::Classes { names, .. } if names.len() == 2 => Metric::Auc,
            Labels::Classes { .. } => Metric::LogLoss,
            Labels::Numbers(_) => Metric::Rmse,
        }
    }

    /// The metrics that must not become worse when the policy lists none.
    pub(super) fn default_guards(labels: &Labels) -> &'static [Metric] {
        match labels {
            Labels::Classes { .. } => &[Metric::Accuracy, Metric::Brier],
            Labels::Numbers(_) => &[Metric::Mae],
        }
    }
}
