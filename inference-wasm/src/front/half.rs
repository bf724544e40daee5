//! FLOAT16 and BFLOAT16 inside the file become FLOAT: what is computed with them is computed in f32, and never rounded
//! in between. Inputs and outputs of FLOAT16 stay what they are outside.

use contract::half;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, TensorProto, ValueInfoProto, type_proto};

use crate::Error;

const FLOAT: i32 = DataType::Float as i32;
const FLOAT16: i32 = DataType::Float16 as i32;
const BFLOAT16: i32 = DataType::Bfloat16 as i32;

/// Attributes that name a type.
const TYPES: [&str; 5] = ["to", "dtype", "output_dtype", "stash_type", "softmax_precision"];

/// Rewrites the graph; the answer says of each output whether the file has it as FLOAT16.
pub fn widen(graph: &mut GraphProto) -> Result<Vec<bool>, Error> {
    let outputs: Vec<Option<i32>> = graph.output.iter().map(element).collect();
    if let Some((value, _)) = graph.output.iter().zip(&outputs).find(|(_, ty)| **ty == Some(BFLOAT16)) {
        let place = format!("output {:?} of the model", value.name);
        return Err(Error::unsupported(place, "type BFLOAT16", "cast it to FLOAT"));
    }
    contents(graph);
    Ok(outputs.into_iter().map(|ty| ty == Some(FLOAT16)).collect())
}

fn contents(graph: &mut GraphProto) {
    graph.initializer.iter_mut().for_each(tensor);
    for attribute in graph.node.iter_mut().flat_map(|node| &mut node.attribute) {
        attribute.t.iter_mut().for_each(tensor);
        if TYPES.contains(&&*attribute.name) && is_short(attribute.i as i32) {
            attribute.i = i64::from(FLOAT);
        }
        if let Some(inner) = &mut attribute.g {
            contents(inner);
            inner.input.iter_mut().for_each(|value| {
                if let Some(type_proto::Value::TensorType(ty)) = value.r#type.as_mut().and_then(|t| t.value.as_mut())
                    && is_short(ty.elem_type)
                {
                    ty.elem_type = FLOAT;
                }
            });
        }
    }
}

fn is_short(ty: i32) -> bool {
    ty == FLOAT16 || ty == BFLOAT16
}

fn element(value: &ValueInfoProto) -> Option<i32> {
    match value.r#type.as_ref()?.value.as_ref()? {
        type_proto::Value::TensorType(ty) => Some(ty.elem_type),
    }
}

fn tensor(tensor: &mut TensorProto) {
    let widened: fn(u16) -> f32 = match tensor.data_type {
        FLOAT16 => half::widen,
        BFLOAT16 => |bits| f32::from_bits(u32::from(bits) << 16),
        _ => return,
    };
    let raw = tensor.raw_data.as_chunks::<2>().0.iter().map(|bytes| u16::from_le_bytes(*bytes));
    let listed = tensor.int32_data.iter().map(|bits| *bits as u16);
    tensor.float_data = raw.chain(listed).map(widened).collect();
    tensor.raw_data.clear();
    tensor.int32_data.clear();
    tensor.data_type = FLOAT;
}
