//! OneHot: `on` where the position along the new axis is the operand, else `off`.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::array::Slice;
use tract_onnx::tract_hir::internal::*;

use super::super::{Operator, Wire};
use crate::front::attributes::Attributes;

/// Most classes.
const DEPTH_MAX: i64 = 1 << 22;

#[derive(Debug, Clone)]
pub struct OneHot {
    axis: i64,
}

impl Operator for OneHot {
    const NAME: &'static str = "OneHot";
    const INPUTS: usize = 3;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        Ok(OneHot { axis: node.int("axis", -1) })
    }

    fn values(&self) -> Vec<usize> {
        vec![1]
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let [places, depth, values] = inputs[..] else { bail!("needs 3 inputs") };
        let depth = w.integers(depth)?.first().copied().filter(|d| (1..=DEPTH_MAX).contains(d));
        let depth = depth.context("needs a depth from 1 to 4194304")?;
        let rank = w.rank(places)? as i64 + 1;
        let axis = if self.axis < 0 { self.axis + rank } else { self.axis };
        ensure!((0..rank).contains(&axis), "has axis {}, its result has {rank} axes", self.axis);
        let mut places = w.cast(places, i64::datum_type())?;
        places = w.apply(AxisOp::Add(axis as usize), &[places])?;
        // Negative positions count from the end.
        let mut line = vec![1; rank as usize];
        let (zero, size) =
            (tensor0(0i64).broadcast_into_rank(line.len())?, tensor0(depth).broadcast_into_rank(line.len())?);
        let (zero, size) = (w.constant(zero)?, w.constant(size)?);
        let negative = w.greater(zero, places)?;
        let turned = w.add(places, size)?;
        places = w.select(negative, turned, places)?;
        line[axis as usize] = depth as usize;
        let all = w.constant(tensor1(&(0..depth).collect::<Vec<i64>>()).into_shape(&line)?)?;
        let hit = w.equal(places, all)?;
        ensure!(w.rank(values)? == 1, "needs two values");
        let side = |w: &mut Wire, at: usize| -> TractResult<OutletId> {
            let mut one = w.apply(Slice::new(0, at, at + 1), &[values])?;
            for _ in 1..rank {
                one = w.apply(AxisOp::Add(0), &[one])?;
            }
            Ok(one)
        };
        let (off, on) = (side(w, 0)?, side(w, 1)?);
        Ok(tvec!(w.select(hit, on, off)?))
    }
}
