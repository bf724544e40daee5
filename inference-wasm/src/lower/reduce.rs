//! Reductions: one running value for each result, over ascending positions. In vectors the lanes
//! are results side by side, so that each runs in the same order as alone.

use wasm_encoder::ValType;

use super::Lower;
use crate::emit::code::val_type;
use crate::emit::nest::{Walk, merge, nest};
use crate::emit::{Address, Code, scalar, vector};
use crate::graph::build::strides;
use crate::graph::eval::{start, step};
use crate::graph::{Binary, Id, Pool, Reduce, Strided, Type};
use crate::math::{Kind, Maker, Program, element};

/// Lowers [`crate::graph::Op::Reduce`].
pub(super) fn lower(lower: &mut Lower, code: &mut Code, id: Id, op: Reduce, axes: &[usize]) {
    let shape = &lower.graph.node(lower.graph.node(id).inputs[0]).shape;
    let from = strides(shape);
    let inner: Vec<usize> = axes.iter().map(|a| shape[*a]).collect();
    let along: Vec<usize> = axes.iter().map(|a| from[*a]).collect();
    windows(lower, code, id, op, &inner, &Strided { start: 0, outer: from, inner: along });
}

/// Lowers [`crate::graph::Op::Pool`].
pub(super) fn pool(lower: &mut Lower, code: &mut Code, id: Id, op: Reduce, pool: &Pool) {
    windows(lower, code, id, op, &pool.inner, &pool.operand);
}

fn windows(lower: &mut Lower, code: &mut Code, id: Id, op: Reduce, inner: &[usize], from: &Strided) {
    let node = lower.graph.node(id);
    let (bytes, count) = (node.ty.bytes(), inner.iter().product());
    let work = Work { ty: node.ty, start: start(op, node.ty), step: step(op, node.ty), end: end(op, node.ty, count) };
    let along: Vec<i64> = from.inner.iter().map(|s| (s * bytes) as i64).collect();
    let first = lower.at(code, node.inputs[0]).plus((from.start * bytes) as i64);
    let outer = [Walk::new(lower.at(code, id), &strides(&node.shape), bytes), Walk::new(first, &from.outer, bytes)];
    let (extents, walks) = merge(&node.shape, &outer);
    let (last, n) = (extents.len() - 1, extents[extents.len() - 1]);
    let beside = walks.iter().all(|w| w.strides[last] == 4);
    let mut done = 0;
    if lower.simd && n >= 4 && beside && vector::possible(&work.step) && vector::possible(&work.end) {
        let mut four = extents.clone();
        four[last] = n / 4;
        let mut wide = walks.clone();
        wide.iter_mut().for_each(|w| w.strides[last] *= 4);
        nest(code, &four, &wide, 1, &mut |code, at| work.emit(code, true, at, inner, &along));
        done = n / 4 * 4;
    }
    let mut few = extents;
    few[last] = n - done;
    let mut rest = walks;
    rest.iter_mut().for_each(|w| w.start = w.start.plus(done as i64 * w.strides[last]));
    nest(code, &few, &rest, 1, &mut |code, at| work.emit(code, false, at, inner, &along));
}

struct Work {
    ty: Type,
    start: u64,
    step: Program,
    end: Program,
}

impl Work {
    fn emit(&self, code: &mut Code, wide: bool, at: &[Address], inner: &[usize], along: &[i64]) {
        let kind = Kind::from(self.ty);
        let sum = code.local(if wide { ValType::V128 } else { val_type(kind) });
        code.constant(kind, self.start);
        match (wide, kind) {
            (false, _) => {}
            (true, Kind::F32) => {
                code.i().f32x4_splat();
            }
            (true, _) => {
                code.i().i32x4_splat();
            }
        }
        code.i().local_set(sum);
        let (extents, walks) = merge(inner, &[Walk { start: at[1], strides: along.to_vec() }]);
        nest(code, &extents, &walks, 8, &mut |code, at| {
            let mut param = |code: &mut Code, n: usize| match (n, wide) {
                (0, _) => {
                    code.i().local_get(sum);
                }
                (_, true) => code.load_vector(at[0]),
                (_, false) => code.load(self.ty, at[0]),
            };
            if wide {
                vector::emit(code, &self.step, &mut param);
            } else {
                scalar::emit(code, &self.step, &mut param);
            }
            code.i().local_set(sum);
        });
        let store = code.begin_store(at[0]);
        let mut param = |code: &mut Code, _: usize| {
            code.i().local_get(sum);
        };
        if wide {
            vector::emit(code, &self.end, &mut param);
            code.store_vector(store);
        } else {
            scalar::emit(code, &self.end, &mut param);
            code.store(self.ty, store);
        }
        code.release(sum);
    }
}

/// What becomes of the sum: for a mean, the division.
fn end(op: Reduce, ty: Type, count: usize) -> Program {
    let mut m = Maker::new();
    let sum = m.param(0, ty);
    let y = if op == Reduce::Mean {
        let n = m.number(ty.into(), count as f64);
        m.inline(&element::binary(Binary::Div, ty).expect("a mean is of numbers"), &[sum, n])
    } else {
        sum
    };
    m.finish(&[ty], ty, y)
}
