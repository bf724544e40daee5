//! Checks a graph between any two steps of the compiler. A failure is a mistake of the compiler,
//! never of the user, so it names the step and the node.

use super::build::{broadcast, matmul_shape};
use super::{Graph, Node, Op, Strided, Type};
use crate::math::element;

/// Checks order, types, shapes and lengths of every node; answers what is wrong with the first one that is.
pub fn verify(graph: &Graph) -> Check {
    for (i, node) in graph.nodes.iter().enumerate() {
        check(graph, i, node).map_err(|what| {
            let op = super::text::op_name(&node.op);
            format!("node %{i} ({op} {:?}): {what}", node.name)
        })?;
    }
    for (n, id) in graph.inputs.iter().enumerate() {
        match graph.nodes.get(id.index()).map(|node| &node.op) {
            Some(Op::Input(m)) if *m == n => {}
            _ => return Err(format!("input {n} is not an input node")),
        }
    }
    match graph.outputs.iter().find(|id| id.index() >= graph.nodes.len()) {
        Some(id) => Err(format!("output %{} does not exist", id.0)),
        None => Ok(()),
    }
}

/// Nothing, or what is wrong.
pub type Check = Result<(), String>;

fn check(graph: &Graph, at: usize, node: &Node) -> Check {
    if let Some(id) = node.inputs.iter().find(|id| id.index() >= at) {
        return Err(format!("its operand %{} does not come before it", id.0));
    }
    let operands: Vec<&Node> = node.inputs.iter().map(|id| graph.node(*id)).collect();
    let (shape, ty) = (&node.shape, node.ty);
    match &node.op {
        Op::Input(n) => {
            count(&operands, 0)?;
            need(graph.inputs.get(*n).is_some_and(|id| id.index() == at), "it is not listed among the inputs")
        }
        Op::Const(bytes) => {
            count(&operands, 0)?;
            need(bytes.0.len() == node.len() * ty.bytes(), "its bytes do not fill its shape")
        }
        Op::Unary(op) => {
            count(&operands, 1)?;
            let program = element::unary(*op, operands[0].ty).ok_or("the operator is not defined for this type")?;
            same_shape(node, operands[0])?;
            need(program.ty == ty, "wrong result type")
        }
        Op::Binary(op) => {
            count(&operands, 2)?;
            need(operands[0].ty == operands[1].ty, "its operands differ in type")?;
            let program = element::binary(*op, operands[0].ty).ok_or("the operator is not defined for this type")?;
            broadcasts(node, &operands)?;
            need(program.ty == ty, "wrong result type")
        }
        Op::Select => {
            count(&operands, 3)?;
            need(operands[0].ty == Type::Bool, "its condition is not Bool")?;
            need(operands[1].ty == ty && operands[2].ty == ty, "wrong types")?;
            broadcasts(node, &operands)
        }
        Op::Cast => count(&operands, 1).and_then(|()| same_shape(node, operands[0])),
        Op::MatMul => {
            count(&operands, 2)?;
            need(ty != Type::Bool && operands.iter().all(|o| o.ty == ty), "wrong types")?;
            need(matmul_shape(&operands[0].shape, &operands[1].shape).as_ref() == Some(shape), "wrong shapes")
        }
        Op::Reduce(_, axes) => {
            count(&operands, 1)?;
            let mut expected = operands[0].shape.clone();
            for axis in axes {
                *expected.get_mut(*axis).ok_or("an axis is beyond the shape")? = 1;
            }
            need(axes.windows(2).all(|w| w[0] < w[1]), "its axes are not ascending")?;
            need(expected == *shape && ty == operands[0].ty && ty != Type::Bool, "wrong shape or type")
        }
        Op::ArgExtreme { axis, .. } => {
            count(&operands, 1)?;
            let mut expected = operands[0].shape.clone();
            *expected.get_mut(*axis).ok_or("the axis is beyond the shape")? = 1;
            need(operands[0].shape[*axis] > 0, "there is nothing along the axis")?;
            need(expected == *shape && ty == Type::I64 && operands[0].ty != Type::U64, "wrong shape or type")
        }
        Op::Softmax { axis } => {
            count(&operands, 1)?;
            same_shape(node, operands[0])?;
            need(ty.is_float() && operands[0].ty == ty && *axis < shape.len(), "wrong type or axis")
        }
        Op::Gather { axis } => {
            count(&operands, 2)?;
            let data = &operands[0].shape;
            need(*axis < data.len() && data[*axis] > 0, "wrong axis")?;
            let expected = [&data[..*axis], &operands[1].shape, &data[*axis + 1..]].concat();
            need(matches!(operands[1].ty, Type::I64 | Type::I32), "its indices are no integers")?;
            need(expected == *shape && operands[0].ty == ty, "wrong shape or type")
        }
        Op::Slice { axis, start, step } => {
            count(&operands, 1)?;
            let data = &operands[0].shape;
            need(*axis < data.len() && data.len() == shape.len() && operands[0].ty == ty, "wrong axis or type")?;
            let others = |s: &[usize]| [&s[..*axis], &s[*axis + 1..]].concat();
            need(others(data) == others(shape), "wrong shape")?;
            let last = *start as isize + step * (shape[*axis] as isize - 1);
            let inside = |i: isize| i >= 0 && (i as usize) < data[*axis];
            need(shape[*axis] == 0 || (inside(*start as isize) && inside(last)), "it reaches beyond its operand")
        }
        Op::Concat { axis } => {
            need(!operands.is_empty() && *axis < shape.len(), "wrong axis")?;
            let others = |s: &[usize]| [&s[..*axis], &s[*axis + 1..]].concat();
            for operand in &operands {
                need(operand.shape.len() == shape.len() && operand.ty == ty, "wrong rank or type")?;
                need(others(&operand.shape) == others(shape), "wrong shape")?;
            }
            need(operands.iter().map(|o| o.shape[*axis]).sum::<usize>() == shape[*axis], "its parts do not fill it")
        }
        Op::Reshape => {
            count(&operands, 1)?;
            need(operands[0].len() == node.len() && operands[0].ty == ty, "wrong length or type")
        }
        Op::Transpose { perm } => {
            count(&operands, 1)?;
            let data = &operands[0].shape;
            let mut sorted = perm.clone();
            sorted.sort_unstable();
            need(sorted == (0..data.len()).collect::<Vec<_>>(), "it is no permutation")?;
            let expected: Vec<usize> = perm.iter().map(|p| data[*p]).collect();
            need(expected == *shape && operands[0].ty == ty, "wrong shape or type")
        }
        Op::Broadcast => {
            count(&operands, 1)?;
            need(operands[0].ty == ty, "wrong type")?;
            broadcasts(node, &operands)
        }
        Op::Pad(pad) => {
            count(&operands, 1)?;
            let data = &operands[0].shape;
            need(data.len() == shape.len() && operands[0].ty == ty, "wrong rank or type")?;
            need(pad.before.len() == data.len() && pad.between.len() == data.len(), "wrong number of paddings")?;
            let last = |d: usize| pad.before[d] + (data[d].max(1) - 1) * (pad.between[d] + 1);
            need((0..data.len()).all(|d| data[d] == 0 || last(d) < shape[d]), "its operand does not fit")?;
            need(pad.value.0.len() == ty.bytes(), "its value is not one element")
        }
        Op::Contract(contract) => {
            need(operands.len() >= 2, "wrong number of operands")?;
            let of = operands[0].ty;
            need(of != Type::Bool && operands[1].ty == of, "wrong types")?;
            if let Some(frame) = &contract.frame {
                need(
                    frame.shape.len() == shape.len() && frame.before.len() == shape.len(),
                    "its frame has another rank",
                )?;
                need(frame.value.0.len() == ty.bytes(), "its frame's value is not one element")?;
                let inside = |d: usize| frame.before[d] + frame.shape[d] <= shape[d];
                need((0..shape.len()).all(inside), "its results do not fit into the frame")?;
            }
            let node = &Node { shape: contract.results(node).to_vec(), ..node.clone() };
            reaches(node, &contract.inner, &contract.left, operands[0])?;
            reaches(node, &contract.inner, &contract.right, operands[1])?;
            let types: Vec<Type> = std::iter::once(of).chain(operands[2..].iter().map(|o| o.ty)).collect();
            need(contract.program.params == types && contract.program.ty == ty, "its program takes other types")?;
            fits(node, &operands[2..])
        }
        Op::Pool(_, pool) => {
            count(&operands, 1)?;
            need(ty != Type::Bool && operands[0].ty == ty, "wrong type")?;
            reaches(node, &pool.inner, &pool.operand, operands[0])
        }
        Op::Scatter(how) => {
            count(&operands, 3)?;
            let (data, positions, slices) = (operands[0], operands[1], operands[2]);
            need(data.ty == ty && slices.ty == ty && positions.ty == Type::I64, "wrong types")?;
            need(super::eval_windows::combine(*how, ty).is_some(), "it is not defined for this type")?;
            let n = positions.len();
            need(data.shape == *shape && slices.len().is_multiple_of(n.max(1)), "wrong shape")?;
            need(n == 0 || (!slices.is_empty() && node.len().is_multiple_of(slices.len() / n)), "its slices do not fit")
        }
        Op::TopK { axis, .. } => {
            count(&operands, 1)?;
            let mut expected = operands[0].shape.clone();
            let n = expected.get_mut(*axis).ok_or("the axis is beyond the shape")?;
            need(shape.len() > *axis && shape[*axis] <= *n && ty == Type::I64, "wrong size or type")?;
            *n = shape[*axis];
            need(expected == *shape && !matches!(operands[0].ty, Type::Bool | Type::U64), "wrong shape or type")
        }
        Op::Cumulate(how) => {
            count(&operands, 1)?;
            same_shape(node, operands[0])?;
            need(how.axis < shape.len() && operands[0].ty == ty && ty != Type::Bool, "wrong axis or type")
        }
        Op::Coupling => {
            count(&operands, 1)?;
            let k = shape.last().copied().unwrap_or(0);
            let fits = k > 0 && *shape == [2, k] && operands[0].shape == [k, k];
            need(fits && ty == Type::F32 && operands[0].ty == ty, "wrong shape or type")
        }
        Op::Trees(trees) => {
            count(&operands, 1)?;
            let expected = if trees.double { Type::F64 } else { Type::F32 };
            need(ty == expected && operands[0].ty == ty, "wrong type")?;
            need(trees.targets > 0 && shape.last() == Some(&trees.targets), "wrong length")?;
            let rows = node.len() / trees.targets;
            need(operands[0].len() == rows * trees.features, "wrong length")?;
            super::eval_trees::check(trees)
        }
        Op::OneHot { categories } => {
            count(&operands, 1)?;
            let n = categories.0.len() / operands[0].ty.bytes();
            need(ty == Type::F32 && *shape == [&operands[0].shape[..], &[n]].concat(), "wrong shape or type")
        }
        Op::Lookup(table) => {
            count(&operands, 1)?;
            same_shape(node, operands[0])?;
            let n = table.keys.0.len() / table.key_type.bytes();
            need(table.key_type == operands[0].ty, "its keys are not of the operand's type")?;
            need(table.values.0.len() == n * ty.bytes() && table.default.0.len() == ty.bytes(), "wrong lengths")
        }
        Op::Map(program) => {
            let types: Vec<Type> = operands.iter().map(|o| o.ty).collect();
            need(program.params == types && program.ty == ty, "its program takes other types")?;
            broadcasts(node, &operands)
        }
        Op::Dense(dense) => {
            need(operands.len() >= 2 && operands.iter().take(2).all(|o| o.ty == Type::F32), "wrong operands")?;
            let mut expected = operands[0].shape.clone();
            need(expected.pop() == Some(dense.k), "wrong left operand")?;
            expected.push(dense.n);
            need(expected == *shape && dense.panels.iter().sum::<usize>() == dense.n, "wrong shape")?;
            need(operands[1].len() == dense.k * dense.n, "wrong weights")?;
            let types: Vec<Type> = std::iter::once(Type::F32).chain(operands[2..].iter().map(|o| o.ty)).collect();
            need(dense.program.params == types && dense.program.ty == ty, "its program takes other types")?;
            fits(node, &operands[2..])
        }
    }
}

