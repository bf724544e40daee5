//! A product with packed constant weights: a panel of columns at a time, each sum over ascending
//! `k`, then the program on every sum. In vectors the lanes are columns, so that each column's sum
//! runs in the same order as alone.

use wasm_encoder::ValType;

use super::Lower;
use crate::emit::nest::{Walk, nest};
use crate::emit::{Address, Code, scalar, vector};
use crate::graph::build::{broadcast_strides, strides};
use crate::graph::{Dense, Id, Type};

/// Steps along `k` that are written out in one round of the loop.
const UNROLL: usize = 4;
/// Sums that one number at a time are made together.
const TOGETHER: usize = 4;

/// Lowers [`crate::graph::Op::Dense`].
pub(super) fn lower(lower: &mut Lower, code: &mut Code, id: Id, dense: &Dense) {
    let graph = lower.graph;
    let node = graph.node(id);
    let rank = node.shape.len();
    let to = strides(&node.shape);
    let mut walks = vec![
        Walk::new(lower.at(code, id), &to, node.ty.bytes()),
        Walk::new(lower.at(code, node.inputs[0]), &rows(&node.shape, dense.k), 4),
        Walk::new(lower.at(code, node.inputs[1]), &vec![0; rank], 4),
    ];
    for operand in &node.inputs[2..] {
        let from = graph.node(*operand);
        let start = lower.at(code, *operand);
        walks.push(Walk::new(start, &broadcast_strides(&from.shape, &node.shape), from.ty.bytes()));
    }
    let mut columns = 0;
    let mut panels = &dense.panels[..];
    while let Some(width) = panels.first().copied() {
        // Panels of one width in a loop.
        let alike = panels.iter().take_while(|w| **w == width).count();
        let mut extents = node.shape.clone();
        extents[rank - 1] = alike;
        let mut some = walks.clone();
        for (n, walk) in some.iter_mut().enumerate() {
            walk.start = walk.start.plus(columns as i64 * walk.strides[rank - 1]);
            walk.strides[rank - 1] *= width as i64;
            if n == 2 {
                walk.start = walks[2].start.plus((columns * dense.k * 4) as i64);
                walk.strides[rank - 1] = (dense.k * width * 4) as i64;
            }
        }
        let simd = lower.simd && width % 4 == 0;
        nest(code, &extents, &some, 1, &mut |code, at| {
            let step: Vec<i64> = walks.iter().map(|w| w.strides[rank - 1]).collect();
            if simd {
                panel(code, dense, width, at, &step);
            } else {
                for column in (0..width).step_by(TOGETHER) {
                    few(code, dense, width, column, TOGETHER.min(width - column), at, &step);
                }
            }
        });
        columns += alike * width;
        panels = &panels[alike..];
    }
}

/// Strides of the left operand's rows in the loops over the result.
fn rows(shape: &[usize], k: usize) -> Vec<usize> {
    let mut left = shape.to_vec();
    *left.last_mut().expect("a product has an axis of columns") = k;
    let mut strides = strides(&left);
    *strides.last_mut().expect("likewise") = 0;
    strides
}

/// `width` columns, four in a vector.
fn panel(code: &mut Code, dense: &Dense, width: usize, at: &[Address], step: &[i64]) {
    let sums: Vec<u32> = (0..width / 4).map(|_| code.local(ValType::V128)).collect();
    let x = code.local(ValType::V128);
    for sum in &sums {
        code.i().v128_const(0).local_set(*sum);
    }
    along(code, dense.k, at[1], at[2], width, &mut |code, left, weights| {
        code.load_splat(left);
        code.i().local_set(x);
        for (n, sum) in sums.iter().enumerate() {
            code.i().local_get(*sum).local_get(x);
            code.load_vector(weights.plus(16 * n as i64));
            code.i().f32x4_mul().f32x4_add().local_set(*sum);
        }
    });
    code.release(x);
    let beside = at.iter().zip(step).enumerate().all(|(n, (_, s))| n == 1 || n == 2 || *s == 4 || (n > 2 && *s == 0));
    let together = beside && vector::possible(&dense.program);
    for (n, sum) in sums.iter().enumerate() {
        let column = |a: usize, lane: usize| at[a].plus((4 * n + lane) as i64 * step[a]);
        if together {
            let store = code.begin_store(column(0, 0));
            vector::emit(code, &dense.program, &mut |code, p| match p {
                0 => {
                    code.i().local_get(*sum);
                }
                _ if step[p + 2] == 0 => code.load_splat(column(p + 2, 0)),
                _ => code.load_vector(column(p + 2, 0)),
            });
            code.store_vector(store);
            continue;
        }
        for lane in 0..4 {
            let store = code.begin_store(column(0, lane));
            scalar::emit(code, &dense.program, &mut |code, p| match p {
                0 => {
                    code.i().local_get(*sum).f32x4_extract_lane(lane as u8);
                }
                _ => code.load(dense.program.params[p], column(p + 2, lane)),
            });
            code.store(dense.program.ty, store);
        }
    }
    sums.into_iter().for_each(|local| code.release(local));
}

/// `count` columns from `first` on, each by itself.
fn few(code: &mut Code, dense: &Dense, width: usize, first: usize, count: usize, at: &[Address], step: &[i64]) {
    let sums: Vec<u32> = (0..count).map(|_| code.local(ValType::F32)).collect();
    for sum in &sums {
        code.constant(crate::math::Kind::F32, 0);
        code.i().local_set(*sum);
    }
    along(code, dense.k, at[1], at[2].plus(4 * first as i64), width, &mut |code, left, weights| {
        for (n, sum) in sums.iter().enumerate() {
            code.i().local_get(*sum);
            code.load(Type::F32, left);
            code.load(Type::F32, weights.plus(4 * n as i64));
            code.i().f32_mul().f32_add().local_set(*sum);
        }
    });
    for (n, sum) in sums.iter().enumerate() {
        let column = |a: usize| at[a].plus((first + n) as i64 * step[a]);
        let store = code.begin_store(column(0));
        scalar::emit(code, &dense.program, &mut |code, p| match p {
            0 => {
                code.i().local_get(*sum);
            }
            _ => code.load(dense.program.params[p], column(p + 2)),
        });
        code.store(dense.program.ty, store);
    }
    sums.into_iter().for_each(|local| code.release(local));
}

/// `body` for each step along `k`, in ascending order.
fn along(
    code: &mut Code,
    k: usize,
    left: Address,
    weights: Address,
    width: usize,
    body: &mut dyn FnMut(&mut Code, Address, Address),
) {
    let walks = |steps: i64| {
        [
            Walk { start: left, strides: vec![4 * steps, 4] },
            Walk { start: weights, strides: vec![4 * width as i64 * steps, 4 * width as i64] },
        ]
    };
    let whole = if k <= 2 * UNROLL { 0 } else { k / UNROLL };
    let first = walks(UNROLL as i64);
    nest(code, &[whole, UNROLL], &first, UNROLL, &mut |code, at| body(code, at[0], at[1]));
    let mut rest = walks(UNROLL as i64);
    rest.iter_mut().for_each(|w| w.start = w.start.plus(whole as i64 * w.strides[0]));
    nest(code, &[1, k - whole * UNROLL], &rest, 2 * UNROLL, &mut |code, at| body(code, at[0], at[1]));
}
