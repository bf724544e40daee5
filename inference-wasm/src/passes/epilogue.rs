//! Moves the element-wise work on a product (bias, activation) into the product's own loop.

use std::sync::Arc;

use super::rebuild::{copy, rebuild};
use crate::Error;
use crate::graph::{Contract, Dense, Graph, Id, Node, Op, Type};
use crate::math::{Maker, Program};

pub(super) fn run(graph: &Graph) -> Result<Graph, Error> {
    let uses = graph.uses();
    let mut once: Vec<bool> = Vec::new();
    rebuild(graph, |out, id, node| {
        let new = match absorbed(out, node, &once) {
            Some(new) => new,
            None => copy(out, node),
        };
        once.resize(out.nodes.len(), false);
        once[new.index()] = uses[id.index()] == 1;
        Ok(new)
    })
}

fn absorbed(out: &mut Graph, node: &Node, once: &[bool]) -> Option<Id> {
    let Op::Map(program) = &node.op else { return None };
    let alone = |id: Id| once.get(id.index()).copied().unwrap_or(false);
    // The product itself, or a reshape of it that keeps its columns.
    let product = |id: Id| -> Option<Id> {
        let mut at = id;
        while alone(at) {
            match &out.node(at).op {
                Op::Dense(d) if node.shape.last() == Some(&d.n) && out.node(at).len() == node.len() => return Some(at),
                Op::Contract(_) if out.node(at).shape == node.shape => return Some(at),
                Op::Reshape => at = out.node(at).inputs[0],
                _ => return None,
            }
        }
        None
    };
    let position = node.inputs.iter().position(|id| out.node(*id).shape == node.shape && product(*id).is_some())?;
    let inner = out.node(product(node.inputs[position])?).clone();
    match &inner.op {
        Op::Contract(contract) => {
            let (inputs, program) = joined(out, &contract.program, &inner.inputs, program, &node.inputs, position);
            let op = Op::Contract(Arc::new(Contract { program, ..(**contract).clone() }));
            Some(out.push(op, &inputs, &node.shape, node.ty, &node.name))
        }
        Op::Dense(dense) => {
            if inner.inputs.len() > 2 && inner.shape != node.shape {
                return None; // what it already adds is shaped like it
            }
            let (mut inputs, program) = joined(out, &dense.program, &inner.inputs, program, &node.inputs, position);
            let mut left = node.shape.clone();
            *left.last_mut()? = dense.k;
            if out.node(inputs[0]).shape != left {
                inputs[0] = out.push(Op::Reshape, &[inputs[0]], &left, Type::F32, "");
            }
            let op = Op::Dense(Arc::new(Dense { program, ..(**dense).clone() }));
            Some(out.push(op, &inputs, &node.shape, node.ty, &node.name))
        }
        _ => None,
    }
}

/// `outer` after `inner`, whose result is `outer`'s parameter `position`: the operands of both, and the program.
fn joined(
    out: &Graph,
    inner: &Program,
    inner_inputs: &[Id],
    outer: &Program,
    outer_inputs: &[Id],
    position: usize,
) -> (Vec<Id>, Arc<Program>) {
    let mut m = Maker::new();
    let (mut inputs, mut types) = (inner_inputs.to_vec(), inner.params.clone());
    let params: Vec<_> = types.iter().enumerate().map(|(n, ty)| m.param(n, *ty)).collect();
    let sum = m.inline(inner, &params);
    let mut params = Vec::new();
    for (n, id) in outer_inputs.iter().enumerate() {
        if n == position {
            params.push(sum);
        } else {
            inputs.push(*id);
            types.push(out.node(*id).ty);
            params.push(m.param(types.len() - 1, out.node(*id).ty));
        }
    }
    let result = m.inline(outer, &params);
    (inputs, Arc::new(m.finish(&types, outer.ty, result)))
}
