//! The general product of (stacks of) matrices: each sum over ascending `k`.

use wasm_encoder::ValType;

use super::Lower;
use crate::emit::code::val_type;
use crate::emit::nest::{Walk, nest};
use crate::emit::{Address, Code, scalar};
use crate::graph::build::strides;
use crate::graph::eval::matrix_strides;
use crate::graph::{Id, Type};
use crate::math::{Bin, Kind};

/// Lowers [`crate::graph::Op::MatMul`].
pub(super) fn lower(lower: &mut Lower, code: &mut Code, id: Id) {
    let graph = lower.graph;
    let node = graph.node(id);
    let (a, b) = (&graph.node(node.inputs[0]).shape, &graph.node(node.inputs[1]).shape);
    let (k, n, rank) = (a[a.len() - 1], b[b.len() - 1], node.shape.len());
    let batch = &node.shape[..rank - 2];
    let left = [&matrix_strides(a, batch)[..], &[k, 0]].concat();
    let right = [&matrix_strides(b, batch)[..], &[0, 1]].concat();
    let bytes = node.ty.bytes();
    let walks = [
        Walk::new(lower.at(code, id), &strides(&node.shape), bytes),
        Walk::new(lower.at(code, node.inputs[0]), &left, bytes),
        Walk::new(lower.at(code, node.inputs[1]), &right, bytes),
    ];
    let mut done = 0;
    if lower.simd && node.ty == Type::F32 && n >= 4 {
        let mut extents = node.shape.clone();
        extents[rank - 1] = n / 4;
        let mut wide = walks.clone();
        wide.iter_mut().for_each(|w| w.strides[rank - 1] *= 4);
        nest(code, &extents, &wide, 1, &mut |code, at| four(code, k, n, at));
        done = n / 4 * 4;
    }
    let mut extents = node.shape.clone();
    extents[rank - 1] = n - done;
    let mut rest = walks;
    rest.iter_mut().for_each(|w| w.start = w.start.plus(done as i64 * w.strides[rank - 1]));
    nest(code, &extents, &rest, 1, &mut |code, at| one(code, node.ty, k, n, at));
}

fn terms(code: &mut Code, k: usize, n: usize, bytes: i64, at: &[Address], body: &mut dyn FnMut(&mut Code, &[Address])) {
    let walks = [Walk { start: at[1], strides: vec![bytes] }, Walk { start: at[2], strides: vec![bytes * n as i64] }];
    nest(code, &[k], &walks, 8, body);
}

fn one(code: &mut Code, ty: Type, k: usize, n: usize, at: &[Address]) {
    let kind = Kind::from(ty);
    let sum = code.local(val_type(kind));
    code.constant(kind, 0);
    code.i().local_set(sum);
    terms(code, k, n, ty.bytes() as i64, at, &mut |code, at| {
        code.i().local_get(sum);
        code.load(ty, at[0]);
        code.load(ty, at[1]);
        scalar::bin(code, Bin::Mul, kind);
        scalar::bin(code, Bin::Add, kind);
        code.i().local_set(sum);
    });
    let store = code.begin_store(at[0]);
    code.i().local_get(sum);
    code.store(ty, store);
    code.release(sum);
}

fn four(code: &mut Code, k: usize, n: usize, at: &[Address]) {
    let sum = code.local(ValType::V128);
    code.i().v128_const(0).local_set(sum);
    terms(code, k, n, 4, at, &mut |code, at| {
        code.i().local_get(sum);
        code.load_splat(at[0]);
        code.load_vector(at[1]);
        code.i().f32x4_mul().f32x4_add().local_set(sum);
    });
    let store = code.begin_store(at[0]);
    code.i().local_get(sum);
    code.store_vector(store);
    code.release(sum);
}
