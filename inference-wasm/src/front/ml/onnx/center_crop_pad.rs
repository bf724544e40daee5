//! CenterCropPad: each axis cut or padded on both sides alike, the odd one behind.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::array::{Pad, PadMode, Slice};
use tract_onnx::tract_hir::internal::*;

use super::super::{Operator, Wire};
use crate::front::attributes::Attributes;

/// Most elements along an axis.
const SIZE_MAX: usize = 1 << 24;

#[derive(Debug, Clone)]
pub struct CenterCropPad {
    axes: Option<Vec<i64>>,
}

impl Operator for CenterCropPad {
    const NAME: &'static str = "CenterCropPad";
    const INPUTS: usize = 2;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        Ok(CenterCropPad { axes: node.find("axes").map(|a| a.ints.clone()) })
    }

    fn values(&self) -> Vec<usize> {
        vec![1]
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let mut x = inputs[0];
        let wanted = w.integers(inputs[1])?;
        let axes = self.axes.clone().unwrap_or_else(|| (0..wanted.len() as i64).collect());
        ensure!(axes.len() == wanted.len(), "has {} axes and {} sizes", axes.len(), wanted.len());
        let mut pads = vec![(0, 0); w.rank(x)?];
        for (axis, wanted) in axes.iter().zip(wanted) {
            let axis = w.axis(x, *axis)?;
            let size = w.shape(x)?[axis].to_usize().context("needs a fixed size")?;
            let wanted = usize::try_from(wanted).ok().filter(|n| *n <= SIZE_MAX).context("needs sizes that fit")?;
            if wanted < size {
                let start = (size - wanted) / 2;
                x = w.apply(Slice::new(axis, start, start + wanted), &[x])?;
            } else {
                let before = (wanted - size) / 2;
                pads[axis] = (before, wanted - size - before);
            }
        }
        if pads.iter().all(|p| *p == (0, 0)) {
            return Ok(tvec!(x));
        }
        let zero = Tensor::zero_dt(w.ty(x)?, &[])?.into_arc_tensor();
        Ok(tvec!(w.apply(Pad { pads, mode: PadMode::Constant(zero) }, &[x])?))
    }
}
