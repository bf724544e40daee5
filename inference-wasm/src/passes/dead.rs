//! Leaves out what no output needs. Inputs stay: they are part of the signature.

use super::rebuild::{copy, rebuild};
use crate::Error;
use crate::graph::{Graph, Id};

pub(super) fn run(graph: &Graph) -> Result<Graph, Error> {
    let mut needed = vec![false; graph.nodes.len()];
    graph.outputs.iter().for_each(|id| needed[id.index()] = true);
    for i in (0..graph.nodes.len()).rev() {
        if needed[i] {
            graph.nodes[i].inputs.iter().for_each(|id| needed[id.index()] = true);
        }
    }
    // A node that nobody needs gets an id that nobody looks at.
    rebuild(graph, |out, id, node| Ok(if needed[id.index()] { copy(out, node) } else { Id(u32::MAX) }))
}
