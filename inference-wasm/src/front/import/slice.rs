//! Parts of an axis.

use tract_onnx::tract_core::ops::array::Slice;
use tract_onnx::tract_core::ops::downsample::Downsample;
use tract_onnx::tract_hir::internal::*;

use super::{Context, Stop};
use crate::graph::{Id, Op};

/// A range; the whole rows axis is let through.
pub fn slice(c: &mut Context, op: &Slice) -> Result<Id, Stop> {
    let x = c.inputs[0].clone();
    if x.layout.rows == Some(op.axis) && op.start == 0.to_dim() && c.facts[0].shape[op.axis] == op.end {
        return Ok(x.id);
    }
    let axis = x.layout.strip(op.axis)?;
    let Ok(start) = op.start.to_usize() else { return Err(Stop::Mixes) };
    Ok(c.result(Op::Slice { axis, start, step: 1 }, vec![x.id]))
}

/// Every n-th element, from the end when n is negative.
pub fn downsample(c: &mut Context, op: &Downsample) -> Result<Id, Stop> {
    let x = c.inputs[0].clone();
    let axis = x.layout.strip(op.axis)?;
    let start = if op.stride < 0 { (x.layout.shape[axis] - 1).saturating_sub(op.modulo) } else { op.modulo };
    Ok(c.result(Op::Slice { axis, start, step: op.stride }, vec![x.id]))
}
