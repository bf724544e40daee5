//! A tensor of the test data as a region of a module's memory.

use anyhow::{bail, ensure};
use contract::{Datatype, TensorSpec};
use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::DataType;

/// The region's bytes; strings become ids of the input's vocabulary.
pub fn region(tensor: &TensorProto, spec: &TensorSpec) -> anyhow::Result<Vec<u8>> {
    let ty = DataType::try_from(tensor.data_type).unwrap_or(DataType::Undefined);
    let matches = matches!(
        (ty, spec.datatype),
        (DataType::Float, Datatype::Fp32)
            | (DataType::Double, Datatype::Fp64)
            | (DataType::Float16, Datatype::Fp16)
            | (DataType::Int8, Datatype::Int8)
            | (DataType::Int16, Datatype::Int16)
            | (DataType::Int32, Datatype::Int32)
            | (DataType::Int64, Datatype::Int64)
            | (DataType::Uint8, Datatype::Uint8)
            | (DataType::Uint16, Datatype::Uint16)
            | (DataType::Uint32, Datatype::Uint32)
            | (DataType::Uint64, Datatype::Uint64)
            | (DataType::Bool, Datatype::Bool)
            | (DataType::String, Datatype::Bytes)
    );
    ensure!(matches, "{:?} is {}, the module has {}", spec.name, ty.as_str_name(), spec.datatype);
    if ty == DataType::String {
        let Some(words) = &spec.strings else { bail!("{:?} has no vocabulary", spec.name) };
        let id = |s: &Vec<u8>| words.iter().position(|w| w.as_bytes() == &**s).map_or(-1, |i| i as i32);
        return Ok(tensor.string_data.iter().flat_map(|s| id(s).to_le_bytes()).collect());
    }
    if !tensor.raw_data.is_empty() {
        return Ok(tensor.raw_data.to_vec());
    }
    let narrow = |n: usize| tensor.int32_data.iter().flat_map(move |v| v.to_le_bytes().into_iter().take(n)).collect();
    Ok(match ty {
        DataType::Float => tensor.float_data.iter().flat_map(|v| v.to_le_bytes()).collect(),
        DataType::Double => tensor.double_data.iter().flat_map(|v| v.to_le_bytes()).collect(),
        DataType::Int64 => tensor.int64_data.iter().flat_map(|v| v.to_le_bytes()).collect(),
        DataType::Uint64 => tensor.uint64_data.iter().flat_map(|v| v.to_le_bytes()).collect(),
        DataType::Uint32 => tensor.uint64_data.iter().flat_map(|v| (*v as u32).to_le_bytes()).collect(),
        DataType::Int32 => narrow(4),
        DataType::Int16 | DataType::Uint16 | DataType::Float16 => narrow(2),
        _ => narrow(1),
    })
}
