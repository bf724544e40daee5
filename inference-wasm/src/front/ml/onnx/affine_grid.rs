//! AffineGrid: where each element of a result comes from, as GridSample takes it.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_hir::internal::*;

use super::super::{Operator, Wire};
use crate::front::attributes::Attributes;

/// Most places.
const PLACES_MAX: usize = 1 << 22;

#[derive(Debug, Clone)]
pub struct AffineGrid {
    align_corners: bool,
}

impl Operator for AffineGrid {
    const NAME: &'static str = "AffineGrid";
    const INPUTS: usize = 2;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        Ok(AffineGrid { align_corners: node.int("align_corners", 0) != 0 })
    }

    fn values(&self) -> Vec<usize> {
        vec![1]
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let sizes = w.integers(inputs[1])?;
        ensure!(sizes.len() == 4 || sizes.len() == 5, "needs a size of four or five numbers");
        let sizes: Option<Vec<usize>> = sizes[2..].iter().map(|n| usize::try_from(*n).ok()).collect();
        let sizes =
            sizes.filter(|sizes| sizes.iter().product::<usize>() <= PLACES_MAX).context("needs sizes that fit")?;
        let (axes, places) = (sizes.len(), sizes.iter().product::<usize>());
        // The last axis comes first, then the others, then 1.
        let mut base = Vec::with_capacity(places * (axes + 1));
        for at in 0..places {
            let mut rest = at;
            for size in sizes.iter().rev() {
                let (i, n) = ((rest % size) as f64, *size as f64);
                rest /= size;
                base.push(match self.align_corners {
                    true if *size > 1 => 2.0 * i / (n - 1.0) - 1.0,
                    true => -1.0,
                    false => (2.0 * i + 1.0) / n - 1.0,
                });
            }
            base.push(1.0);
        }
        let theta = inputs[0];
        ensure!(w.rank(theta)? == 3, "needs matrices");
        let ty = w.ty(theta)?;
        let base = tensor1(&base).cast_to_dt(ty)?.into_owned().into_shape(&[1, places, axes + 1])?;
        let base = w.constant(base)?;
        let letters = AxesMapping::for_numpy_matmul(3, false, true, false)?;
        let grid = w.apply(EinSum::new(letters, ty), &[base, theta])?;
        let to: TVec<TDim> = sizes.iter().map(|n| n.to_dim()).collect();
        Ok(tvec!(w.apply(AxisOp::Reshape(1, tvec!(places.to_dim()), to), &[grid])?))
    }
}
