//! A value around and between elements: the result is filled with it, then the elements are put in.

use super::Lower;
use super::elementwise::{copy, loops};
use crate::emit::Code;
use crate::emit::nest::Walk;
use crate::graph::build::strides;
use crate::graph::eval::Reader;
use crate::graph::{Id, Pad};
use crate::math::Maker;

/// Lowers [`crate::graph::Op::Pad`].
pub(super) fn lower(lower: &mut Lower, code: &mut Code, id: Id, pad: &Pad) {
    let node = lower.graph.node(id);
    let (shape, bytes) = (&lower.graph.node(node.inputs[0]).shape, node.ty.bytes());
    let mut m = Maker::new();
    let value = m.bits(node.ty.into(), Reader(node.ty, &pad.value.0).get(0));
    let program = m.finish(&[], node.ty, value);
    let to = strides(&node.shape);
    let all = Walk::new(lower.at(code, id), &to, bytes);
    loops(code, lower.simd, &node.shape, all.clone(), vec![], &program);
    if shape.contains(&0) {
        return;
    }
    let first: usize = pad.before.iter().zip(&to).map(|(b, s)| b * s * bytes).sum();
    let apart: Vec<usize> = pad.between.iter().zip(&to).map(|(b, s)| (b + 1) * s).collect();
    let target = Walk::new(all.start.plus(first as i64), &apart, bytes);
    let from = Walk::new(lower.at(code, node.inputs[0]), &strides(shape), bytes);
    copy(code, lower.simd, shape, target, from, node.ty);
}
