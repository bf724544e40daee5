//! Our own operators: forests, one-hot encodings, tables.

use super::{Context, Stop};
use crate::front::ml::lookup::Lookup;
use crate::front::ml::one_hot::OneHot;
use crate::front::ml::onnx::cumulate::Products;
use crate::front::ml::trees::Forest;
use crate::graph::{self, Bytes, Cumulate, Id, Op, Type, Unary};

/// `[rows, features]` to `[rows, targets]`.
pub fn forest(c: &mut Context, op: &Forest) -> Result<Id, Stop> {
    match c.inputs[0].layout.rows {
        Some(rows) if rows > 0 || c.inputs[0].layout.merged => Err(Stop::Mixes),
        _ => Ok(c.result(Op::Trees(op.0.clone()), vec![c.inputs[0].id])),
    }
}

/// Most rows that a classifier's coupling is written out for.
const ROWS: usize = 64;

/// `[rows, k, k]` to `[rows, 2, k]`.
pub fn coupling(c: &mut Context) -> Result<Id, Stop> {
    let x = c.inputs[0].clone();
    match x.layout.rows {
        Some(0) if !x.layout.merged => return Ok(c.result(Op::Coupling, vec![x.id])),
        Some(_) => return Err(Stop::Mixes),
        None if x.layout.shape[0] > ROWS => {
            return Err(c.unsupported(&format!("a classifier of pairs over more than {ROWS} rows")));
        }
        None => {}
    }
    let (from, to, ty) = (x.layout.shape[1..].to_vec(), c.out.shape[1..].to_vec(), c.out.ty);
    let mut parts = Vec::new();
    for row in 0..x.layout.shape[0] {
        let slice = Op::Slice { axis: 0, start: row, step: 1 };
        let one = c.shaped(slice, vec![x.id], [&[1], &from[..]].concat(), ty);
        let one = c.reshape(one, &from);
        let made = c.shaped(Op::Coupling, vec![one], to.clone(), ty);
        parts.push(c.reshape(made, &[&[1], &to[..]].concat()));
    }
    Ok(c.result(Op::Concat { axis: 0 }, parts))
}

/// The categories come along a new last axis.
pub fn one_hot(c: &mut Context, op: &OneHot) -> Result<Id, Stop> {
    let categories = Bytes(op.categories.as_bytes().into());
    let x = c.inputs[0].id;
    Ok(c.result(Op::OneHot { categories }, vec![x]))
}

/// The bits as they are: a float by way of the signed integer of its size.
pub fn same_bits(c: &mut Context) -> Id {
    let (x, to, shape) = (c.inputs[0].clone(), c.out.ty, c.out.shape.clone());
    let integer = |ty: Type| if ty.bytes() == 8 { Type::I64 } else { Type::I32 };
    let (mut id, mut ty) = (x.id, x.layout.ty);
    if ty.is_float() && ty != to {
        (id, ty) = (c.one(Unary::Bits, id), integer(ty));
    }
    let step = if to.is_float() { integer(to) } else { to };
    if ty != step && ty != to {
        id = c.shaped(Op::Cast, vec![id], shape, step);
        ty = step;
    }
    if ty != to { c.one(Unary::FromBits, id) } else { id }
}

/// Running products.
pub fn products(c: &mut Context, op: &Products) -> Result<Id, Stop> {
    let x = c.inputs[0].clone();
    let axis = x.layout.strip(op.axis)?;
    let how = Cumulate { axis, product: true, reverse: op.reverse, exclusive: op.exclusive };
    Ok(c.result(Op::Cumulate(how), vec![x.id]))
}

/// Element by element.
pub fn lookup(c: &mut Context, op: &Lookup) -> Result<Id, Stop> {
    let x = c.inputs[0].clone();
    let bytes = |t: &tract_onnx::prelude::Tensor| Bytes(t.as_bytes().into());
    let table = graph::Lookup {
        key_type: x.layout.ty,
        keys: bytes(&op.keys),
        values: bytes(&op.values),
        default: bytes(&op.default),
    };
    Ok(c.result(Op::Lookup(table.into()), vec![x.id]))
}
