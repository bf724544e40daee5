//! Labels and answers of the held-out rows, and whether a model answered at all.

use super::Contender;

/// The truth of each held-out row.
#[derive(Clone, Debug, PartialEq)]
pub enum Labels {
    /// Classes, for two of them the negative one first.
    Classes {
        /// Their names.
        names: Vec<String>,
        /// Index into the names, one for each row.
        rows: Vec<usize>,
    },
    /// Numbers.
    Numbers(Vec<f64>),
}

/// A model's answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Scores {
    /// Probability of the second of two classes, one for each row.
    Positive(Vec<f64>),
    /// Probabilities of all classes, row-major.
    Classes(Vec<f64>),
    /// Predicted numbers, one for each row.
    Numbers(Vec<f64>),
    /// None, for this reason.
    Refused(String),
}

impl Labels {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Labels::Classes { rows, .. } => rows.len(),
            Labels::Numbers(rows) => rows.len(),
        }
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows that are drawn among themselves: those of one class, or all.
    pub(super) fn strata(&self) -> Vec<Vec<u32>> {
        match self {
            Labels::Classes { names, rows } => {
                let mut strata = vec![Vec::new(); names.len()];
                rows.iter().enumerate().for_each(|(row, class)| strata[*class].push(row as u32));
                strata.retain(|rows| !rows.is_empty());
                strata
            }
            Labels::Numbers(rows) => vec![(0..rows.len() as u32).collect()],
        }
    }
}

/// The answers as a matrix (two columns for two classes, one for numbers), or why they cannot be judged.
pub(super) fn answers(contender: &Contender, labels: &Labels) -> Result<Vec<f64>, String> {
    let (given, matrix, width) = match (&contender.scores, labels) {
        (Scores::Positive(p), Labels::Classes { names, .. }) if names.len() == 2 => {
            (p.len(), p.iter().flat_map(|p| [1.0 - p, *p]).collect(), 2)
        }
        (Scores::Classes(p), Labels::Classes { names, .. }) => (p.len() / names.len(), p.clone(), names.len()),
        (Scores::Numbers(numbers), Labels::Numbers(_)) => (numbers.len(), numbers.clone(), 1),
        (Scores::Refused(why), _) => return Err(why.clone()),
        _ => return Err("it does not answer what the labels ask for".to_owned()),
    };
    let rows = labels.len();
    if matrix.len() != rows * width {
        return Err(format!("it answers {given} of {rows} rows"));
    }
    let bad = |wrong: &dyn Fn(&[f64]) -> bool| matrix.chunks_exact(width).filter(|row| wrong(row)).count();
    let classes = matches!(labels, Labels::Classes { .. });
    let faults = [
        ("NaN or infinity", bad(&|row| row.iter().any(|v| !v.is_finite()))),
        (
            "a probability outside of 0 to 1",
            bad(&|row| classes && row.iter().any(|v| !(-1e-6..=1.0 + 1e-6).contains(v))),
        ),
        ("probabilities that do not sum to 1", bad(&|row| classes && (row.iter().sum::<f64>() - 1.0).abs() > 1e-3)),
    ];
    match faults.into_iter().find(|(_, count)| *count > 0) {
        Some((what, count)) => Err(format!("it answers {what} in {count} of {rows} rows")),
        None => Ok(matrix),
    }
}
