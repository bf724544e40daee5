//! LabelEncoder: a table from keys to values.

use std::collections::HashSet;

use tract_onnx::pb::NodeProto;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::tract_hir::internal::*;

use super::lookup::{Lookup, bits};
use super::{Operator, Wire};
use crate::front::attributes::{Attributes, doubles, integers};

#[derive(Debug, Clone)]
pub struct LabelEncoder(Lookup);

impl Operator for LabelEncoder {
    const NAME: &'static str = "LabelEncoder";

    fn parse(node: &NodeProto) -> Result<Self, String> {
        let keys = list(node, "keys")?;
        let values = list(node, "values")?;
        if keys.len() != values.len() {
            return Err(format!("needs as many keys as values, it has {} and {}", keys.len(), values.len()));
        }
        let default = match values.datum_type() {
            DatumType::I32 => tensor0(node.int("default_id", -1) as i32),
            DatumType::I64 => tensor0(node.int("default_int64", -1)),
            _ => tensor0(node.float("default_float", -0.0)),
        };
        let default = match node.tensor("default_tensor") {
            Some(t) if values.datum_type().is_float() => tensor0(doubles(t).first().copied().unwrap_or(-0.0)),
            Some(t) => tensor0(integers(t).first().copied().unwrap_or(-1)),
            None => default,
        };
        let default = default.cast_to_dt(values.datum_type()).map_err(|e| e.to_string())?.into_owned();
        // Of a key that is listed twice the last value holds (as in onnxruntime).
        let mut seen = HashSet::new();
        let distinct = bits(&keys).map_err(|e| e.to_string())?;
        let kept: Vec<usize> = (0..distinct.len()).rev().filter(|i| seen.insert(distinct[*i])).collect();
        let (keys, values) = (pick(&keys, &kept), pick(&values, &kept));
        Ok(LabelEncoder(Lookup {
            keys: keys.into_arc_tensor(),
            values: values.into_arc_tensor(),
            default: default.into_arc_tensor(),
        }))
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        Ok(tvec!(w.apply(self.0.clone(), &[inputs[0]])?))
    }
}

/// Keys or values in whichever of their attributes the file has.
fn list(node: &NodeProto, side: &str) -> Result<Tensor, String> {
    let (ids, ints) = (format!("{side}_ids"), format!("{side}_int64s"));
    if !node.ints(&ids).is_empty() {
        return Ok(tensor1(&node.ints(&ids).iter().map(|id| *id as i32).collect::<Vec<_>>()));
    }
    if !node.ints(&ints).is_empty() {
        return Ok(tensor1(node.ints(&ints)));
    }
    let floats = node.floats(&format!("{side}_floats"));
    if !floats.is_empty() {
        return Ok(tensor1(floats));
    }
    let Some(tensor) = node.tensor(&format!("{side}_tensor")) else {
        return Err(format!("needs `{side}_strings`, `{side}_int64s`, `{side}_floats` or `{side}_tensor`"));
    };
    Ok(match DataType::try_from(tensor.data_type) {
        Ok(DataType::Double) => tensor1(&doubles(tensor)),
        Ok(DataType::Float) => tensor1(&doubles(tensor).iter().map(|v| *v as f32).collect::<Vec<_>>()),
        Ok(DataType::Int32) => tensor1(&integers(tensor).iter().map(|v| *v as i32).collect::<Vec<_>>()),
        Ok(DataType::Int16) => tensor1(&integers(tensor).iter().map(|v| *v as i16).collect::<Vec<_>>()),
        _ => tensor1(&integers(tensor)),
    })
}

fn pick(from: &Tensor, positions: &[usize]) -> Tensor {
    let size = from.datum_type().size_of();
    let mut to = Tensor::zero_dt(from.datum_type(), &[positions.len()]).expect("a list of numbers");
    for (to, at) in to.as_bytes_mut().chunks_exact_mut(size).zip(positions) {
        to.copy_from_slice(&from.as_bytes()[at * size..][..size]);
    }
    to
}
