//! The greatest few along an axis: each round looks for the best that comes after the one found before. It needs no
//! memory of its own; for `k` of `n` it takes `k n` steps.

use wasm_encoder::{BlockType, ValType};

use super::Lower;
use crate::emit::code::val_type;
use crate::emit::nest::{Walk, nest};
use crate::emit::{Address, Code, scalar};
use crate::graph::build::strides;
use crate::graph::eval_windows::precedes;
use crate::graph::{Id, Type};
use crate::math::{Kind, Program};

/// Lowers [`crate::graph::Op::TopK`].
pub(super) fn lower(lower: &mut Lower, code: &mut Code, id: Id, axis: usize, least: bool) {
    let node = lower.graph.node(id);
    let from = lower.graph.node(node.inputs[0]);
    let (to, along) = (strides(&node.shape), strides(&from.shape));
    let walks =
        [Walk::new(lower.at(code, id), &to, 8), Walk::new(lower.at(code, node.inputs[0]), &along, from.ty.bytes())];
    let mut lines = from.shape.clone();
    lines[axis] = 1;
    let line = Line {
        ty: from.ty,
        precedes: precedes(from.ty, least),
        n: from.shape[axis],
        k: node.shape[axis],
        to: to[axis] as i64 * 8,
        from: (along[axis] * from.ty.bytes()) as i64,
    };
    nest(code, &lines, &walks, 1, &mut |code, at| line.emit(code, at));
}

struct Line {
    ty: Type,
    precedes: Program,
    n: usize,
    k: usize,
    to: i64,
    from: i64,
}

impl Line {
    fn emit(&self, code: &mut Code, at: &[Address]) {
        let kind = val_type(Kind::from(self.ty));
        let [value, best, last] = [0; 3].map(|_| code.local(kind));
        let [j, best_at, last_at] = [0; 3].map(|_| code.local(ValType::I64));
        let before = |code: &mut Code, a: (u32, u32), b: (u32, u32)| {
            let locals = [a.0, a.1, b.0, b.1];
            scalar::emit(code, &self.precedes, &mut |code, p| {
                code.i().local_get(locals[p]);
            });
        };
        code.i().i64_const(-1).local_set(last_at); // none found yet
        nest(code, &[self.k], &[Walk { start: at[0], strides: vec![self.to] }], 1, &mut |code, to| {
            code.i().i64_const(-1).local_set(best_at).i64_const(0).local_set(j);
            nest(code, &[self.n], &[Walk { start: at[1], strides: vec![self.from] }], 1, &mut |code, from| {
                code.load(self.ty, from[0]);
                code.i().local_set(value);
                before(code, (last, last_at), (value, j));
                code.i().local_get(last_at).i64_const(0).i64_lt_s().i32_or();
                before(code, (value, j), (best, best_at));
                code.i().local_get(best_at).i64_const(0).i64_lt_s().i32_or().i32_and();
                code.i().if_(BlockType::Empty).local_get(value).local_set(best).local_get(j).local_set(best_at).end();
                code.i().local_get(j).i64_const(1).i64_add().local_set(j);
            });
            let store = code.begin_store(to[0]);
            code.i().local_get(best_at);
            code.store(Type::I64, store);
            code.i().local_get(best).local_set(last).local_get(best_at).local_set(last_at);
        });
        [value, best, last, j, best_at, last_at].into_iter().for_each(|local| code.release(local));
    }
}
