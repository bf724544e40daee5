//! Learners: from encoded rows to scores, and from scores to answers.

mod boosting;
mod linear;
mod logistic;
mod minimise;
mod ridge;

use hessboost::model::{BoostedModel, Iterations};

use crate::data::Data;
use crate::encoder::{Encoder, Matrix};
use crate::split::Parts;
use crate::{Error, Pipeline, Progress};

/// What a learner is given.
pub(crate) struct Task<'a> {
    /// The table.
    pub data: &'a Data,
    /// Its rows.
    pub parts: &'a Parts,
    /// The transforms.
    pub encoder: &'a Encoder,
    /// The parameters.
    pub pipeline: &'a Pipeline,
}

/// A fitted learner.
pub(crate) struct Fitted {
    /// `linear` or `boosting`.
    pub learner: &'static str,
    /// From encoded rows to scores.
    pub scores: Scores,
    /// How much each encoded column matters: total gain, or the size of the scaled coefficient.
    pub importance: Vec<f64>,
    /// What was found while fitting, for the log.
    pub found: Vec<(String, String)>,
}

/// From encoded rows to scores: one for two classes or a number, else one for each class.
pub(crate) enum Scores {
    /// `weights · x + intercepts` on scaled rows.
    Linear {
        /// `outputs × width`, row-major.
        weights: Vec<f32>,
        /// One for each output.
        intercepts: Vec<f32>,
    },
    /// Sums of leaves on raw rows.
    Trees(Box<BoostedModel>),
}

/// Answers: probabilities (`classes` a row), or numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answers {
    /// Number of classes; `None` for numbers.
    pub classes: Option<usize>,
    /// Row-major.
    pub values: Vec<f32>,
}

impl Answers {
    /// Numbers in a row.
    pub fn width(&self) -> usize {
        self.classes.unwrap_or(1)
    }

    /// Those of some of the rows.
    pub fn rows(&self, rows: &[usize]) -> Answers {
        let width = self.width();
        let values = rows.iter().flat_map(|row| &self.values[row * width..(row + 1) * width]).copied().collect();
        Answers { classes: self.classes, values }
    }
}

/// Fits all learners that the pipeline names.
pub(crate) fn fit(task: &Task<'_>, progress: &mut dyn Progress) -> Result<Vec<Fitted>, Error> {
    let mut fitted = Vec::new();
    if let Some(parameters) = &task.pipeline.learners.linear {
        fitted.push(linear::fit(task, parameters, progress)?);
    }
    if let Some(parameters) = &task.pipeline.learners.boosting {
        fitted.push(boosting::fit(task, parameters, progress)?);
    }
    Ok(fitted)
}

impl Fitted {
    /// Answers for rows of the table, in f64 where there is a choice.
    pub fn answer(&self, data: &Data, encoder: &Encoder, rows: &[usize]) -> Result<Answers, Error> {
        let classes = data.target.classes();
        let scores = match &self.scores {
            Scores::Linear { weights, intercepts } => linear_scores(&encoder.scaled(data, rows), weights, intercepts),
            Scores::Trees(model) => {
                let matrix = boosting::matrix(&encoder.raw(data, rows))?;
                let margins = model.predict_margin(&matrix, Iterations::Best).map_err(boosting::wrong)?;
                margins.as_slice().iter().copied().map(f64::from).collect()
            }
        };
        let values = match classes {
            None => scores.iter().map(|score| *score as f32).collect(),
            Some(2) => scores
                .iter()
                .map(|score| logistic::sigmoid(*score))
                .flat_map(|p| [(1.0 - p) as f32, p as f32])
                .collect(),
            Some(n) => {
                let mut scores = scores;
                scores.chunks_exact_mut(n).for_each(logistic::softmax);
                scores.iter().map(|p| *p as f32).collect()
            }
        };
        Ok(Answers { classes, values })
    }
}

fn linear_scores(rows: &Matrix, weights: &[f32], intercepts: &[f32]) -> Vec<f64> {
    let mut scores = Vec::with_capacity(rows.len() * intercepts.len());
    for row in rows.rows() {
        for (weights, intercept) in weights.chunks_exact(rows.width).zip(intercepts) {
            let products = row.iter().zip(weights).map(|(x, w)| f64::from(*x) * f64::from(*w));
            scores.push(products.sum::<f64>() + f64::from(*intercept));
        }
    }
    scores
}
