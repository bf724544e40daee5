//! Spells every element-wise operator as a program, so that one loop can later hold many of them.

use std::sync::Arc;

use super::rebuild::{copy, rebuild};
use crate::Error;
use crate::graph::eval::Reader;
use crate::graph::{Binary, Graph, Id, Node, Op, Type};
use crate::math::{Bin, Maker, Program, Un, element};

pub(super) fn run(graph: &Graph) -> Result<Graph, Error> {
    rebuild(graph, |out, _, node| {
        let ty = |n: usize| out.node(node.inputs[n]).ty;
        let undefined = || Error::bug(format!("{:?} of {:?} at {:?}", node.op, ty(0), node.name));
        let program = match &node.op {
            Op::Unary(op) => element::unary(*op, ty(0)).ok_or_else(undefined)?,
            Op::Binary(Binary::Pow) if is_two(out, node) => return Ok(square(out, node)),
            Op::Binary(op) => element::binary(*op, ty(0)).ok_or_else(undefined)?,
            Op::Select => element::select(node.ty),
            Op::Cast => element::cast(ty(0), node.ty),
            Op::OneHot { categories } => return Ok(one_hot(out, node, categories.0.to_vec())),
            _ => return Ok(copy(out, node)),
        };
        Ok(map(out, node, &node.inputs, program))
    })
}

fn map(out: &mut Graph, node: &Node, inputs: &[Id], program: Program) -> Id {
    out.push(Op::Map(Arc::new(program)), inputs, &node.shape, node.ty, &node.name)
}

fn is_two(out: &Graph, node: &Node) -> bool {
    let (x, y) = (node.inputs[0], node.inputs[1]);
    let two = match node.ty {
        Type::F32 => u64::from(2f32.to_bits()),
        Type::F64 => 2f64.to_bits(),
        _ => return false,
    };
    let is_two = |bytes: &[u8]| Reader(node.ty, bytes).len() == 1 && Reader(node.ty, bytes).get(0) == two;
    out.node(x).shape == node.shape && out.constant_bytes(y).is_some_and(is_two)
}

/// `x²` is `x x`, correctly rounded (the one rewrite that may change a last bit, for the better).
fn square(out: &mut Graph, node: &Node) -> Id {
    let mut m = Maker::new();
    let x = m.param(0, node.ty);
    let y = m.mul(x, x);
    map(out, node, &node.inputs[..1], m.finish(&[node.ty], node.ty, y))
}

/// Each element beside each category: equal or not, as a number.
fn one_hot(out: &mut Graph, node: &Node, categories: Vec<u8>) -> Id {
    let x = node.inputs[0];
    let (ty, mut shape) = (out.node(x).ty, out.node(x).shape.clone());
    let n = categories.len() / ty.bytes();
    shape.push(1);
    let x = out.push(Op::Reshape, &[x], &shape, ty, &node.name);
    let categories = out.constant(categories, &[n], ty);
    let mut m = Maker::new();
    let (a, b) = (m.param(0, ty), m.param(1, ty));
    let same = m.bin(Bin::Eq, a, b);
    let y = m.un(Un::ToF32, same);
    map(out, node, &[x, categories], m.finish(&[ty, ty], Type::F32, y))
}
