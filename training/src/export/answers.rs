//! From scores to outputs: a label and probabilities, or the predicted number.

use super::graph::{Builder, Element, ML, Name, attribute};
use crate::data::{Data, Labels, Target};

/// Adds the outputs; answers the name of the probabilities and of its columns where there are classes.
/// A name that a column has already gets `predicted_` before it.
pub(super) fn answers(graph: &mut Builder, data: &Data, scores: Name, taken: &[&str]) -> Option<(Name, Vec<String>)> {
    let free = |name: &str| {
        let mut name = name.to_owned();
        while taken.contains(&name.as_str()) {
            name = format!("predicted_{name}");
        }
        name
    };
    match &data.target {
        Target::Numbers { name, .. } => {
            let name = free(name);
            graph.named("", "Identity", &[&scores], Vec::new(), &name);
            graph.output(&name, Element::Float, Some(1));
            None
        }
        Target::Classes { labels, .. } => {
            let (label, probabilities) = (free("label"), free("probabilities"));
            let columns = labels.names();
            if columns.len() == 2 {
                let yes = graph.node("", "Sigmoid", &[&scores], Vec::new());
                let one = graph.floats(&[1.0]);
                let no = graph.node("", "Sub", &[&one, &yes], Vec::new());
                graph.named("", "Concat", &[&no, &yes], vec![attribute("axis", 1i64)], &probabilities);
            } else {
                graph.named("", "Softmax", &[&scores], vec![attribute("axis", 1i64)], &probabilities);
            }
            let element = write_label(graph, labels, &probabilities, &label);
            graph.output(&label, element, None);
            graph.output(&probabilities, Element::Float, Some(columns.len() as i64));
            Some((probabilities, columns))
        }
    }
}

/// The most probable class (the first of equals) by its label.
fn write_label(graph: &mut Builder, labels: &Labels, probabilities: &str, label: &str) -> Element {
    let axis = || vec![attribute("axis", 1i64), attribute("keepdims", 0i64)];
    let keys: Vec<i64> = (0..labels.names().len() as i64).collect();
    match labels {
        Labels::Integers(labels) if *labels == keys => {
            graph.named("", "ArgMax", &[probabilities], axis(), label);
            Element::Int64
        }
        Labels::Integers(labels) => {
            let class = graph.node("", "ArgMax", &[probabilities], axis());
            let values = attribute("values_int64s", labels.clone());
            graph.named(ML, "LabelEncoder", &[&class], vec![attribute("keys_int64s", keys), values], label);
            Element::Int64
        }
        Labels::Texts(labels) => {
            let class = graph.node("", "ArgMax", &[probabilities], axis());
            let values = attribute("values_strings", labels.clone());
            graph.named(ML, "LabelEncoder", &[&class], vec![attribute("keys_int64s", keys), values], label);
            Element::String
        }
    }
}
