//! The fitted model as ONNX, its transforms inside: one `[N, 1]` input for each column of the file.
//!
//! ```text
//! numbers, parts of dates, … → Concat → (linear: Imputer → Scaler) ┐
//! texts                      → OneHotEncoder → Reshape             ┴ Concat → LinearRegressor | TreeEnsembleRegressor
//!         → Sigmoid | Softmax → probabilities → ArgMax → label           (or the number itself)
//! ```
//! The classifiers of ai.onnx.ml are avoided: how they treat two classes with one score differs
//! between versions and runtimes, while a regressor followed by Sigmoid says what it does.

mod answers;
mod civil;
mod graph;
mod scores;
#[cfg(test)]
mod tests;
mod transforms;

use contract::date::Unit;
use prost::Message;
use tract_onnx::pb;

use crate::data::{Data, Values};
use crate::encoder::Encoder;
use crate::learner::Fitted;
use graph::{Builder, Element};

/// Version of the file format: ONNX 1.13 and later read it.
const IR_VERSION: i64 = 8;
/// Operator sets.
const OPSET: i64 = 17;
const OPSET_ML: i64 = 3;
/// Prefix of metadata keys that name the elements of an output's row, as a JSON array.
const COLUMNS: &str = "beira.columns.";
/// Prefix of metadata keys that say how an input's dates are written, as [`contract::Date`].
const DATE: &str = "beira.date.";

/// Writes the file. The same model gives the same bytes.
pub(crate) fn export(data: &Data, encoder: &Encoder, fitted: &Fitted, name: &str) -> Vec<u8> {
    let names = data.features.iter().map(|feature| feature.name.as_str());
    let mut graph = Builder::new(names.clone());
    let mut metadata = vec![("beira.learner".to_owned(), fitted.learner.to_owned())];
    for feature in &data.features {
        let element = match &feature.values {
            Values::Numbers(_) => Element::Float,
            Values::Texts(_) => Element::String,
            Values::Dates { date, .. } => {
                metadata.push((format!("{DATE}{}", feature.name), serde_json::json!(date).to_string()));
                // Days are exact in f32, milliseconds are not.
                if date.unit == Unit::Days { Element::Float } else { Element::Double }
            }
        };
        graph.input(&feature.name, element);
    }
    let features = transforms::features(&mut graph, data, encoder, &fitted.scores);
    let scores = scores::scores(&mut graph, features, &fitted.scores, encoder.width());
    let taken: Vec<&str> = names.collect();
    if let Some((output, columns)) = answers::answers(&mut graph, data, scores, &taken) {
        metadata.push((format!("{COLUMNS}{output}"), serde_json::Value::from(columns).to_string()));
    }
    let opset = |domain: &str, version| pb::OperatorSetIdProto { domain: domain.to_owned(), version };
    let model = pb::ModelProto {
        ir_version: IR_VERSION,
        opset_import: vec![opset("", OPSET), opset(graph::ML, OPSET_ML)],
        producer_name: "beira".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(graph.finish(name)),
        metadata_props: metadata.into_iter().map(|(key, value)| pb::StringStringEntryProto { key, value }).collect(),
        ..Default::default()
    };
    model.encode_to_vec()
}
