//! The linear learner: ridge regression for numbers, logistic regression for classes.
//!
//! Our own solvers (80 and 120 lines) instead of linfa's: linfa-logistic 0.8 has no step callback to
//! report a curve with, draws in argmin and ndarray, and its stopping depends on argmin's defaults;
//! these here sum in one fixed order, so the same rows give the same bits.

use super::{Fitted, Scores, Task, logistic, ridge};
use crate::pipeline::Linear;
use crate::{Error, Progress};

/// Fits on the scaled training rows.
pub(super) fn fit(task: &Task<'_>, parameters: &Linear, progress: &mut dyn Progress) -> Result<Fitted, Error> {
    let (data, encoder) = (task.data, task.encoder);
    let train = encoder.scaled(data, &task.parts.train);
    let target = |rows: &[usize]| -> Vec<f32> { rows.iter().map(|row| data.target.value(*row)).collect() };
    let (y, mut found) = (target(&task.parts.train), Vec::new());
    let solution = match data.target.classes() {
        None => {
            progress.start("linear", 1);
            let solution = ridge::fit(&train, &y, parameters.l2);
            progress.step("linear", 0, &[]);
            solution
        }
        Some(classes) => {
            let validation = encoder.scaled(data, &task.parts.validation);
            let held = target(&task.parts.validation);
            progress.start("linear", parameters.iterations);
            let mut steps = 0;
            let solution = logistic::fit(&train, &y, classes, parameters, |step, solution, loss| {
                steps = step;
                let held = logistic::log_loss(solution, &validation, &held);
                progress.step("linear", step, &[("linear.train_log_loss", loss), ("linear.validation_log_loss", held)]);
            });
            found.push(("linear.steps".to_owned(), steps.to_string()));
            solution
        }
    };
    progress.end("linear");
    if solution.iter().flatten().any(|weight| !weight.is_finite()) {
        let what = "the solution is not finite; a column may span too many orders of magnitude".to_owned();
        return Err(Error::Learner { learner: "linear", what });
    }
    let width = encoder.width();
    let mut importance = vec![0.0; width];
    for (column, importance) in importance.iter_mut().enumerate() {
        let spread = deviation(train.rows().map(|row| f64::from(row[column])));
        *importance = solution.iter().map(|output| output[column].abs() * spread).sum();
    }
    let weights = solution.iter().flat_map(|output| output[..width].iter().map(|w| *w as f32)).collect();
    let intercepts = solution.iter().map(|output| output[width] as f32).collect();
    Ok(Fitted { learner: "linear", scores: Scores::Linear { weights, intercepts }, importance, found })
}

fn deviation(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / count;
    (values.map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt()
}
