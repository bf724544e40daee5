//! Copies side by side, and triangles.

use tract_onnx::tract_core::ops::array::{Tile, Trilu};
use tract_onnx::tract_hir::internal::*;

use super::{Context, Stop};
use crate::graph::{Bytes, Id, Op, Type};

/// Each axis as often as its multiplier says.
pub fn tile(c: &mut Context, op: &Tile) -> Result<Id, Stop> {
    let x = c.inputs[0].clone();
    let times: Result<Vec<usize>, _> = op.multipliers.iter().map(|m| m.to_usize()).collect();
    let times = times.map_err(|_| Stop::Mixes)?;
    copies(c, x.id, &times)
}

/// Operand 0, of identity `id`, repeated `times` along tract's axes.
pub(super) fn copies(c: &mut Context, id: Id, times: &[usize]) -> Result<Id, Stop> {
    let x = c.inputs[0].layout.clone();
    let mut times = times.to_vec();
    if let Some(rows) = x.rows {
        if x.merged || times[rows] != 1 {
            return Err(Stop::Mixes);
        }
        times.remove(rows);
    }
    // [a, b] to [1, a, 1, b] to [m, a, n, b].
    let apart: Vec<usize> = x.shape.iter().flat_map(|d| [1, *d]).collect();
    let wide: Vec<usize> = x.shape.iter().zip(&times).flat_map(|(d, t)| [*t, *d]).collect();
    let id = c.reshape(id, &apart);
    let id = c.shaped(Op::Broadcast, vec![id], wide, x.ty);
    let shape = c.out.shape.clone();
    Ok(c.reshape(id, &shape))
}

/// The upper or lower triangle; zeros elsewhere.
pub fn triangle(c: &mut Context, op: &Trilu) -> Result<Id, Stop> {
    let x = c.inputs[0].clone();
    let rank = x.layout.rank();
    let (rows, columns) = (x.layout.strip(rank - 2)?, x.layout.strip(rank - 1)?);
    let Some(k) = c.facts[1].konst.as_ref().and_then(|k| k.cast_to_scalar::<i64>().ok()) else {
        return Err(c.unsupported("a diagonal that is not constant"));
    };
    let (m, n) = (x.layout.shape[rows], x.layout.shape[columns]);
    let inside = |i: usize, j: usize| {
        let from = j as i64 - i as i64;
        if op.upper { from >= k } else { from <= k }
    };
    let mask: Vec<u8> = (0..m * n).map(|at| u8::from(inside(at / n, at % n))).collect();
    let mask = c.shaped(Op::Const(Bytes(mask.into())), vec![], vec![m, n], Type::Bool);
    let zero = c.shaped(Op::Const(vec![0; x.layout.ty.bytes()].into()), vec![], vec![], x.layout.ty);
    Ok(c.result(Op::Select, vec![mask, x.id, zero]))
}
