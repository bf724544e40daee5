//! Models written down in a test.

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, attribute_proto, tensor_shape_proto, type_proto,
};

/// A model with input `x` of floats `[n, 4]` (or of `shape`), constants, nodes, and output `y`.
pub fn model(shape: &[i64], constants: Vec<TensorProto>, node: Vec<NodeProto>) -> ModelProto {
    typed(&[("x", DataType::Float, shape)], ("y", DataType::Undefined), constants, node)
}

/// A model with these inputs and one output. A size of 0 is free.
pub fn typed(
    inputs: &[(&str, DataType, &[i64])],
    output: (&str, DataType),
    constants: Vec<TensorProto>,
    node: Vec<NodeProto>,
) -> ModelProto {
    let graph = GraphProto {
        name: "g".into(),
        input: inputs.iter().map(|(name, ty, shape)| value(name, *ty, Some(shape))).collect(),
        output: vec![value(output.0, output.1, None)],
        initializer: constants,
        node,
        ..Default::default()
    };
    let set = |domain: &str, version| OperatorSetIdProto { domain: domain.into(), version };
    let opset_import = vec![set("", 17), set("ai.onnx.ml", 3)];
    ModelProto { ir_version: 8, opset_import, graph: Some(graph), ..Default::default() }
}

/// A value's name, type and shape.
pub fn value(name: &str, ty: DataType, shape: Option<&[i64]>) -> ValueInfoProto {
    let dim = |n: &i64| tensor_shape_proto::Dimension {
        value: (*n > 0).then_some(tensor_shape_proto::dimension::Value::DimValue(*n)),
        ..Default::default()
    };
    let shape = shape.map(|shape| TensorShapeProto { dim: shape.iter().map(dim).collect() });
    let tensor = type_proto::Value::TensorType(type_proto::Tensor { elem_type: ty as i32, shape });
    let r#type = Some(TypeProto { value: Some(tensor), ..Default::default() });
    ValueInfoProto { name: name.into(), r#type, ..Default::default() }
}

pub fn node(op: &str, inputs: &[&str], output: &str, attribute: Vec<AttributeProto>) -> NodeProto {
    NodeProto {
        op_type: op.into(),
        name: op.into(),
        input: inputs.iter().map(|i| (*i).to_owned()).collect(),
        output: vec![output.into()],
        attribute,
        ..Default::default()
    }
}

pub fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: attribute_proto::AttributeType::Int as i32, i, ..Default::default() }
}

pub fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    let r#type = attribute_proto::AttributeType::Ints as i32;
    AttributeProto { name: name.into(), r#type, ints: ints.to_vec(), ..Default::default() }
}

pub fn word(name: &str, s: &str) -> AttributeProto {
    let r#type = attribute_proto::AttributeType::String as i32;
    AttributeProto { name: name.into(), r#type, s: s.into(), ..Default::default() }
}

pub fn tensor(name: &str, t: TensorProto) -> AttributeProto {
    let r#type = attribute_proto::AttributeType::Tensor as i32;
    AttributeProto { name: name.into(), r#type, t: Some(t), ..Default::default() }
}

pub fn int64(name: &str, dims: &[i64], data: &[i64]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: DataType::Int64 as i32,
        int64_data: data.to_vec(),
        ..Default::default()
    }
}

pub fn float(name: &str, dims: &[i64], data: &[f32]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: DataType::Float as i32,
        float_data: data.to_vec(),
        ..Default::default()
    }
}

/// A tensor of bytes: UINT8, INT8, BOOL.
pub fn bytes(name: &str, ty: DataType, dims: &[i64], data: &[u8]) -> TensorProto {
    let (dims, raw_data) = (dims.to_vec(), data.to_vec());
    TensorProto { name: name.into(), dims, data_type: ty as i32, raw_data, ..Default::default() }
}
