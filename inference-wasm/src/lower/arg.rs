//! The position of the greatest (or least) along an axis.

use wasm_encoder::ValType;

use super::Lower;
use crate::emit::code::val_type;
use crate::emit::nest::{Walk, nest};
use crate::emit::{Address, Code, scalar};
use crate::graph::build::strides;
use crate::graph::{Id, Type};
use crate::math::{Bin, Kind};

/// Positions that are written out instead of looped over.
const UNROLL: usize = 16;

/// Lowers [`crate::graph::Op::ArgExtreme`].
pub(super) fn lower(lower: &mut Lower, code: &mut Code, id: Id, axis: usize, least: bool, last: bool) {
    let graph = lower.graph;
    let node = graph.node(id);
    let from = graph.node(node.inputs[0]);
    let (bytes, n, along) = (from.ty.bytes(), from.shape[axis], strides(&from.shape));
    let wins = match (least, last) {
        (false, false) => Bin::Gt,
        (false, true) => Bin::Ge,
        (true, false) => Bin::Lt,
        (true, true) => Bin::Le,
    };
    let walks = [
        Walk::new(lower.at(code, id), &strides(&node.shape), 8),
        Walk::new(lower.at(code, node.inputs[0]), &along, bytes),
    ];
    let stride = (along[axis] * bytes) as i64;
    nest(code, &node.shape, &walks, 1, &mut |code, at| search(code, from.ty, wins, n, stride, at));
}

fn search(code: &mut Code, ty: Type, wins: Bin, n: usize, stride: i64, at: &[Address]) {
    let kind = Kind::from(ty);
    let (best, value) = (code.local(val_type(kind)), code.local(val_type(kind)));
    let (index, j) = (code.local(ValType::I64), code.local(ValType::I64));
    let better = code.local(ValType::I32);
    code.load(ty, at[1]);
    code.i().local_set(best).i64_const(0).local_set(index).i64_const(1).local_set(j);
    let walk = Walk { start: at[1].plus(stride), strides: vec![stride] };
    nest(code, &[n - 1], &[walk], UNROLL, &mut |code, at| {
        code.load(ty, at[0]);
        code.i().local_tee(value).local_get(best);
        scalar::bin(code, wins, kind);
        code.i().local_set(better);
        code.i().local_get(value).local_get(best).local_get(better).select().local_set(best);
        code.i().local_get(j).local_get(index).local_get(better).select().local_set(index);
        code.i().local_get(j).i64_const(1).i64_add().local_set(j);
    });
    let store = code.begin_store(at[0]);
    code.i().local_get(index);
    code.store(Type::I64, store);
    [best, value, index, j, better].into_iter().for_each(|local| code.release(local));
}
