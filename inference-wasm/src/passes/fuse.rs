//! Brings element-wise chains into one program: a map that only one other map of the same shape
//! reads becomes part of it, and so does a constant of one element.

use std::sync::Arc;

use super::rebuild::{copy, rebuild};
use crate::Error;
use crate::graph::eval::Reader;
use crate::graph::{Graph, Id, Node, Op, Type};
use crate::math::{Maker, Program, Var};

/// Steps of one program at most.
const LIMIT: usize = 256;

pub(super) fn run(graph: &Graph) -> Result<Graph, Error> {
    let uses = graph.uses();
    let mut once: Vec<bool> = Vec::new(); // for values of the new graph: read once in the old one
    rebuild(graph, |out, id, node| {
        let new = match &node.op {
            Op::Map(program) => {
                let (inputs, program) = absorb(out, &node.inputs, program, |out, id| {
                    let inner = out.node(id);
                    let alone = once.get(id.index()).copied().unwrap_or(false) && inner.shape == node.shape;
                    match &inner.op {
                        Op::Map(p) if alone => Some((inner.inputs.clone(), p.clone())),
                        _ => None,
                    }
                });
                let op = Op::Map(Arc::new(program));
                copy(out, &Node { op, inputs, ..node.clone() })
            }
            _ => copy(out, node),
        };
        once.resize(out.nodes.len(), false);
        once[new.index()] = uses[id.index()] == 1;
        Ok(new)
    })
}

/// The program with the maps that `inner` allows inlined, constants of one element made part of it,
/// and operands named twice read once.
pub(super) fn absorb(
    out: &Graph,
    inputs: &[Id],
    program: &Program,
    inner: impl Fn(&Graph, Id) -> Option<(Vec<Id>, Arc<Program>)>,
) -> (Vec<Id>, Program) {
    let mut m = Maker::new();
    let (mut operands, mut types): (Vec<Id>, Vec<Type>) = (Vec::new(), Vec::new());
    let mut steps = program.steps.len();
    let mut operand = |m: &mut Maker, id: Id| -> Var {
        let node = out.node(id);
        if let (Some(bytes), 1) = (out.constant_bytes(id), node.len()) {
            return m.bits(node.ty.into(), Reader(node.ty, bytes).get(0));
        }
        let n = operands.iter().position(|o| *o == id).unwrap_or_else(|| {
            operands.push(id);
            types.push(node.ty);
            operands.len() - 1
        });
        m.param(n, node.ty)
    };
    let mut params = Vec::new();
    for id in inputs {
        params.push(match inner(out, *id).filter(|(_, p)| steps + p.steps.len() <= LIMIT) {
            Some((more, p)) => {
                steps += p.steps.len();
                let more: Vec<Var> = more.iter().map(|id| operand(&mut m, *id)).collect();
                m.inline(&p, &more)
            }
            None => operand(&mut m, *id),
        });
    }
    let result = m.inline(program, &params);
    (operands, m.finish(&types, program.ty, result))
}
