//! A model's input that is a map, and goes through DictVectorizer or CastMap, becomes a tensor with a column for each key.
//! A value that is missing (NaN) counts as 0, as an absent key does.

use std::collections::{BTreeMap, HashMap};

use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension::Value as Dim};
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto, TensorShapeProto, TypeProto, type_proto};

use super::attributes::{Attributes, int};
use crate::Error;
use crate::support::place;

/// Most columns of a map.
const COLUMNS_MAX: i64 = 1 << 20;

/// Rewrites the graph of the file `onnx`; the answer gives the names of the columns of each such input.
pub fn flatten(graph: &mut GraphProto, onnx: &[u8]) -> Result<BTreeMap<String, Vec<String>>, Error> {
    let mut columns = BTreeMap::new();
    let is_map = |node: &NodeProto| matches!(&*node.op_type, "DictVectorizer" | "CastMap");
    if !graph.node.iter().any(is_map) {
        return Ok(columns);
    }
    let types = value_types(onnx)?;
    let nodes = std::mem::take(&mut graph.node);
    for node in nodes {
        if !is_map(&node) {
            graph.node.push(node);
            continue;
        }
        let refuse = |what: &str, help: &str| Error::unsupported(place(&node), what, help);
        let name = node.input.first().cloned().unwrap_or_default();
        let ty = types.get(&name).copied();
        let ty =
            ty.ok_or_else(|| refuse("a map that is no input of the model", "feed the map as the model's input"))?;
        let keys = keys(&node).map_err(|what| Error::invalid(place(&node), what))?;
        if !matches!(DataType::try_from(ty), Ok(DataType::Float | DataType::Double | DataType::Int64)) {
            return Err(refuse("a map whose values are no numbers", "feed one input for each feature"));
        }
        if columns.get(&name).is_some_and(|known| *known != keys) {
            return Err(refuse("a map that is read with two lists of keys", "feed one input for each feature"));
        }
        let free = Dimension { value: None, ..Dimension::default() };
        let fixed = Dimension { value: Some(Dim::DimValue(keys.len() as i64)), ..Dimension::default() };
        let shape = TensorShapeProto { dim: vec![free, fixed] };
        let tensor = type_proto::Tensor { elem_type: ty, shape: Some(shape) };
        if let Some(input) = graph.input.iter_mut().find(|input| input.name == name) {
            let value = Some(type_proto::Value::TensorType(tensor));
            input.r#type = Some(TypeProto { denotation: String::new(), value });
        }
        columns.insert(name.clone(), keys);
        replace(graph, &node, name, ty);
    }
    Ok(columns)
}

/// The names of a map's columns.
fn keys(node: &NodeProto) -> Result<Vec<String>, String> {
    if node.op_type == "CastMap" {
        if node.word("map_form", "DENSE") != "SPARSE" {
            return Err(
                "takes a map in its dense form, whose length is not known; export it with `map_form` SPARSE".into()
            );
        }
        let length = node.int("max_map", 1);
        if !(1..=COLUMNS_MAX).contains(&length) {
            return Err(format!("needs a `max_map` from 1 to {COLUMNS_MAX}"));
        }
        return Ok((0..length).map(|key| key.to_string()).collect());
    }
    let (strings, integers) = (node.strings("string_vocabulary"), node.ints("int64_vocabulary"));
    match (strings.is_empty(), integers.is_empty()) {
        (false, true) => strings
            .iter()
            .map(|s| String::from_utf8(s.clone()))
            .collect::<Result<_, _>>()
            .map_err(|_| "has a key that is not UTF-8".into()),
        (true, false) => Ok(integers.iter().map(i64::to_string).collect()),
        _ => Err("needs either `string_vocabulary` or `int64_vocabulary`".into()),
    }
}

/// The tensor with zeros for what is missing, cast where the node says so.
fn replace(graph: &mut GraphProto, node: &NodeProto, input: String, ty: i32) {
    let to = match &*node.word("cast_to", "") {
        "TO_INT64" => DataType::Int64 as i32,
        "TO_FLOAT" => DataType::Float as i32,
        _ => ty,
    };
    let label = node.output[0].clone();
    let (missing, zero, plain) = (format!("{label}.missing"), format!("{label}.zero"), format!("{label}.plain"));
    let bytes = if ty == DataType::Double as i32 { 8 } else { 4 };
    let nothing = TensorProto { name: zero.clone(), data_type: ty, raw_data: vec![0; bytes], ..TensorProto::default() };
    let is_float = ty != DataType::Int64 as i32;
    if is_float {
        graph.initializer.push(nothing);
    }
    let mut step = |op: &str, inputs: &[&str], output: String, attribute| {
        graph.node.push(NodeProto {
            name: output.clone(),
            op_type: op.into(),
            input: inputs.iter().map(|i| (*i).to_owned()).collect(),
            output: vec![output],
            attribute,
            ..NodeProto::default()
        });
    };
    if is_float {
        step("IsNaN", &[&input], missing.clone(), vec![]);
        step("Where", &[&missing, &zero, &input], plain.clone(), vec![]);
    }
    let from = if is_float { plain } else { input };
    step("Cast", &[&from], node.output[0].clone(), vec![int("to", i64::from(to))]);
}

/// Element types of the values of the inputs that are maps, which the protobuf of tract does not know.
fn value_types(onnx: &[u8]) -> Result<HashMap<String, i32>, Error> {
    let model = Model::decode(onnx).map_err(|e| Error::Damaged(e.to_string()))?;
    let inputs = model.graph.into_iter().flat_map(|graph| graph.inputs);
    let typed = inputs.filter_map(|input| Some((input.name, input.ty?.map?.values?.tensor?.element)));
    Ok(typed.collect())
}

#[derive(Clone, PartialEq, Message)]
struct Model {
    #[prost(message, optional, tag = "7")]
    graph: Option<Graph>,
}

#[derive(Clone, PartialEq, Message)]
struct Graph {
    #[prost(message, repeated, tag = "11")]
    inputs: Vec<Input>,
}

#[derive(Clone, PartialEq, Message)]
struct Input {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    ty: Option<InputType>,
}

#[derive(Clone, PartialEq, Message)]
struct InputType {
    #[prost(message, optional, tag = "5")]
    map: Option<Map>,
}

#[derive(Clone, PartialEq, Message)]
struct Map {
    #[prost(message, optional, tag = "2")]
    values: Option<Values>,
}

#[derive(Clone, PartialEq, Message)]
struct Values {
    #[prost(message, optional, tag = "1")]
    tensor: Option<Tensor>,
}

#[derive(Clone, PartialEq, Message)]
struct Tensor {
    #[prost(int32, tag = "1")]
    element: i32,
}
