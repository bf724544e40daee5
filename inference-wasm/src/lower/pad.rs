//! A value around and between elements. Around alone: the border is filled. Between too: everything is, before the
//! elements are put in.

use super::Lower;
use super::elementwise::{copy, loops};
use crate::emit::Code;
use crate::emit::nest::Walk;
use crate::graph::build::strides;
use crate::graph::eval::Reader;
use crate::graph::{Bytes, Id, Node, Pad, Type};
use crate::math::Maker;

/// Lowers [`crate::graph::Op::Pad`].
pub(super) fn lower(lower: &mut Lower, code: &mut Code, id: Id, pad: &Pad) {
    let node = lower.graph.node(id);
    let (shape, bytes) = (&lower.graph.node(node.inputs[0]).shape, node.ty.bytes());
    let all = Walk::new(lower.at(code, id), &strides(&node.shape), bytes);
    if shape.contains(&0) {
        return fill(code, lower.simd, node.ty, &pad.value, &node.shape, all);
    }
    let target = around(code, lower.simd, node, all, shape, pad);
    let from = Walk::new(lower.at(code, node.inputs[0]), &strides(shape), bytes);
    copy(code, lower.simd, shape, target, from, node.ty);
}

/// Writes all of the node's array that is none of the elements, which are of `shape`; where those go.
pub(super) fn around(code: &mut Code, simd: bool, node: &Node, all: Walk, shape: &[usize], pad: &Pad) -> Walk {
    if pad.between.iter().any(|n| *n > 0) {
        fill(code, simd, node.ty, &pad.value, &node.shape, all.clone());
    } else {
        border(code, simd, node, &all, &pad.before, shape, &pad.value);
    }
    let first: i64 = pad.before.iter().zip(&all.strides).map(|(b, s)| *b as i64 * s).sum();
    let apart = pad.between.iter().zip(&all.strides).map(|(b, s)| (*b as i64 + 1) * s).collect();
    Walk { start: all.start.plus(first), strides: apart }
}

/// Fills what of the node's array is not one of the elements, which begin at `before` and are of `shape`.
pub(super) fn border(
    code: &mut Code,
    simd: bool,
    node: &Node,
    all: &Walk,
    before: &[usize],
    shape: &[usize],
    value: &Bytes,
) {
    // Axis by axis what is before and after the elements: of all that later axes hold, where earlier ones hold elements.
    let mut corner = all.start;
    for (d, first) in before.iter().enumerate() {
        let behind = first + shape[d];
        for (from, count) in [(0, *first), (behind, node.shape[d] - behind)] {
            let extents = [&shape[..d], &[count], &node.shape[d + 1..]].concat();
            let start = corner.plus(from as i64 * all.strides[d]);
            fill(code, simd, node.ty, value, &extents, Walk { start, ..all.clone() });
        }
        corner = corner.plus(*first as i64 * all.strides[d]);
    }
}

/// Writes the value to all of `extents`.
fn fill(code: &mut Code, simd: bool, ty: Type, value: &Bytes, extents: &[usize], to: Walk) {
    let mut m = Maker::new();
    let value = m.bits(ty.into(), Reader(ty, &value.0).get(0));
    let program = m.finish(&[], ty, value);
    loops(code, simd, extents, to, vec![], &program);
}
