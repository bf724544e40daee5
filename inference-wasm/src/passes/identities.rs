//! Takes away what changes nothing, and spells movements of data in the simplest way.

use super::rebuild::{copy, rebuild};
use crate::Error;
use crate::graph::eval::{Reader, wrap};
use crate::graph::{Binary, Graph, Id, Node, Op, Type};

pub(super) fn run(graph: &Graph) -> Result<Graph, Error> {
    rebuild(graph, |out, _, node| Ok(simpler(out, node).unwrap_or_else(|| copy(out, node))))
}

fn simpler(out: &mut Graph, node: &Node) -> Option<Id> {
    let x = *node.inputs.first()?;
    let from = out.node(x).clone();
    let same_shape = from.shape == node.shape;
    match &node.op {
        Op::Reshape | Op::Broadcast if same_shape => Some(x),
        Op::Cast if from.ty == node.ty => Some(x),
        Op::Slice { start: 0, step: 1, .. } if same_shape => Some(x),
        Op::Slice { .. } if node.len() == from.len() && node.len() == 1 => Some(reshape(out, x, node)),
        Op::Concat { .. } if node.inputs.len() == 1 => Some(x),
        Op::Concat { axis } => {
            let parts: Vec<Id> = node.inputs.iter().copied().filter(|id| !out.node(*id).is_empty()).collect();
            if parts.len() == node.inputs.len() || parts.is_empty() {
                return None;
            }
            let fewer = Node { op: Op::Concat { axis: *axis }, inputs: parts, ..node.clone() };
            Some(simpler(out, &fewer).unwrap_or_else(|| copy(out, &fewer)))
        }
        Op::Reshape if matches!(from.op, Op::Reshape) => Some(reshape(out, from.inputs[0], node)),
        Op::Broadcast if from.len() == node.len() => Some(reshape(out, x, node)),
        Op::Transpose { perm } => {
            // Axes of size 1 may move freely.
            let moved: Vec<usize> = perm.iter().copied().filter(|p| from.shape[*p] != 1).collect();
            moved.is_sorted().then(|| reshape(out, x, node))
        }
        Op::Gather { axis } => gather(out, node, x, *axis),
        Op::Binary(op) if same_shape && unit(out, *op, node.inputs[1]) => Some(x),
        _ => None,
    }
}

fn reshape(out: &mut Graph, x: Id, node: &Node) -> Id {
    if out.node(x).shape == node.shape {
        return x;
    }
    out.push(Op::Reshape, &[x], &node.shape, node.ty, &node.name)
}

/// A gather whose constant indices are evenly spaced is a slice.
fn gather(out: &mut Graph, node: &Node, data: Id, axis: usize) -> Option<Id> {
    let index = node.inputs[1];
    let bytes = out.constant_bytes(index)?;
    let (reader, dim) = (Reader(out.node(index).ty, bytes), out.node(data).shape[axis] as i64);
    let at: Vec<isize> = (0..reader.len()).map(|i| wrap(reader.signed(i), dim) as isize).collect();
    let step = if at.len() > 1 { at[1] - at[0] } else { 1 };
    if at.is_empty() || step == 0 || at.windows(2).any(|w| w[1] - w[0] != step) {
        return None;
    }
    let slice = out.slice(data, axis, at[0] as usize, step, at.len());
    out.nodes[slice.index()].name.clone_from(&node.name);
    let slice = if out.node(slice).shape == out.node(data).shape && step == 1 { data } else { slice };
    Some(reshape(out, slice, node))
}

/// Whether `x op constant` is `x` in every bit: `x * 1`, `x / 1`, `x - 0`, and `+ 0` of integers.
fn unit(out: &Graph, op: Binary, constant: Id) -> bool {
    let (Some(bytes), ty) = (out.constant_bytes(constant), out.node(constant).ty) else { return false };
    let one = match ty {
        Type::Bool => return false,
        ty if !ty.is_float() => 1,
        Type::F32 => u64::from(1f32.to_bits()),
        _ => 1f64.to_bits(),
    };
    let wanted = match op {
        Binary::Mul | Binary::Div => one,
        Binary::Sub => 0,
        Binary::Add if !ty.is_float() => 0,
        _ => return false,
    };
    let data = Reader(ty, bytes);
    (0..data.len()).all(|i| data.get(i) == wanted)
}
