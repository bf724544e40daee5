//! Our own operators: forests, one-hot encodings, tables.

use super::{Context, Stop};
use crate::front::ml::lookup::Lookup;
use crate::front::ml::one_hot::OneHot;
use crate::front::ml::trees::Forest;
use crate::graph::{self, Bytes, Id, Op};

/// `[rows, features]` to `[rows, targets]`; a forest of one row when there is no rows axis.
pub fn forest(c: &mut Context, op: &Forest) -> Result<Id, Stop> {
    by_row(c, Op::Trees(op.0.clone()))
}

/// An operator that takes one row, whose axis comes first.
fn by_row(c: &mut Context, op: Op) -> Result<Id, Stop> {
    let x = c.inputs[0].clone();
    match x.layout.rows {
        Some(0) if !x.layout.merged => Ok(c.result(op, vec![x.id])),
        Some(_) => Err(Stop::Mixes),
        None if x.layout.shape[0] == 1 => {
            let row = c.reshape(x.id, &x.layout.shape[1..]);
            let (shape, ty) = (c.out.shape[1..].to_vec(), c.out.ty);
            let made = c.shaped(op, vec![row], shape, ty);
            let shape = c.out.shape.clone();
            Ok(c.reshape(made, &shape))
        }
        None => Err(c.unsupported("a forest or a classifier over a fixed number of rows greater than 1")),
    }
}

/// `[rows, k, k]` to `[rows, 2, k]`.
pub fn coupling(c: &mut Context) -> Result<Id, Stop> {
    by_row(c, Op::Coupling)
}

/// The categories come along a new last axis.
pub fn one_hot(c: &mut Context, op: &OneHot) -> Result<Id, Stop> {
    let categories = Bytes(op.categories.as_bytes().into());
    let x = c.inputs[0].id;
    Ok(c.result(Op::OneHot { categories }, vec![x]))
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
