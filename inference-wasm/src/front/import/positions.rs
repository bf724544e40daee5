//! Elements read from, or written to, positions that are values: as positions in a flat tensor.

use tract_onnx::tract_core::ops::array::{GatherElements, GatherNd, ScatterElements, ScatterNd, ScatterReduction};

use super::{Context, Stop};
use crate::graph::build::strides;
use crate::graph::{Binary, Id, Op, Reduce, Scatter, Type};

/// `data[.., indices[..], ..]`, element by element.
pub fn gather_elements(c: &mut Context, op: &GatherElements) -> Result<Id, Stop> {
    c.positions()?;
    let axis = both(c, op.axis, &[0, 1])?;
    let places = elements(c, axis, 1)?;
    flat(c, 0, places)
}

/// The element of operand 0 at each of `places`, of the result's shape.
pub(super) fn flat(c: &mut Context, operand: usize, places: Id) -> Result<Id, Stop> {
    let data = c.inputs[operand].clone();
    let length = data.layout.shape.iter().product();
    let data = c.reshape(data.id, &[length]);
    Ok(c.result(Op::Gather { axis: 0 }, vec![data, places]))
}

/// Slices of `data`, each at a position of several coordinates.
pub fn gather_nd(c: &mut Context, op: &GatherNd) -> Result<Id, Stop> {
    c.positions()?;
    let (data, indices) = (c.inputs[0].clone(), c.inputs[1].clone());
    if data.layout.rows.is_some() || indices.layout.merged {
        return Err(Stop::Mixes);
    }
    let shape = data.layout.shape;
    let Some((n, lead)) = indices.layout.shape.split_last() else { return Err(Stop::Mixes) };
    let (b, n, lead) = (op.batch_dims, *n, lead.to_vec());
    if b > 0 && indices.layout.rows.is_some() {
        return Err(Stop::Mixes);
    }
    let places = coordinates(c, indices.id, &shape[b..b + n], &lead)?;
    let slices: usize = shape[b..b + n].iter().product();
    // The batch's own coordinates come on top.
    let batch: usize = shape[..b].iter().product();
    let base: Vec<i64> = (0..batch).map(|i| (i * slices) as i64).collect();
    let mut base_shape = shape[..b].to_vec();
    base_shape.resize(lead.len(), 1);
    let base = c.integers(&base, base_shape);
    let places = c.shaped(Op::Binary(Binary::Add), vec![places, base], lead, Type::I64);
    let data = c.reshape(data.id, &[&[batch * slices], &shape[b + n..]].concat());
    Ok(c.result(Op::Gather { axis: 0 }, vec![data, places]))
}

/// Elements of operand 2 written into operand 0.
pub fn scatter_elements(c: &mut Context, op: &ScatterElements) -> Result<Id, Stop> {
    c.positions()?;
    let axis = both(c, op.axis, &[0, 1, 2])?;
    written(c, &c.inputs[1].layout.shape)?;
    let places = elements(c, axis, 1)?;
    write(c, op.reduction, places)
}

/// Slices of operand 2 written into operand 0.
pub fn scatter_nd(c: &mut Context, op: &ScatterNd) -> Result<Id, Stop> {
    c.positions()?;
    if c.inputs.iter().any(|x| x.layout.rows.is_some()) {
        return Err(Stop::Mixes);
    }
    let (shape, indices) = (c.inputs[0].layout.shape.clone(), c.inputs[1].clone());
    let Some((n, lead)) = indices.layout.shape.split_last() else { return Err(Stop::Mixes) };
    written(c, &[lead, &shape[*n..]].concat())?;
    let places = coordinates(c, indices.id, &shape[..*n], lead)?;
    write(c, op.reduction, places)
}

/// Refuses to write anything of another shape than the positions have.
fn written(c: &Context, shape: &[usize]) -> Result<(), Stop> {
    let updates = &c.inputs[2].layout.shape;
    if updates == shape {
        return Ok(());
    }
    Err(c.wrong(format!("writes updates of shape {updates:?} to positions of shape {shape:?}")))
}

fn write(c: &mut Context, reduction: ScatterReduction, places: Id) -> Result<Id, Stop> {
    let how = match reduction {
        ScatterReduction::None => Scatter::Replace,
        ScatterReduction::Add => Scatter::Add,
        ScatterReduction::Mul => Scatter::Mul,
        ScatterReduction::Min => Scatter::Min,
        ScatterReduction::Max => Scatter::Max,
    };
    let length = c.importer.graph.node(places).len();
    let places = c.reshape(places, &[length]);
    let (data, slices) = (c.inputs[0].id, c.inputs[2].id);
    Ok(c.result(Op::Scatter(how), vec![data, places, slices]))
}

/// The axis without rows, which all of the operands have at the same place or not at all.
fn both(c: &Context, axis: usize, operands: &[usize]) -> Result<usize, Stop> {
    let rows = c.inputs[operands[0]].layout.rows;
    if operands.iter().any(|i| c.inputs[*i].layout.rows != rows || c.inputs[*i].layout.merged) {
        return Err(Stop::Mixes);
    }
    c.inputs[operands[0]].layout.strip(axis)
}

/// Flat positions in operand 0 of what operand `indices` says along `axis`, the other coordinates being its own.
pub(super) fn elements(c: &mut Context, axis: usize, indices: usize) -> Result<Id, Stop> {
    let (data, index) = (c.inputs[0].layout.shape.clone(), c.inputs[indices].clone());
    let id = c.wide(index.id);
    along(c, id, &data, axis)
}

/// The same for positions of type I64.
pub(super) fn along(c: &mut Context, index: Id, data: &[usize], axis: usize) -> Result<Id, Stop> {
    let shape = c.importer.graph.node(index).shape.clone();
    let steps = strides(data);
    let dim = c.integers(&[data[axis] as i64], vec![]);
    let id = c.wrapped(index, dim);
    let step = c.integers(&[steps[axis] as i64], vec![]);
    let mut places = c.shaped(Op::Binary(Binary::Mul), vec![id, step], shape.clone(), Type::I64);
    for d in (0..shape.len()).filter(|d| *d != axis && shape[*d] > 1) {
        let own: Vec<i64> = (0..shape[d]).map(|i| (i * steps[d]) as i64).collect();
        let mut unit = vec![1; shape.len()];
        unit[d] = shape[d];
        let own = c.integers(&own, unit);
        places = c.shaped(Op::Binary(Binary::Add), vec![places, own], shape.clone(), Type::I64);
    }
    Ok(places)
}

/// `[lead…, n]` coordinates in a tensor of shape `dims` as flat positions `[lead…]`.
fn coordinates(c: &mut Context, indices: Id, dims: &[usize], lead: &[usize]) -> Result<Id, Stop> {
    let n = dims.len();
    let shape = [lead, &[n]].concat();
    let wide = c.wide(indices);
    let sizes = c.integers(&dims.iter().map(|d| *d as i64).collect::<Vec<_>>(), vec![n]);
    let wide = c.wrapped(wide, sizes);
    let steps = c.integers(&strides(dims).iter().map(|s| *s as i64).collect::<Vec<_>>(), vec![n]);
    let scaled = c.shaped(Op::Binary(Binary::Mul), vec![wide, steps], shape, Type::I64);
    let summed = c.shaped(Op::Reduce(Reduce::Sum, vec![lead.len()]), vec![scaled], [lead, &[1]].concat(), Type::I64);
    Ok(c.reshape(summed, lead))
}
