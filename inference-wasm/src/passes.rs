//! From the front's graph to the one that is emitted: a list of rewrites, one file each.
//!
//! Every rewrite keeps the outputs' bits (NaN is one value), so the evaluator can be asked before
//! and after; the verifier is asked between any two.

mod cse;
mod dead;
mod dense;
mod empty;
mod epilogue;
mod expand;
mod fold;
mod frame;
mod fuse;
mod identities;
mod outputs;
mod rebuild;
mod reshapes;

use crate::Error;
use crate::graph::Graph;
use crate::graph::verify::verify;

type Pass = fn(&Graph) -> Result<Graph, Error>;

/// The rewrites in their order.
const PASSES: [(&str, Pass); 19] = [
    ("dead", dead::run),
    ("empty", empty::run),
    ("fold", fold::run),
    ("identities", identities::run),
    ("expand", expand::run),
    ("fold", fold::run),
    ("identities", identities::run),
    ("cse", cse::run),
    ("outputs", outputs::run),
    ("dense", dense::run),
    ("reshapes", reshapes::run),
    ("identities", identities::run),
    ("dead", dead::run),
    ("fuse", fuse::run),
    ("dead", dead::run), // what was fused must not count as a reader
    ("epilogue", epilogue::run),
    ("frame", frame::run),
    ("cse", cse::run),
    ("dead", dead::run),
];

/// The graph to plan and emit. What the verifier finds in `graph` is a contradiction that tract has let through: it
/// checks less of what a file says.
pub fn run(graph: &Graph) -> Result<Graph, Error> {
    verify(graph).map_err(Error::contradiction)?;
    let mut graph = graph.clone();
    for (name, pass) in PASSES {
        graph = pass(&graph)?;
        verify(&graph).map_err(|what| Error::bug(format!("after {name}: {what}")))?;
    }
    Ok(graph)
}
