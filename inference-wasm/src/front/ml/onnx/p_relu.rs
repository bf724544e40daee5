//! PRelu: below zero, times a slope. Before version 7 a slope of one axis was one number for each channel.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::super::{Operator, Wire};

#[derive(Debug, Clone)]
pub struct PRelu;

impl Operator for PRelu {
    const NAME: &'static str = "PRelu";
    const INPUTS: usize = 2;

    fn parse(_: &NodeProto) -> Result<Self, String> {
        Ok(PRelu)
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let (x, mut slope) = (inputs[0], inputs[1]);
        let (shape, rank) = (w.shape(x)?, w.rank(x)?);
        let own = w.shape(slope)?;
        let one = 1.to_dim();
        let by_channel = own.len() == 1 && own[0] != one && rank > 1 && own[0] != shape[rank - 1] && own[0] == shape[1];
        if by_channel {
            for axis in 1..rank - 1 {
                slope = w.apply(AxisOp::Add(axis), &[slope])?;
            }
        }
        ensure!(w.rank(slope)? <= rank, "has a slope with more axes than its input");
        while w.rank(slope)? < rank {
            slope = w.apply(AxisOp::Add(0), &[slope])?;
        }
        let zero = w.number(0.0, x)?;
        let (below, scaled) = (w.greater(zero, x)?, w.mul(slope, x)?);
        Ok(tvec!(w.select(below, scaled, x)?))
    }
}
