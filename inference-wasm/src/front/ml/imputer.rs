//! Imputer: a value that stands for "missing" gives way to another, one for each feature or one for all.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::{Operator, Wire};
use crate::front::attributes::Attributes;

#[derive(Debug, Clone)]
pub enum Imputer {
    Floats { imputed: Vec<f32>, replaced: f32 },
    Ints { imputed: Vec<i64>, replaced: i64 },
}

impl Operator for Imputer {
    const NAME: &'static str = "Imputer";

    fn parse(node: &NodeProto) -> Result<Self, String> {
        let (floats, ints) = (node.floats("imputed_value_floats"), node.ints("imputed_value_int64s"));
        match (floats.is_empty(), ints.is_empty()) {
            (false, true) => {
                Ok(Imputer::Floats { imputed: floats.to_vec(), replaced: node.float("replaced_value_float", 0.0) })
            }
            (true, false) => {
                Ok(Imputer::Ints { imputed: ints.to_vec(), replaced: node.int("replaced_value_int64", 0) })
            }
            _ => Err("needs either `imputed_value_floats` or `imputed_value_int64s`".into()),
        }
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let x = inputs[0];
        let (ty, rank, columns) = (w.ty(x)?, w.rank(x)?, w.columns(x)?);
        let (imputed, replaced, is_nan) = match self {
            Imputer::Floats { imputed, replaced } => (tensor1(imputed), tensor0(*replaced), replaced.is_nan()),
            Imputer::Ints { imputed, replaced } => (tensor1(imputed), tensor0(*replaced), false),
        };
        ensure!(
            imputed.len() == 1 || imputed.len() == columns,
            "has {} imputed values for {columns} features",
            imputed.len()
        );
        ensure!(
            imputed.datum_type().is_float() == ty.is_float(),
            "imputes floating-point numbers where its input is of another type, or integers likewise"
        );
        let imputed = w.constant(imputed.cast_to_dt(ty)?.into_owned().broadcast_into_rank(rank)?)?;
        let missing = if is_nan {
            w.differ(x, x)?
        } else {
            let replaced = w.constant(replaced.cast_to_dt(ty)?.into_owned().broadcast_into_rank(rank)?)?;
            w.equal(x, replaced)?
        };
        Ok(tvec!(w.select(missing, imputed, x)?))
    }
}
