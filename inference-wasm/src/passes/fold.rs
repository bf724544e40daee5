//! Computes what depends on constants alone, with the evaluator that gives the emitted code's bits.

use super::rebuild::{copy, rebuild};
use crate::Error;
use crate::graph::eval::node_value;
use crate::graph::{Graph, Node, Op};

/// A constant may grow to this many bytes by folding (a broadcast, say).
const LIMIT: usize = 1 << 20;

pub(super) fn run(graph: &Graph) -> Result<Graph, Error> {
    rebuild(graph, |out, _, node| {
        let Some(operands) = node.inputs.iter().map(|id| out.constant_bytes(*id)).collect::<Option<Vec<_>>>() else {
            return Ok(copy(out, node));
        };
        let before: usize = operands.iter().map(|o| o.len()).sum();
        let after = node.len() * node.ty.bytes();
        if matches!(node.op, Op::Const(_)) || after > LIMIT.max(before) {
            return Ok(copy(out, node));
        }
        let operands: Vec<Vec<u8>> = operands.into_iter().map(<[u8]>::to_vec).collect();
        let value = node_value(out, node, &operands.iter().collect::<Vec<_>>())?;
        let folded = Node { op: Op::Const(value.into()), inputs: Vec::new(), ..node.clone() };
        Ok(copy(out, &folded))
    })
}
