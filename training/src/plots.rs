//! Plots of the held-out rows as SVG, legible on light and dark pages.

mod bars;
mod curves;
mod grid;
mod svg;

use crate::data::Target;
use crate::fit::Trained;
use crate::metrics;

/// File name and content of each plot of the task.
pub(crate) fn plots(trained: &Trained) -> Vec<(&'static str, String)> {
    let rows = &trained.parts.test;
    let values: Vec<f64> = trained.answers.values.iter().map(|value| f64::from(*value)).collect();
    let mut plots = vec![("importance.svg", bars::importance(&trained.importance, trained.learner))];
    match &trained.data.target {
        Target::Numbers { rows: target, name } => {
            let target: Vec<f64> = rows.iter().map(|row| f64::from(target[*row])).collect();
            plots.push(("predicted.svg", curves::predicted(name, &target, &values)));
        }
        Target::Classes { rows: target, labels } => {
            let target: Vec<usize> = rows.iter().map(|row| target[*row] as usize).collect();
            let names = labels.names();
            let classes = names.len();
            let bins = metrics::calibration(&target, &values, classes);
            plots.push(("calibration.svg", curves::calibration(&bins)));
            plots.push(("confusion.svg", grid::confusion(&names, &metrics::confusion(&target, &values, classes))));
            let of = |class: usize| {
                let is: Vec<bool> = target.iter().map(|t| *t == class).collect();
                let scores: Vec<f64> = values.chunks_exact(classes).map(|row| row[class]).collect();
                (names[class].clone(), metrics::auc(&is, &scores), metrics::roc(&is, &scores))
            };
            let curves: Vec<_> = if classes == 2 { vec![of(1)] } else { (0..classes.min(6)).map(of).collect() };
            plots.push(("roc.svg", curves::roc(&curves)));
        }
    }
    plots
}
