//! ZipMap, taken off: a map of label to probability is a row of probabilities whose columns have names.

use std::collections::{BTreeMap, HashMap};

use tract_onnx::pb::{GraphProto, NodeProto, TypeProto, type_proto};

use super::attributes::Attributes;
use crate::Error;
use crate::support::place;

/// Replaces every ZipMap by an Identity; the answer gives the column names by output of the model.
///
/// Probabilities that leave the model without a ZipMap get the labels of their classifier too.
pub fn remove(graph: &mut GraphProto) -> Result<BTreeMap<String, Vec<String>>, Error> {
    let mut columns = BTreeMap::new();
    for node in &mut graph.node {
        if node.op_type != "ZipMap" {
            continue;
        }
        let Some(output) = graph.output.iter_mut().find(|o| node.output.first() == Some(&o.name)) else {
            return Err(Error::unsupported(
                place(node),
                "a map inside the model",
                "make the ZipMap the model's last node, or export without it (skl2onnx: `options={\"zipmap\": False}`)",
            ));
        };
        columns.insert(output.name.clone(), labels(node)?);
        let tensor = type_proto::Tensor { elem_type: 1, shape: None };
        output.r#type =
            Some(TypeProto { denotation: String::new(), value: Some(type_proto::Value::TensorType(tensor)) });
        node.op_type = "Identity".into();
        node.domain = String::new();
        node.attribute.clear();
    }
    let makers: HashMap<&str, &NodeProto> =
        graph.node.iter().flat_map(|n| n.output.iter().map(move |o| (&**o, n))).collect();
    for output in &graph.output {
        if let Some(labels) = classifier(&makers, &output.name) {
            columns.entry(output.name.clone()).or_insert(labels);
        }
    }
    Ok(columns)
}

/// Labels of the classifier whose scores reach `value` through operators that keep the columns.
fn classifier(makers: &HashMap<&str, &NodeProto>, value: &str) -> Option<Vec<String>> {
    let mut value = value;
    for _ in 0..makers.len() {
        let node = makers.get(value)?;
        match &*node.op_type {
            "TreeEnsembleClassifier" | "LinearClassifier" if node.output.get(1).map(String::as_str) == Some(value) => {
                return labels(node).ok();
            }
            "Identity" | "Normalizer" | "Cast" | "Mul" | "Softmax" | "Sigmoid" | "Clip" => {
                value = node.input.first()?
            }
            _ => return None,
        }
    }
    None
}

fn labels(node: &NodeProto) -> Result<Vec<String>, Error> {
    let strings = node.strings("classlabels_strings");
    let ints = [node.ints("classlabels_int64s"), node.ints("classlabels_ints")].concat();
    match (strings.is_empty(), ints.is_empty()) {
        (false, true) => strings
            .iter()
            .map(|s| String::from_utf8(s.clone()))
            .collect::<Result<_, _>>()
            .map_err(|_| Error::invalid(place(node), "has a label that is not UTF-8")),
        (true, false) => Ok(ints.iter().map(i64::to_string).collect()),
        _ => Err(Error::invalid(place(node), "needs either `classlabels_strings` or `classlabels_int64s`")),
    }
}
