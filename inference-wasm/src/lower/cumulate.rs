//! Running sums and products: one running value for each line.

use super::Lower;
use crate::emit::code::val_type;
use crate::emit::nest::{Walk, nest};
use crate::emit::{Code, scalar};
use crate::graph::build::strides;
use crate::graph::eval::{start, step};
use crate::graph::{Cumulate, Id, Reduce};
use crate::math::Kind;

/// Lowers [`crate::graph::Op::Cumulate`].
pub(super) fn lower(lower: &mut Lower, code: &mut Code, id: Id, how: Cumulate) {
    let node = lower.graph.node(id);
    let (kind, ty, bytes, steps) = (Kind::from(node.ty), node.ty, node.ty.bytes(), strides(&node.shape));
    let op = if how.product { Reduce::Prod } else { Reduce::Sum };
    let program = step(op, ty);
    let (n, stride) = (node.shape[how.axis], (steps[how.axis] * bytes) as i64);
    let mut lines = node.shape.clone();
    lines[how.axis] = 1;
    let mut walks =
        [Walk::new(lower.at(code, id), &steps, bytes), Walk::new(lower.at(code, node.inputs[0]), &steps, bytes)];
    if how.reverse {
        walks.iter_mut().for_each(|w| w.start = w.start.plus((n as i64 - 1) * stride));
    }
    let along = if how.reverse { -stride } else { stride };
    nest(code, &lines, &walks, 1, &mut |code, at| {
        let (total, next) = (code.local(val_type(kind)), code.local(val_type(kind)));
        code.constant(kind, start(op, ty));
        code.i().local_set(total);
        let line = [Walk { start: at[0], strides: vec![along] }, Walk { start: at[1], strides: vec![along] }];
        nest(code, &[n], &line, 8, &mut |code, at| {
            scalar::emit(code, &program, &mut |code, p| {
                if p == 0 {
                    code.i().local_get(total);
                } else {
                    code.load(ty, at[1]);
                }
            });
            code.i().local_set(next);
            let store = code.begin_store(at[0]);
            code.i().local_get(if how.exclusive { total } else { next });
            code.store(ty, store);
            code.i().local_get(next).local_set(total);
        });
        [total, next].into_iter().for_each(|local| code.release(local));
    });
}
