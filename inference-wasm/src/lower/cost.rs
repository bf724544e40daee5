//! How much a row costs.

use super::Forests;
use crate::graph::{Graph, Id, Op};

/// Sweeps that a coupling takes, as a rule.
const COUPLING_SWEEPS: u64 = 4;

/// Floating-point operations of one node for one row. A tree counts its longest path, one for each comparison.
pub fn flops(graph: &Graph, forests: &Forests, id: Id) -> u64 {
    let node = graph.node(id);
    let n = node.len() as u64;
    let first = || graph.node(node.inputs[0]);
    match &node.op {
        Op::Map(program) => program.flops() * n,
        Op::Dense(d) => (2 * d.k as u64 + d.program.flops()) * n,
        Op::Contract(c) => {
            let results: usize = c.results(node).iter().product();
            (2 * c.inner.iter().product::<usize>() as u64 + c.program.flops()) * results as u64
        }
        Op::Pool(_, p) => p.inner.iter().product::<usize>() as u64 * n,
        Op::MatMul => 2 * n * first().shape.last().map_or(0, |k| *k as u64),
        Op::Reduce(..) | Op::ArgExtreme { .. } => first().len() as u64,
        Op::Softmax { .. } => 24 * n,                // comparison, exp, sum, division
        Op::Coupling => 6 * COUPLING_SWEEPS * n * n, // n is 2 k: a product and a sweep, 3 operations for each of k² pairs
        Op::Trees(trees) => forests.get(&id).map_or(0, |f| f.flops) * (node.len() / trees.targets.max(1)) as u64,
        _ => 0,
    }
}
