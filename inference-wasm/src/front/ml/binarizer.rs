//! Binarizer: 1 where a number is above the threshold, else 0.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::{Operator, Wire};
use crate::front::attributes::Attributes;

#[derive(Debug, Clone)]
pub struct Binarizer {
    threshold: f32,
}

impl Operator for Binarizer {
    const NAME: &'static str = "Binarizer";

    fn parse(node: &NodeProto) -> Result<Self, String> {
        Ok(Binarizer { threshold: node.float("threshold", 0.0) })
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let threshold = w.number(self.threshold, inputs[0])?;
        let above = w.greater(inputs[0], threshold)?;
        let ty = w.ty(inputs[0])?;
        Ok(tvec!(w.cast(above, ty)?))
    }
}
