//! The greatest few, and running sums.

use tract_onnx::tract_core::ops::array::{CumSum, Topk};

use super::positions::{along, flat};
use super::{Context, Stop};
use crate::graph::{Cumulate, Id, Op, Type};

/// Values (slot 0) and positions (slot 1) of the greatest or least.
pub fn top_k(c: &mut Context, op: &Topk) -> Result<Id, Stop> {
    let x = c.inputs[0].clone();
    let axis = x.layout.strip(op.axis)?;
    if x.layout.merged || x.layout.ty == Type::Bool {
        return Err(Stop::Mixes);
    }
    let shape = c.out.shape.clone();
    let signed = c.signed(x.id);
    let places = c.shaped(Op::TopK { axis, least: !op.largest }, vec![signed], shape, Type::I64);
    if c.slot == 1 {
        return Ok(places);
    }
    let places = along(c, places, &x.layout.shape, axis)?;
    flat(c, 0, places)
}

/// Running sums along an axis.
pub fn cumulate(c: &mut Context, op: &CumSum) -> Result<Id, Stop> {
    let x = c.inputs[0].clone();
    let axis = x.layout.strip(op.axis)?;
    let how = Cumulate { axis, product: false, reverse: op.reverse, exclusive: op.exclusive };
    Ok(c.result(Op::Cumulate(how), vec![x.id]))
}
