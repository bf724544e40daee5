//! A graph under construction: inputs, nodes, constants, outputs, and fresh names.

use tract_onnx::pb;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;

/// Domain of the classical operators.
pub(super) const ML: &str = "ai.onnx.ml";
/// ONNX's number for f32, as `Cast` takes it.
pub(super) const FLOAT: i64 = DataType::Float as i64;

/// Element types of inputs and outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Float,
    Double,
    Int64,
    String,
}

/// Name of a value.
pub(super) type Name = String;

/// A graph under construction.
pub(super) struct Builder {
    graph: pb::GraphProto,
    /// Begins every inner name; no column's name begins with it.
    prefix: String,
}

impl Builder {
    /// An empty graph whose inner names differ from all `columns`.
    pub fn new<'a>(columns: impl Iterator<Item = &'a str> + Clone) -> Builder {
        let mut prefix = "/".to_owned();
        while columns.clone().any(|column| column.starts_with(&prefix)) {
            prefix.push('/');
        }
        Builder { graph: pb::GraphProto::default(), prefix }
    }

    /// An input of shape `[N, 1]`.
    pub fn input(&mut self, name: &str, element: Element) {
        self.graph.input.push(tensor(name, element, Some(1)));
    }

    /// Makes `value` an output under its own name, of shape `[N, width]`, or `[N]` without a width.
    pub fn output(&mut self, name: &str, element: Element, width: Option<i64>) {
        self.graph.output.push(tensor(name, element, width));
    }

    /// A node with one result, under a fresh name.
    pub fn node(&mut self, domain: &str, op: &str, inputs: &[&str], attributes: Vec<pb::AttributeProto>) -> Name {
        let result = format!("{}{op}_{}", self.prefix, self.graph.node.len());
        self.named(domain, op, inputs, attributes, &result);
        result
    }

    /// A node with one result called `result`.
    pub fn named(
        &mut self,
        domain: &str,
        op: &str,
        inputs: &[&str],
        attributes: Vec<pb::AttributeProto>,
        result: &str,
    ) {
        self.graph.node.push(pb::NodeProto {
            input: inputs.iter().map(ToString::to_string).collect(),
            output: vec![result.to_owned()],
            name: format!("{}{op}_{}", self.prefix, self.graph.node.len()),
            op_type: op.to_owned(),
            domain: domain.to_owned(),
            attribute: attributes,
            ..Default::default()
        });
    }

    /// A constant of integers, `[len]`.
    pub fn integers(&mut self, values: &[i64]) -> Name {
        let data = pb::TensorProto { int64_data: values.to_vec(), ..Default::default() };
        self.constant(data, DataType::Int64, vec![values.len() as i64])
    }

    /// A constant of numbers, `[len]`.
    pub fn floats(&mut self, values: &[f32]) -> Name {
        let data = pb::TensorProto { float_data: values.to_vec(), ..Default::default() };
        self.constant(data, DataType::Float, vec![values.len() as i64])
    }

    /// A constant of doubles, `[len]`.
    pub fn doubles(&mut self, values: &[f64]) -> Name {
        let data = pb::TensorProto { double_data: values.to_vec(), ..Default::default() };
        self.constant(data, DataType::Double, vec![values.len() as i64])
    }

    fn constant(&mut self, data: pb::TensorProto, element: DataType, dims: Vec<i64>) -> Name {
        let name = format!("{}constant_{}", self.prefix, self.graph.initializer.len());
        self.graph.initializer.push(pb::TensorProto { name: name.clone(), data_type: element as i32, dims, ..data });
        name
    }

    /// The finished graph.
    pub fn finish(self, name: &str) -> pb::GraphProto {
        pb::GraphProto { name: name.to_owned(), ..self.graph }
    }
}

/// An attribute.
pub(super) fn attribute(name: &str, value: impl Into<Value>) -> pb::AttributeProto {
    let mut attribute = pb::AttributeProto { name: name.to_owned(), ..Default::default() };
    let kind = match value.into() {
        Value::Float(value) => {
            attribute.f = value;
            AttributeType::Float
        }
        Value::Int(value) => {
            attribute.i = value;
            AttributeType::Int
        }
        Value::Floats(values) => {
            attribute.floats = values;
            AttributeType::Floats
        }
        Value::Ints(values) => {
            attribute.ints = values;
            AttributeType::Ints
        }
        Value::Strings(values) => {
            attribute.strings = values.into_iter().map(String::into_bytes).collect();
            AttributeType::Strings
        }
    };
    attribute.r#type = kind as i32;
    attribute
}

/// Value of an attribute.
pub(super) enum Value {
    Float(f32),
    Int(i64),
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    Strings(Vec<String>),
}

impl From<f32> for Value {
    fn from(value: f32) -> Value {
        Value::Float(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Int(value)
    }
}

impl From<Vec<f32>> for Value {
    fn from(values: Vec<f32>) -> Value {
        Value::Floats(values)
    }
}

impl From<Vec<i64>> for Value {
    fn from(values: Vec<i64>) -> Value {
        Value::Ints(values)
    }
}

impl From<Vec<String>> for Value {
    fn from(values: Vec<String>) -> Value {
        Value::Strings(values)
    }
}

fn tensor(name: &str, element: Element, width: Option<i64>) -> pb::ValueInfoProto {
    use pb::tensor_shape_proto::{Dimension, dimension};
    let dim = |value| Dimension { value: Some(value), ..Default::default() };
    let rows = dim(dimension::Value::DimParam("N".to_owned()));
    let dims = [rows].into_iter().chain(width.map(|width| dim(dimension::Value::DimValue(width)))).collect();
    let elem_type = match element {
        Element::Float => DataType::Float,
        Element::Double => DataType::Double,
        Element::Int64 => DataType::Int64,
        Element::String => DataType::String,
    } as i32;
    let tensor = pb::type_proto::Tensor { elem_type, shape: Some(pb::TensorShapeProto { dim: dims }) };
    let value = Some(pb::type_proto::Value::TensorType(tensor));
    pb::ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(pb::TypeProto { value, ..Default::default() }),
        ..Default::default()
    }
}
