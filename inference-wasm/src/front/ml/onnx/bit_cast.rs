//! BitCast: the same bits as another type of the same size.

use tract_onnx::pb::NodeProto;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::tract_hir::internal::*;

use super::super::{Operator, Wire};
use crate::front::attributes::Attributes;

#[derive(Debug, Clone)]
pub struct BitCast {
    to: DatumType,
}

impl Operator for BitCast {
    const NAME: &'static str = "BitCast";

    fn parse(node: &NodeProto) -> Result<Self, String> {
        let to = match DataType::try_from(node.int("to", 0) as i32) {
            Ok(DataType::Float) => DatumType::F32,
            Ok(DataType::Double) => DatumType::F64,
            Ok(DataType::Bool) => DatumType::Bool,
            Ok(DataType::Int8) => DatumType::I8,
            Ok(DataType::Uint8) => DatumType::U8,
            Ok(DataType::Int16) => DatumType::I16,
            Ok(DataType::Uint16) => DatumType::U16,
            Ok(DataType::Int32) => DatumType::I32,
            Ok(DataType::Uint32) => DatumType::U32,
            Ok(DataType::Int64) => DatumType::I64,
            Ok(DataType::Uint64) => DatumType::U64,
            _ => return Err("casts to a type that is not supported".into()),
        };
        Ok(BitCast { to })
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let from = w.ty(inputs[0])?;
        ensure!(from.size_of() == self.to.size_of(), "casts between types of different sizes");
        Ok(tvec!(w.apply(SameBits(self.to), &[inputs[0]])?))
    }
}

/// To a type of the same size.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SameBits(pub DatumType);

impl Op for SameBits {
    fn name(&self) -> StaticName {
        "BeiraSameBits".into()
    }
    op_as_typed_op!();
}

impl EvalOp for SameBits {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let x = args_1!(inputs);
        let mut y = Tensor::zero_dt(self.0, x.shape())?;
        y.as_bytes_mut().copy_from_slice(x.as_bytes());
        Ok(tvec!(y.into_tvalue()))
    }
}

impl TypedOp for SameBits {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(self.0.fact(&*inputs[0].shape)))
    }
    as_op!();
}
