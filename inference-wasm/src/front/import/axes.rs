//! Axes added, taken away, moved and reshaped.

use tract_onnx::tract_core::ops::change_axes::AxisOp;

use super::{Context, Stop};
use crate::graph::Id;

/// Any [`AxisOp`].
pub fn change(c: &mut Context, op: &AxisOp) -> Result<Id, Stop> {
    let x = c.inputs[0].clone();
    let shape = c.out.shape.clone();
    if let AxisOp::Move(from, to) = op {
        let mut order: Vec<usize> = (0..x.layout.rank()).collect();
        let axis = order.remove(*from);
        order.insert(*to, axis);
        let perm = order.into_iter().filter_map(|axis| x.layout.position(axis)).collect::<Vec<_>>();
        return Ok(c.transpose(x.id, &perm));
    }
    // The order of the elements stays. Rows stay rows when as many elements stand before their axis as after the change.
    let before = |shape: &[usize], rows: Option<usize>| shape[..rows.unwrap_or(0)].iter().product::<usize>();
    if before(&x.layout.shape, x.layout.rows) != before(&shape, c.out.rows) {
        return Err(Stop::Mixes);
    }
    Ok(c.reshape(x.id, &shape))
}
