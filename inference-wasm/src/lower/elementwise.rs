//! A program for every element of strided operands: four at a time where memory allows.

use super::Lower;
use crate::emit::nest::{Walk, merge, nest};
use crate::emit::{Address, Code, scalar, vector};
use crate::graph::build::{broadcast_strides, strides};
use crate::graph::{Id, Type};
use crate::math::{Kind, Program};

/// Instructions that a short loop may be written out to.
const UNROLL: usize = 96;

/// Where a parameter comes from.
pub(super) enum Source {
    /// Memory, walked through by the loops.
    Memory(Walk),
    /// A local that holds one number for the whole loop.
    Local(u32),
}

/// Lowers [`crate::graph::Op::Map`].
pub(super) fn map(lower: &mut Lower, code: &mut Code, id: Id, program: &Program) {
    let graph = lower.graph;
    let node = graph.node(id);
    let result = Walk::new(lower.at(code, id), &strides(&node.shape), node.ty.bytes());
    let mut sources = Vec::new();
    for operand in &node.inputs {
        let from = graph.node(*operand);
        let start = lower.at(code, *operand);
        sources.push(Source::Memory(Walk::new(start, &broadcast_strides(&from.shape, &node.shape), from.ty.bytes())));
    }
    loops(code, lower.simd, &node.shape, result, sources, program);
}

/// Writes `program` of the sources to `result`, for all of `extents`.
pub(super) fn loops(
    code: &mut Code,
    simd: bool,
    extents: &[usize],
    result: Walk,
    sources: Vec<Source>,
    program: &Program,
) {
    let mut walks = vec![result];
    let mut from: Vec<Result<usize, u32>> = Vec::new(); // walk or local
    for source in sources {
        match source {
            Source::Memory(walk) => {
                walks.push(walk);
                from.push(Ok(walks.len() - 1));
            }
            Source::Local(local) => from.push(Err(local)),
        }
    }
    let (extents, walks) = merge(extents, &walks);
    let (last, n) = (extents.len() - 1, extents[extents.len() - 1]);
    let side_by_side = walks[0].strides[last] == 4 && walks.iter().all(|w| [0, 4].contains(&w.strides[last]));
    let unroll = (UNROLL / program.steps.len().max(1)).clamp(1, 32);
    let mut rest = n;
    if simd && n >= 4 && side_by_side && vector::possible(program) {
        let mut four = extents.clone();
        four[last] = n / 4;
        let mut wide = walks.clone();
        wide.iter_mut().for_each(|w| w.strides[last] *= 4);
        nest(code, &four, &wide, unroll, &mut |code, at| {
            let store = code.begin_store(at[0]);
            vector::emit(code, program, &mut |code, n| match from[n] {
                Ok(walk) if walks[walk].strides[last] == 0 => code.load_splat(at[walk]),
                Ok(walk) => code.load_vector(at[walk]),
                Err(local) => {
                    code.i().local_get(local);
                    match Kind::from(program.params[n]) {
                        Kind::F32 => code.i().f32x4_splat(),
                        _ => code.i().i32x4_splat(),
                    };
                }
            });
            code.store_vector(store);
        });
        rest = n % 4;
    }
    if rest == 0 {
        return;
    }
    let mut few = extents;
    few[last] = rest;
    let mut walks = walks;
    for walk in &mut walks {
        walk.start = walk.start.plus((n - rest) as i64 * walk.strides[last]);
    }
    nest(code, &few, &walks, unroll, &mut |code, at| {
        let store = code.begin_store(at[0]);
        scalar::emit(code, program, &mut |code, n| match from[n] {
            Ok(walk) => code.load(program.params[n], at[walk]),
            Err(local) => {
                code.i().local_get(local);
            }
        });
        code.store(program.ty, store);
    });
}

/// Copies elements of `ty` as they are.
pub(super) fn copy(code: &mut Code, simd: bool, extents: &[usize], to: Walk, from: Walk, ty: Type) {
    let (mut extents, mut walks) = merge(extents, &[to, from]);
    let (last, bytes) = (extents.len() - 1, ty.bytes() as i64);
    // What lies side by side may be copied in words.
    let words =
        |w: &Walk| w.strides[last] == bytes && w.start.offset % 4 == 0 && w.strides[..last].iter().all(|s| s % 4 == 0);
    let mut ty = ty;
    if ty != Type::F32 && (extents[last] * ty.bytes()).is_multiple_of(4) && walks.iter().all(words) {
        extents[last] = extents[last] * ty.bytes() / 4;
        walks.iter_mut().for_each(|w| w.strides[last] = 4);
        ty = Type::I32;
    }
    let mut m = crate::math::Maker::new();
    let x = m.param(0, ty);
    let program = m.finish(&[ty], ty, x);
    let from = walks.pop().expect("two walks");
    let to = walks.pop().expect("two walks");
    loops(code, simd, &extents, to, vec![Source::Memory(from)], &program);
}

/// The address that is `bytes` further than `at`, for both of a row pointer's kinds.
pub(super) fn plus(at: Address, bytes: usize) -> Address {
    at.plus(bytes as i64)
}
