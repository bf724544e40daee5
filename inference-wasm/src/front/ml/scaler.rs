//! Scaler: `(x - offset) * scale`, one pair for each feature or one for all.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::{Operator, Wire};
use crate::front::attributes::Attributes;

#[derive(Debug, Clone)]
pub struct Scaler {
    offset: Vec<f32>,
    scale: Vec<f32>,
}

impl Operator for Scaler {
    const NAME: &'static str = "Scaler";

    fn parse(node: &NodeProto) -> Result<Self, String> {
        let (offset, scale) = (node.floats("offset").to_vec(), node.floats("scale").to_vec());
        if offset.len() != scale.len() || offset.is_empty() {
            return Err(format!("needs as many `offset` as `scale`, it has {} and {}", offset.len(), scale.len()));
        }
        Ok(Scaler { offset, scale })
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let columns = w.columns(inputs[0])?;
        ensure!(
            self.offset.len() == 1 || self.offset.len() == columns,
            "has {} offsets for {columns} features",
            self.offset.len()
        );
        // Doubles are scaled as doubles, everything else as f32; the result is f32 (as in onnxruntime).
        let operating = if w.ty(inputs[0])? == f64::datum_type() { f64::datum_type() } else { f32::datum_type() };
        let x = w.cast(inputs[0], operating)?;
        let offset = w.row(&self.offset, x)?;
        let scale = w.row(&self.scale, x)?;
        let centred = w.sub(x, offset)?;
        let scaled = w.mul(centred, scale)?;
        Ok(tvec!(w.cast(scaled, f32::datum_type())?))
    }
}
