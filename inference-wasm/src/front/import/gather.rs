//! Elements at positions, and ones at positions.

use tract_onnx::tract_core::ops::array::{Gather, OneHot};
use tract_onnx::tract_hir::internal::*;

use super::{Context, Stop};
use crate::graph::eval::Reader;
use crate::graph::{Binary, Bytes, Id, Op, Type};

/// Rows may be in the data, off the axis, or in the positions, not in both.
pub fn gather(c: &mut Context, op: &Gather) -> Result<Id, Stop> {
    let (data, positions) = (c.inputs[0].clone(), c.inputs[1].clone());
    if data.layout.rows.is_some() && positions.layout.rows.is_some() {
        return Err(Stop::Mixes);
    }
    let axis = data.layout.strip(op.axis)?;
    let size = data.layout.shape[axis] as i64;
    if let Some(bytes) = c.importer.graph.constant_bytes(positions.id) {
        let reader = Reader(positions.layout.ty, bytes);
        if (0..reader.len()).any(|i| !(-size..size).contains(&reader.signed(i))) {
            let what = format!("a position is beyond the {size} elements along axis {}", op.axis);
            return Err(c.wrong(what));
        }
    }
    Ok(c.result(Op::Gather { axis }, vec![data.id, positions.id]))
}

/// `on` where the position along the new axis is the operand, else `off`.
pub fn one_hot(c: &mut Context, op: &OneHot) -> Result<Id, Stop> {
    let x = c.inputs[0].clone();
    let axis = c.out.strip(op.axis)?;
    let wide = {
        let shape = x.layout.shape.clone();
        if x.layout.ty == Type::I64 { x.id } else { c.shaped(Op::Cast, vec![x.id], shape, Type::I64) }
    };
    let mut unit = c.out.shape.clone();
    unit[axis] = 1;
    let wide = c.reshape(wide, &unit);
    let number = |c: &mut Context, v: i64| {
        let op = Op::Const(Bytes(v.to_le_bytes().as_slice().into()));
        c.shaped(op, vec![], vec![], Type::I64)
    };
    // Negative positions count from the end.
    let (zero, dim) = (number(c, 0), number(c, op.dim as i64));
    let negative = c.shaped(Op::Binary(Binary::Less), vec![wide, zero], unit.clone(), Type::Bool);
    let turned = c.shaped(Op::Binary(Binary::Add), vec![wide, dim], unit.clone(), Type::I64);
    let wide = c.shaped(Op::Select, vec![negative, turned, wide], unit.clone(), Type::I64);
    let mut along = vec![1; unit.len()];
    along[axis] = op.dim;
    let places: Vec<u8> = (0..op.dim as i64).flat_map(i64::to_le_bytes).collect();
    let places = c.shaped(Op::Const(Bytes(places.into())), vec![], along, Type::I64);
    let shape = c.out.shape.clone();
    let hit = c.shaped(Op::Binary(Binary::Equal), vec![wide, places], shape, Type::Bool);
    let ty = c.out.ty;
    let side =
        |c: &mut Context, value: &Tensor| c.shaped(Op::Const(Bytes(value.as_bytes().into())), vec![], vec![], ty);
    let (on, off) = (side(c, &op.on), side(c, &op.off));
    Ok(c.result(Op::Select, vec![hit, on, off]))
}
