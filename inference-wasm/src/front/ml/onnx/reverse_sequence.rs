//! ReverseSequence: the first elements of each sequence turned round, as many as it is long.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::array::{GatherElements, MultiBroadcastTo};
use tract_onnx::tract_hir::internal::*;

use super::super::{Operator, Wire};
use crate::front::attributes::Attributes;

#[derive(Debug, Clone)]
pub struct ReverseSequence {
    batch: i64,
    time: i64,
}

impl Operator for ReverseSequence {
    const NAME: &'static str = "ReverseSequence";
    const INPUTS: usize = 2;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        Ok(ReverseSequence { batch: node.int("batch_axis", 1), time: node.int("time_axis", 0) })
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let (x, mut lengths) = (inputs[0], w.cast(inputs[1], i64::datum_type())?);
        let (batch, time, rank) = (w.axis(x, self.batch)?, w.axis(x, self.time)?, w.rank(x)?);
        ensure!(batch != time && w.rank(lengths)? == 1, "needs a length for each sequence");
        let steps = w.shape(x)?[time].to_usize().context("needs a fixed number of steps")?;
        for axis in (0..rank).filter(|axis| *axis != batch) {
            lengths = w.apply(AxisOp::Add(axis), &[lengths])?;
        }
        let mut along = vec![1; rank];
        along[time] = steps;
        let places = w.constant(tensor1(&(0..steps as i64).collect::<Vec<_>>()).into_shape(&along)?)?;
        let one = w.constant(tensor0(1i64).broadcast_into_rank(rank)?)?;
        let inside = w.greater(lengths, places)?;
        let turned = w.sub(lengths, one)?;
        let turned = w.sub(turned, places)?;
        let from = w.select(inside, turned, places)?;
        let shape = w.shape(x)?;
        let from = w.apply(MultiBroadcastTo { shape: shape.into() }, &[from])?;
        Ok(tvec!(w.apply(GatherElements { axis: time }, &[x, from])?))
    }
}
