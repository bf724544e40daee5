//! Takes out what has no elements, and what is made of nothing: sums of nothing, padding around nothing. The code that is
//! written later meets no empty operand.

use super::rebuild::{copy, rebuild};
use crate::Error;
use crate::graph::eval::node_value;
use crate::graph::{Graph, Id, Node, Op};

pub(super) fn run(graph: &Graph) -> Result<Graph, Error> {
    rebuild(graph, |out, _, node| {
        if matches!(node.op, Op::Const(_)) {
            return Ok(copy(out, node));
        }
        if node.is_empty() {
            return Ok(constant(out, node, Vec::new()));
        }
        let empty = |id: &Id| out.node(*id).is_empty();
        match &node.op {
            Op::Scatter(_) if empty(&node.inputs[1]) => Ok(node.inputs[0]),
            _ if !node.inputs.is_empty() && node.inputs.iter().all(empty) => {
                let nothing = Vec::new();
                let value = node_value(out, node, &vec![&nothing; node.inputs.len()])?;
                Ok(constant(out, node, value))
            }
            _ => Ok(copy(out, node)),
        }
    })
}

fn constant(out: &mut Graph, node: &Node, bytes: Vec<u8>) -> Id {
    copy(out, &Node { op: Op::Const(bytes.into()), inputs: Vec::new(), ..node.clone() })
}
