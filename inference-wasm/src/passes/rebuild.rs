//! Copies a graph node by node, so that a rewrite says only what becomes of one node.

use crate::Error;
use crate::graph::{Graph, Id, Node, Op};

/// Calls `rewrite` with the new graph and each node (its operands already those of the new graph);
/// it returns the new value, made with [`copy`] where nothing changes.
pub(super) fn rebuild(
    graph: &Graph,
    mut rewrite: impl FnMut(&mut Graph, Id, &Node) -> Result<Id, Error>,
) -> Result<Graph, Error> {
    let mut out = Graph { inputs: vec![Id(0); graph.inputs.len()], ..Graph::default() };
    let mut at: Vec<Id> = Vec::with_capacity(graph.nodes.len());
    for (i, node) in graph.nodes.iter().enumerate() {
        let mut node = node.clone();
        node.inputs.iter_mut().for_each(|id| *id = at[id.index()]);
        let new = match node.op {
            Op::Input(n) => {
                let id = copy(&mut out, &node);
                out.inputs[n] = id;
                id
            }
            _ => rewrite(&mut out, Id(i as u32), &node)?,
        };
        at.push(new);
    }
    out.outputs = graph.outputs.iter().map(|id| at[id.index()]).collect();
    Ok(out)
}

/// Adds the node as it is.
pub(super) fn copy(out: &mut Graph, node: &Node) -> Id {
    out.nodes.push(node.clone());
    Id(out.nodes.len() as u32 - 1)
}
