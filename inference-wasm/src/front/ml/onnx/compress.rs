//! Compress: the slices that a constant condition chooses.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::super::{Operator, Wire};
use crate::front::attributes::Attributes;

#[derive(Debug, Clone)]
pub struct Compress {
    axis: Option<i64>,
}

impl Operator for Compress {
    const NAME: &'static str = "Compress";
    const INPUTS: usize = 2;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        Ok(Compress { axis: node.find("axis").map(|a| a.i) })
    }

    fn values(&self) -> Vec<usize> {
        vec![1]
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let chosen: Vec<i64> =
            w.integers(inputs[1])?.iter().zip(0..).filter(|(c, _)| **c != 0).map(|(_, at)| at).collect();
        let (mut x, mut axis) = (inputs[0], 0);
        match self.axis {
            Some(given) => axis = w.axis(x, given)?,
            None => x = w.flat(x)?,
        }
        let length = w.shape(x)?[axis].to_usize().context("needs a fixed number of elements")?;
        ensure!(chosen.last().is_none_or(|last| (*last as usize) < length), "chooses beyond the end of its input");
        let chosen = w.constant(tensor1(&chosen))?;
        Ok(tvec!(w.gather(x, chosen, axis)?))
    }
}
