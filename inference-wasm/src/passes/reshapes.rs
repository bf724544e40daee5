//! Moves a reshape in front of the element-wise work it follows, so that it does not keep loops apart.

use super::rebuild::{copy, rebuild};
use crate::Error;
use crate::graph::{Graph, Id, Node, Op};

pub(super) fn run(graph: &Graph) -> Result<Graph, Error> {
    // From the back, so that a reshape wanders through a whole chain.
    let uses = graph.uses();
    rebuild(graph, |out, id, node| {
        let movable = matches!(node.op, Op::Reshape) && uses[graph.node(id).inputs[0].index()] == 1;
        Ok(if movable { moved(out, node).unwrap_or_else(|| copy(out, node)) } else { copy(out, node) })
    })
}

fn moved(out: &mut Graph, node: &Node) -> Option<Id> {
    let inner = out.node(node.inputs[0]).clone();
    match &inner.op {
        Op::Map(_) => {}
        Op::Reshape => return Some(out.push(Op::Reshape, &inner.inputs, &node.shape, node.ty, &node.name)),
        _ => return None,
    }
    let whole = |id: &Id| out.node(*id).shape == inner.shape || out.node(*id).len() == 1;
    if !inner.inputs.iter().all(whole) {
        return None;
    }
    let mut inputs = Vec::new();
    for id in &inner.inputs {
        let operand = out.node(*id).clone();
        let shape: &[usize] = if operand.shape == inner.shape { &node.shape } else { &[] };
        let reshape = Node { op: Op::Reshape, inputs: vec![*id], shape: shape.to_vec(), ..operand };
        inputs.push(if reshape.shape == out.node(*id).shape { *id } else { place(out, &reshape) });
    }
    Some(out.push(inner.op.clone(), &inputs, &node.shape, node.ty, &inner.name))
}

/// Adds a reshape, of a constant at once.
fn place(out: &mut Graph, reshape: &Node) -> Id {
    let of = out.node(reshape.inputs[0]).clone();
    match of.op {
        Op::Const(_) => copy(out, &Node { shape: reshape.shape.clone(), ..of }),
        _ => moved(out, reshape).unwrap_or_else(|| copy(out, reshape)),
    }
}