/// The last element of the last window lies in the operand.
fn reaches(node: &Node, inner: &[usize], of: &Strided, operand: &Node) -> Check {
    need(of.outer.len() == node.shape.len() && of.inner.len() == inner.len(), "wrong number of strides")?;
    if node.is_empty() || inner.contains(&0) {
        return Ok(());
    }
    let far = |extents: &[usize], strides: &[usize]| -> usize {
        extents.iter().zip(strides).map(|(n, s)| (n - 1).saturating_mul(*s)).fold(0, usize::saturating_add)
    };
    let last = of.start.saturating_add(far(&node.shape, &of.outer)).saturating_add(far(inner, &of.inner));
    need(last < operand.len(), "its windows reach beyond its operand")
}

fn need(condition: bool, what: &str) -> Check {
    if condition { Ok(()) } else { Err(what.to_owned()) }
}

fn count(operands: &[&Node], n: usize) -> Check {
    need(operands.len() == n, "wrong number of operands")
}

fn same_shape(node: &Node, operand: &Node) -> Check {
    need(node.shape == operand.shape, "its shape is not its operand's")
}

/// The node's shape is what the operands broadcast to, or what they fit into.
fn broadcasts(node: &Node, operands: &[&Node]) -> Check {
    fits(node, operands)
}

fn fits(node: &Node, operands: &[&Node]) -> Check {
    let mut shapes: Vec<&[usize]> = operands.iter().map(|o| &o.shape[..]).collect();
    shapes.push(&node.shape);
    need(broadcast(&shapes).as_ref() == Some(&node.shape), "its operands do not broadcast to its shape")
}
