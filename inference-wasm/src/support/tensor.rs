//! A constant of the file: inside it, of a known type, and as long as its shape says.

use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};

use crate::Error;

/// Most elements of one constant: a guard against hostile shapes.
pub const ELEMENTS_MAX: u64 = 1 << 28;

/// Refuses a constant that lies outside the file, has an unknown type or holds another number of elements than its shape says.
pub fn check(place: &str, tensor: &TensorProto) -> Result<(), Error> {
    if tensor.data_location == Some(DataLocation::External as i32) || !tensor.external_data.is_empty() {
        return Err(Error::unsupported(
            place,
            "data outside the file",
            "save the model as one file (`onnx.save(model, path, save_as_external_data=False)`)",
        ));
    }
    let mut elements = 1u64;
    for dim in &tensor.dims {
        let dim = u64::try_from(*dim).map_err(|_| Error::invalid(place, "has a negative dimension"))?;
        elements = elements.saturating_mul(dim);
    }
    if elements > ELEMENTS_MAX {
        let what = format!("the number of elements of {place}");
        return Err(Error::TooLarge { what, value: elements, limit: ELEMENTS_MAX });
    }
    let ty = DataType::try_from(tensor.data_type).unwrap_or(DataType::Undefined);
    let (bytes, listed) = match ty {
        DataType::Float => (4, tensor.float_data.len()),
        DataType::Double => (8, tensor.double_data.len()),
        DataType::Int64 => (8, tensor.int64_data.len()),
        DataType::Int32 => (4, tensor.int32_data.len()),
        DataType::Int8 | DataType::Uint8 | DataType::Bool => (1, tensor.int32_data.len()),
        DataType::Int16 | DataType::Uint16 | DataType::Float16 | DataType::Bfloat16 => (2, tensor.int32_data.len()),
        DataType::Uint32 => (4, tensor.uint64_data.len()),
        DataType::Uint64 => (8, tensor.uint64_data.len()),
        DataType::String => (0, tensor.string_data.len()),
        other => {
            let what = format!("type {}", other.as_str_name());
            return Err(Error::unsupported(place, what, "use FLOAT, DOUBLE, BOOL, STRING or an integer"));
        }
    };
    let held = if tensor.raw_data.is_empty() {
        listed as u64
    } else if bytes == 0 || !tensor.raw_data.len().is_multiple_of(bytes) {
        return Err(Error::invalid(place, format!("has raw data that are no {}", ty.as_str_name())));
    } else {
        (tensor.raw_data.len() / bytes) as u64
    };
    if held != elements {
        return Err(Error::invalid(place, format!("holds {held} elements, but its shape says {elements}")));
    }
    Ok(())
}
