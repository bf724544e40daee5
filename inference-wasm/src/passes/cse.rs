//! Computes the same thing once.

use std::collections::HashMap;

use super::rebuild::{copy, rebuild};
use crate::Error;
use crate::graph::{Graph, Node, Op};

pub(super) fn run(graph: &Graph) -> Result<Graph, Error> {
    let mut seen = HashMap::new();
    rebuild(graph, |out, id, node| {
        // Each output keeps a node of its own: it has a region of its own.
        let Some(key) = key(node).filter(|_| !graph.outputs.contains(&id)) else { return Ok(copy(out, node)) };
        Ok(*seen.entry(key).or_insert_with(|| copy(out, node)))
    })
}

/// What makes two nodes the same; `None` for those not worth the comparison.
fn key(node: &Node) -> Option<(String, Vec<u8>)> {
    let (op, bytes) = match &node.op {
        Op::Trees(_) | Op::Lookup(_) | Op::OneHot { .. } | Op::Input(_) => return None,
        Op::Const(bytes) => ("const".to_owned(), bytes.0.to_vec()),
        op => (format!("{op:?}"), Vec::new()),
    };
    Some((format!("{op} {:?} {:?} {:?}", node.inputs, node.shape, node.ty), bytes))
}
