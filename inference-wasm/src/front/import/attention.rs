//! Scaled dot-product attention: `softmax(scale · q kᵀ + mask) v`, head by head.

use tract_transformers::ops::sdpa::Sdpa;

use super::{Context, Stop};
use crate::graph::{Binary, Bytes, Id, Op, Type};

/// `[batch, heads, rows, d]` or without heads; a key's head serves as many neighbouring heads of the query as there are more of them.
pub fn attention(c: &mut Context, op: &Sdpa) -> Result<Id, Stop> {
    if c.inputs.iter().any(|x| x.layout.rows.is_some()) {
        return Err(Stop::Mixes);
    }
    let ty = c.out.ty;
    let (q, k, v) = (four(c, 0), four(c, 1), four(c, 2));
    let [batch, heads, rows, d] = q.1;
    let [_, key_heads, columns, _] = k.1;
    let groups = heads / key_heads.max(1);
    let width = v.1[3];
    let repeat = |c: &mut Context, (id, [_, _, n, d]): (Id, [usize; 4])| {
        let id = c.reshape(id, &[batch, key_heads, 1, n, d]);
        let id = c.shaped(Op::Broadcast, vec![id], vec![batch, key_heads, groups, n, d], ty);
        c.reshape(id, &[batch, heads, n, d])
    };
    let (k, v) = (repeat(c, k), repeat(c, v));
    let turned = c.transpose(k, &[0, 1, 3, 2]);
    let shape = vec![batch, heads, rows, columns];
    let products = c.shaped(Op::MatMul, vec![q.0, turned], shape.clone(), ty);
    let scale = op.scale.as_ref().and_then(|s| s.cast_to_scalar::<f32>().ok());
    let scale = c.number(scale.map_or(1.0 / (d as f64).sqrt(), f64::from));
    let mut scores = c.shaped(Op::Binary(Binary::Mul), vec![products, scale], shape.clone(), ty);
    let hidden = c.number(f64::NEG_INFINITY);
    if op.is_causal {
        let seen: Vec<u8> = (0..rows * columns).map(|at| u8::from(at % columns <= at / columns)).collect();
        let seen = c.shaped(Op::Const(Bytes(seen.into())), vec![], vec![rows, columns], Type::Bool);
        scores = c.shaped(Op::Select, vec![seen, scores, hidden], shape.clone(), ty);
    }
    if c.inputs.len() > 3 {
        let (mask, of) = (four(c, 3).0, c.inputs[3].layout.ty);
        scores = match of {
            Type::Bool => c.shaped(Op::Select, vec![mask, scores, hidden], shape.clone(), ty),
            _ => c.shaped(Op::Binary(Binary::Add), vec![scores, mask], shape.clone(), ty),
        };
    }
    let shares = c.shaped(Op::Softmax { axis: 3 }, vec![scores], shape, ty);
    let mixed = c.shaped(Op::MatMul, vec![shares, v], vec![batch, heads, rows, width], ty);
    let shape = c.out.shape.clone();
    Ok(c.reshape(mixed, &shape))
}

/// An operand with an axis of heads.
fn four(c: &mut Context, n: usize) -> (Id, [usize; 4]) {
    let x = c.inputs[n].clone();
    let shape = match x.layout.shape[..] {
        [a, b, c, d] => [a, b, c, d],
        [a, c, d] => [a, 1, c, d],
        _ => [1, 1, 1, x.layout.shape.iter().product()],
    };
    (c.reshape(x.id, &shape), shape)
}
