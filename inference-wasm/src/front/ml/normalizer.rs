//! Normalizer: a row divided by its greatest element, by the sum of its magnitudes, or by its length.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::{math, nn::Reducer};
use tract_onnx::tract_hir::internal::*;

use super::{Operator, Wire};
use crate::front::attributes::Attributes;

#[derive(Debug, Clone, Copy)]
pub enum Normalizer {
    Max,
    L1,
    L2,
}

impl Operator for Normalizer {
    const NAME: &'static str = "Normalizer";

    fn parse(node: &NodeProto) -> Result<Self, String> {
        match &*node.word("norm", "MAX") {
            "MAX" => Ok(Normalizer::Max),
            "L1" => Ok(Normalizer::L1),
            "L2" => Ok(Normalizer::L2),
            _ => Err("needs a `norm` of MAX, L1 or L2".into()),
        }
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let x = w.cast(inputs[0], f32::datum_type())?;
        let norm = match self {
            Normalizer::Max => w.reduce(Reducer::Max, x)?,
            Normalizer::L1 => {
                let magnitudes = w.element_wise(math::abs(), x)?;
                w.reduce(Reducer::Sum, magnitudes)?
            }
            Normalizer::L2 => {
                let squares = w.mul(x, x)?;
                let sum = w.reduce(Reducer::Sum, squares)?;
                w.element_wise(math::sqrt(), sum)?
            }
        };
        // A norm of 0 leaves the row as it is (as in onnxruntime).
        let (zero, one) = (w.number(0.0, norm)?, w.number(1.0, norm)?);
        let none = w.equal(norm, zero)?;
        let divisor = w.select(none, one, norm)?;
        Ok(tvec!(w.div(x, divisor)?))
    }
}
