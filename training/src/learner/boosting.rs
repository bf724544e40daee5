//! The boosting learner: gradient-boosted trees by the crate `hessboost`.
//!
//! Chosen by measuring, on the red-wine sample (seed 7; 987 rows to learn from, 300 to stop by, 312
//! held out), release builds on 2 cores:
//!
//! | crate | time | held-out log loss | held-out AUC | the same answers on 1 and 2 threads |
//! |---|---|---|---|---|
//! | hessboost 0.4.6, 151 rounds | 0.04 s | 0.547 | 0.795 | yes |
//! | perpetual 2.3.0, budget 0.5 | 0.22 s | 0.944 | 0.767 | yes |
//! | perpetual 2.3.0, budget 1.0 | 0.25 s | 0.638 | 0.789 | yes |
//! | perpetual 2.3.0, budget 1.5 | 0.50 s | 0.650 | 0.778 | (not tried) |
//!
//! perpetual saw the validation rows too, as it needs none. It also asks for a nightly compiler and
//! reports no metric per round. What hessboost's trees compare (`x < threshold` in f32, a default
//! side for missing values) is what ONNX can say, so the exported model takes the same branches.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use hessboost::objective::Multiclass;
use hessboost::prelude::{
    DMatrix, EvalMetric, HessboostError, ImportanceType, Objective, RegLoss, Trainer, TrainingParams, TreeMethod,
};

use super::{Fitted, Scores, Task};
use crate::encoder::Matrix;
use crate::pipeline::Boosting;
use crate::{Error, Progress};

/// Fits on the raw training rows; stops when the validation loss has not become better for `patience` rounds.
pub(super) fn fit(task: &Task<'_>, parameters: &Boosting, progress: &mut dyn Progress) -> Result<Fitted, Error> {
    let (data, encoder) = (task.data, task.encoder);
    let table = |rows: &[usize]| {
        let labels: Vec<f32> = rows.iter().map(|row| data.target.value(*row)).collect();
        matrix(&encoder.raw(data, rows))?.with_labels(&labels).map_err(wrong)
    };
    let (train, validation) = (table(&task.parts.train)?, table(&task.parts.validation)?);
    let (objective, metric, loss) = match data.target.classes() {
        None => (Objective::SquaredError(RegLoss::default()), EvalMetric::Rmse, "rmse"),
        Some(2) => (Objective::BinaryLogistic(RegLoss::default()), EvalMetric::LogLoss, "log_loss"),
        Some(n) => (Objective::Softprob(Multiclass::new(n).map_err(wrong)?), EvalMetric::MLogLoss, "log_loss"),
    };
    let settings = TrainingParams::builder()
        .objective(objective)
        .eval_metric(metric)
        .tree_method(TreeMethod::Hist)
        .seed(task.pipeline.split.seed)
        .max_depth(parameters.depth)
        .eta(parameters.learning_rate)
        .min_child_weight(parameters.min_child_weight)
        .lambda(parameters.lambda)
        .subsample(parameters.subsample)
        .colsample_bytree(parameters.colsample)
        .build()
        .map_err(wrong)?;
    let (train_key, validation_key) = (format!("boosting.train_{loss}"), format!("boosting.validation_{loss}"));
    progress.start("boosting", parameters.rounds);
    let result = Trainer::new(&settings, &train, parameters.rounds)
        .eval(&train, "train")
        .eval(&validation, "validation")
        .early_stopping_rounds(NonZeroUsize::new(parameters.patience).unwrap_or(NonZeroUsize::MIN))
        .on_round(|round| {
            if let [train, validation] = round.values() {
                let points = [(train_key.as_str(), *train), (validation_key.as_str(), *validation)];
                progress.step("boosting", round.iteration(), &points);
            }
            ControlFlow::Continue(())
        })
        .train()
        .map_err(wrong)?;
    progress.end("boosting");
    let model = result.model;
    let mut importance = vec![0.0; encoder.width()];
    for (column, gain) in model.feature_importance(ImportanceType::TotalGain) {
        importance[column] = gain;
    }
    let best = model.best_iteration().map_or(model.num_boost_rounds(), |best| best + 1);
    let found = vec![("boosting.best_round".to_owned(), best.to_string())];
    Ok(Fitted { learner: "boosting", scores: Scores::Trees(Box::new(model)), importance, found })
}

/// Rows as hessboost takes them; NaN is missing.
pub(super) fn matrix(rows: &Matrix) -> Result<DMatrix, Error> {
    DMatrix::from_dense(&rows.data, rows.len(), rows.width).map_err(wrong)
}

pub(super) fn wrong(error: HessboostError) -> Error {
    Error::Learner { learner: "boosting", what: error.to_string() }
}
