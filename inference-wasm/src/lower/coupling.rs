//! Pairwise coupling: sweeps over the classes until the probabilities stand still.

use wasm_encoder::{BlockType, Ieee32, ValType};

use super::Lower;
use crate::emit::nest::{Walk, nest};
use crate::emit::{Address, Code};
use crate::graph::eval_coupling::{NEAR, sweeps};
use crate::graph::{Id, Type};

/// Rounds that are written out, at most.
const UNROLL: usize = 4;

/// Lowers [`crate::graph::Op::Coupling`]; the same operations in the same order as the evaluator.
pub(super) fn lower(lower: &mut Lower, code: &mut Code, id: Id) {
    let node = lower.graph.node(id);
    let k = node.shape[1];
    let (q, p) = (lower.at(code, node.inputs[0]), lower.at(code, id));
    let qp = p.plus(4 * k as i64);
    let [pqp, off, step, scale, sum] = [(); 5].map(|()| code.local(ValType::F32));
    let left = code.local(ValType::I32);
    let along = |start: Address| Walk { start, strides: vec![4] };
    let rows = |start: Address| Walk { start, strides: vec![4 * k as i64] };
    let number = |code: &mut Code, value: f32| {
        code.i().f32_const(Ieee32::from(value));
    };

    nest(code, &[k], &[along(p)], UNROLL, &mut |code, at| {
        let store = code.begin_store(at[0]);
        number(code, 1.0 / k as f32);
        code.store(Type::F32, store);
    });
    code.i().i32_const(sweeps(k) as i32).local_set(left);
    code.i().block(BlockType::Empty).loop_(BlockType::Empty);
    // Qp and pQp, anew in every sweep.
    number(code, 0.0);
    code.i().local_set(pqp);
    nest(code, &[k], &[rows(q), along(qp), along(p)], 1, &mut |code, at| {
        number(code, 0.0);
        code.i().local_set(sum);
        nest(code, &[k], &[along(at[0]), along(p)], UNROLL, &mut |code, at| {
            code.i().local_get(sum);
            code.load(Type::F32, at[0]);
            code.load(Type::F32, at[1]);
            code.i().f32_mul().f32_add().local_set(sum);
        });
        let store = code.begin_store(at[1]);
        code.i().local_get(sum);
        code.store(Type::F32, store);
        code.i().local_get(pqp);
        code.load(Type::F32, at[2]);
        code.i().local_get(sum).f32_mul().f32_add().local_set(pqp);
    });
    // How far off is the class that is furthest?
    number(code, 0.0);
    code.i().local_set(off);
    nest(code, &[k], &[along(qp)], UNROLL, &mut |code, at| {
        code.load(Type::F32, at[0]);
        code.i().local_get(pqp).f32_sub().f32_abs().local_tee(sum);
        code.i().local_get(off).local_get(sum).local_get(off).f32_gt().select().local_set(off);
    });
    code.i().local_get(off);
    number(code, NEAR / k as f32);
    code.i().f32_lt().br_if(1);
    // One class after the other is put where it belongs, the rest follows.
    let diagonal = Walk { start: q, strides: vec![4 * (k as i64 + 1)] };
    nest(code, &[k], &[diagonal, along(qp), along(p), rows(q)], 1, &mut |code, at| {
        code.i().local_get(pqp);
        code.load(Type::F32, at[1]);
        code.i().f32_sub();
        code.load(Type::F32, at[0]);
        code.i().f32_div().local_set(step);
        number(code, 1.0);
        code.i().local_get(step).f32_add().local_set(scale);
        let store = code.begin_store(at[2]);
        code.load(Type::F32, at[2]);
        code.i().local_get(step).f32_add();
        code.store(Type::F32, store);
        code.i().local_get(pqp).local_get(step).local_get(step);
        code.load(Type::F32, at[0]);
        code.i().f32_mul();
        number(code, 2.0);
        code.load(Type::F32, at[1]);
        code.i().f32_mul().f32_add().f32_mul().f32_add();
        code.i().local_get(scale).f32_div().local_get(scale).f32_div().local_set(pqp);
        nest(code, &[k], &[along(qp), along(at[3]), along(p)], UNROLL, &mut |code, at| {
            let store = code.begin_store(at[0]);
            code.load(Type::F32, at[0]);
            code.i().local_get(step);
            code.load(Type::F32, at[1]);
            code.i().f32_mul().f32_add().local_get(scale).f32_div();
            code.store(Type::F32, store);
            let store = code.begin_store(at[2]);
            code.load(Type::F32, at[2]);
            code.i().local_get(scale).f32_div();
            code.store(Type::F32, store);
        });
    });
    code.i().local_get(left).i32_const(1).i32_sub().local_tee(left).br_if(0).end().end();
    [pqp, off, step, scale, sum, left].into_iter().for_each(|local| code.release(local));
}
