//! How good predictions are, on rows that no learner saw. Pure functions; probabilities in [0, 1].

mod classification;
mod ranking;
mod regression;

pub use classification::{
    Calibration, accuracy, brier, calibration, confusion, expected_calibration_error, f1, log_loss,
};
pub use ranking::{auc, roc};
pub use regression::{mae, r2, rmse};

use crate::data::{Data, Target};
use crate::learner::Answers;

/// All metrics of the task by name; one that is not defined on these rows (AUC of one class) is left out.
pub(crate) fn all(data: &Data, rows: &[usize], answers: &Answers) -> Vec<(&'static str, f64)> {
    let values: Vec<f64> = answers.values.iter().map(|value| f64::from(*value)).collect();
    match &data.target {
        Target::Numbers { rows: target, .. } => {
            let target: Vec<f64> = rows.iter().map(|row| f64::from(target[*row])).collect();
            let mut found = vec![("rmse", rmse(&target, &values)), ("mae", mae(&target, &values))];
            found.extend(r2(&target, &values).map(|r2| ("r2", r2)));
            found
        }
        Target::Classes { rows: target, .. } => {
            let target: Vec<usize> = rows.iter().map(|row| target[*row] as usize).collect();
            let classes = answers.width();
            let mut found = vec![
                ("log_loss", log_loss(&target, &values, classes)),
                ("accuracy", accuracy(&target, &values, classes)),
                ("f1", f1(&target, &values, classes)),
                ("brier", brier(&target, &values, classes)),
                ("ece", expected_calibration_error(&target, &values, classes)),
            ];
            found.extend(ranking::mean_auc(&target, &values, classes).map(|auc| ("auc", auc)));
            found
        }
    }
}

/// The metric that the better learner has less of.
pub(crate) fn loss(data: &Data) -> &'static str {
    if data.target.classes().is_some() { "log_loss" } else { "rmse" }
}
