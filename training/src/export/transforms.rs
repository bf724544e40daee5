//! The encoder as nodes: from the inputs to one row of numbers.

use super::graph::{Builder, ML, Name, attribute};
use crate::data::Data;
use crate::encoder::{Encoder, Numeric};
use crate::learner::Scores;

/// `[N, width]`: numbers (imputed and scaled for linear models, as they are for trees), then categories.
pub(super) fn features(graph: &mut Builder, data: &Data, encoder: &Encoder, scores: &Scores) -> Name {
    let mut parts = Vec::new();
    if !encoder.numeric.is_empty() {
        let names = encoder.numeric.iter().map(|column| data.features[column.feature].name.as_str()).collect();
        let mut numbers = concat(graph, names);
        if matches!(scores, Scores::Linear { .. }) {
            numbers = scaled(graph, &numbers, &encoder.numeric);
        }
        parts.push(numbers);
    }
    for column in encoder.categorical.iter().filter(|column| !column.categories.is_empty()) {
        let input = &data.features[column.feature].name;
        let attributes = vec![attribute("cats_strings", column.categories.clone()), attribute("zeros", 1i64)];
        let hot = graph.node(ML, "OneHotEncoder", &[input], attributes); // [N, 1, categories]
        let shape = graph.integers(&[-1, column.categories.len() as i64]);
        parts.push(graph.node("", "Reshape", &[&hot, &shape], Vec::new()));
    }
    concat(graph, parts.iter().map(String::as_str).collect())
}

fn scaled(graph: &mut Builder, numbers: &str, columns: &[Numeric]) -> Name {
    let means: Vec<f32> = columns.iter().map(|column| column.mean).collect();
    let scales: Vec<f32> = columns.iter().map(|column| column.scale).collect();
    let impute = vec![attribute("imputed_value_floats", means.clone()), attribute("replaced_value_float", f32::NAN)];
    let whole = graph.node(ML, "Imputer", &[numbers], impute);
    graph.node(ML, "Scaler", &[&whole], vec![attribute("offset", means), attribute("scale", scales)])
}

fn concat(graph: &mut Builder, parts: Vec<&str>) -> Name {
    match parts.as_slice() {
        [one] => (*one).to_owned(),
        _ => graph.node("", "Concat", &parts, vec![attribute("axis", 1i64)]),
    }
}
