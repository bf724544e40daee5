//! Values around a tensor.

use tract_onnx::tract_core::ops::array::{Pad, PadMode};

use super::{Context, Stop};
use crate::Error;
use crate::graph::Id;
use crate::graph::eval::Reader;

/// A constant; the front has made everything else of Gathers.
pub fn pad(c: &mut Context, op: &Pad) -> Result<Id, Stop> {
    let x = c.inputs[0].clone();
    let mut pads = op.pads.clone();
    if let Some(rows) = x.layout.rows {
        if x.layout.merged || pads[rows] != (0, 0) {
            return Err(Stop::Mixes);
        }
        pads.remove(rows);
    }
    let shape = c.out.shape.clone();
    let PadMode::Constant(value) = &op.mode else { return Err(Error::bug("a Pad that repeats what is there").into()) };
    let ty = c.facts[0].datum_type;
    let value = value.cast_to_dt(ty)?.into_owned();
    let value = Reader(c.out.ty, value.as_bytes()).get(0);
    let before: Vec<usize> = pads.iter().map(|p| p.0).collect();
    Ok(c.pad(x.id, before, vec![0; pads.len()], shape, value))
}
