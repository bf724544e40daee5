//! Softmax: the greatest, `exp(x - greatest)`, their sum over ascending positions, the quotients.

use super::Lower;
use super::elementwise::{Source, loops};
use crate::emit::code::val_type;
use crate::emit::nest::{Walk, nest};
use crate::emit::{Address, Code, scalar};
use crate::graph::build::strides;
use crate::graph::eval::{softmax_exp, start};
use crate::graph::{Binary, Id, Reduce, Type};
use crate::math::{Bin, Kind, element};

/// Lowers [`crate::graph::Op::Softmax`].
pub(super) fn lower(lower: &mut Lower, code: &mut Code, id: Id, axis: usize) {
    let node = lower.graph.node(id);
    let (bytes, steps) = (node.ty.bytes(), strides(&node.shape));
    let walks =
        [Walk::new(lower.at(code, id), &steps, bytes), Walk::new(lower.at(code, node.inputs[0]), &steps, bytes)];
    let mut others = node.shape.clone();
    others[axis] = 1;
    let (n, stride, simd) = (node.shape[axis], (steps[axis] * bytes) as i64, lower.simd);
    nest(code, &others, &walks, 1, &mut |code, at| line(code, simd, node.ty, n, stride, at));
}

fn line(code: &mut Code, simd: bool, ty: Type, n: usize, stride: i64, at: &[Address]) {
    let kind = Kind::from(ty);
    let (greatest, total) = (code.local(val_type(kind)), code.local(val_type(kind)));
    let walk = |n: usize| Walk { start: at[n], strides: vec![stride] };
    code.constant(kind, start(Reduce::Max, ty));
    code.i().local_set(greatest);
    nest(code, &[n], &[walk(1)], 16, &mut |code, at| {
        code.i().local_get(greatest);
        code.load(ty, at[0]);
        scalar::bin(code, Bin::Max, kind);
        code.i().local_set(greatest);
    });
    loops(code, simd, &[n], walk(0), vec![Source::Memory(walk(1)), Source::Local(greatest)], &softmax_exp(ty));
    code.constant(kind, 0);
    code.i().local_set(total);
    nest(code, &[n], &[walk(0)], 16, &mut |code, at| {
        code.i().local_get(total);
        code.load(ty, at[0]);
        scalar::bin(code, Bin::Add, kind);
        code.i().local_set(total);
    });
    let quotient = element::binary(Binary::Div, ty).expect("softmax is of floats");
    loops(code, simd, &[n], walk(0), vec![Source::Memory(walk(0)), Source::Local(total)], &quotient);
    [greatest, total].into_iter().for_each(|local| code.release(local));
}
