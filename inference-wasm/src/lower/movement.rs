//! Operators that only move elements: slice, concat, transpose, broadcast.

use super::Lower;
use super::elementwise::{copy, plus};
use crate::emit::Code;
use crate::emit::nest::Walk;
use crate::graph::Id;
use crate::graph::build::{broadcast_strides, strides};

/// Lowers [`crate::graph::Op::Slice`].
pub(super) fn slice(lower: &mut Lower, code: &mut Code, id: Id, axis: usize, start: usize, step: isize) {
    let node = lower.graph.node(id);
    let from = strides(&lower.graph.node(node.inputs[0]).shape);
    let bytes = node.ty.bytes();
    let first = plus(lower.at(code, node.inputs[0]), start * from[axis] * bytes);
    let mut walk = Walk::new(first, &from, bytes);
    walk.strides[axis] *= step as i64;
    let to = Walk::new(lower.at(code, id), &strides(&node.shape), bytes);
    copy(code, lower.simd, &node.shape, to, walk, node.ty);
}

/// Lowers [`crate::graph::Op::Concat`].
pub(super) fn concat(lower: &mut Lower, code: &mut Code, id: Id, axis: usize) {
    let node = lower.graph.node(id);
    let (to, bytes) = (strides(&node.shape), node.ty.bytes());
    let mut done = 0;
    for part in &node.inputs {
        let shape = &lower.graph.node(*part).shape;
        let target = plus(lower.at(code, id), done * to[axis] * bytes);
        done += shape[axis];
        if shape.contains(&0) {
            continue;
        }
        let from = Walk::new(lower.at(code, *part), &strides(shape), bytes);
        copy(code, lower.simd, shape, Walk::new(target, &to, bytes), from, node.ty);
    }
}

/// Lowers [`crate::graph::Op::Transpose`].
pub(super) fn transpose(lower: &mut Lower, code: &mut Code, id: Id, perm: &[usize]) {
    let from = strides(&lower.graph.node(lower.graph.node(id).inputs[0]).shape);
    let moved: Vec<usize> = perm.iter().map(|p| from[*p]).collect();
    whole(lower, code, id, &moved);
}

/// Lowers [`crate::graph::Op::Broadcast`].
pub(super) fn broadcast(lower: &mut Lower, code: &mut Code, id: Id) {
    let node = lower.graph.node(id);
    let from = broadcast_strides(&lower.graph.node(node.inputs[0]).shape, &node.shape);
    whole(lower, code, id, &from);
}

/// Fills the node's value from its operand, walked through with the strides `from`.
fn whole(lower: &mut Lower, code: &mut Code, id: Id, from: &[usize]) {
    let node = lower.graph.node(id);
    let bytes = node.ty.bytes();
    let from = Walk::new(lower.at(code, node.inputs[0]), from, bytes);
    let to = Walk::new(lower.at(code, id), &strides(&node.shape), bytes);
    copy(code, lower.simd, &node.shape, to, from, node.ty);
}
