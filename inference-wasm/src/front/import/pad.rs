//! Values around a tensor.

use tract_onnx::tract_core::ops::array::{Pad, PadMode};

use super::{Context, Stop};
use crate::graph::eval::Reader;
use crate::graph::{Id, Op};

/// A constant, the edge, or what is mirrored at it.
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
    if let PadMode::Constant(value) = &op.mode {
        let ty = c.facts[0].datum_type;
        let value = value.cast_to_dt(ty)?.into_owned();
        let value = Reader(c.out.ty, value.as_bytes()).get(0);
        let before: Vec<usize> = pads.iter().map(|p| p.0).collect();
        return Ok(c.pad(x.id, before, vec![0; pads.len()], shape, value));
    }
    let (mut id, mut sizes) = (x.id, x.layout.shape);
    for (axis, (before, after)) in pads.iter().enumerate().filter(|(_, p)| **p != (0, 0)) {
        let n = sizes[axis] as i64;
        let position = |i: i64| match &op.mode {
            PadMode::Edge => i.clamp(0, n - 1),
            // There and back again.
            _ if n == 1 => 0,
            _ => (n - 1) - ((n - 1) - i.rem_euclid(2 * (n - 1))).abs(),
        };
        let places: Vec<i64> = (-(*before as i64)..n + *after as i64).map(position).collect();
        sizes[axis] = places.len();
        let places = c.integers(&places, vec![places.len()]);
        id = c.shaped(Op::Gather { axis }, vec![id, places], sizes.clone(), c.out.ty);
    }
    Ok(id)
}
