//! Pooling: greatest ones, sums and means over windows.

use tract_onnx::tract_core::ops::cnn::pools::PoolSpec;
use tract_onnx::tract_core::ops::cnn::{MaxPool, PaddingSpec, SumPool};

use tract_onnx_opl::lrn::Lrn;

use super::conv::Image;
use super::{Context, Stop};
use crate::graph::build::strides;
use crate::graph::eval::start;
use crate::graph::{Binary, Id, Op, Pool, Reduce, Strided, Type};

/// The greatest of each window.
pub fn greatest(c: &mut Context, op: &MaxPool) -> Result<Id, Stop> {
    if c.slot != 0 {
        return Err(c.unsupported("MaxPool's positions"));
    }
    let ty = c.out.ty;
    if ty == Type::Bool {
        return Err(c.unsupported("MaxPool of booleans"));
    }
    windows(c, &op.pool_spec, Reduce::Max, start(Reduce::Max, ty))
}

/// Sums of windows, divided by how many elements they have when `normalize`.
pub fn sums(c: &mut Context, op: &SumPool) -> Result<Id, Stop> {
    let spec = &op.pool_spec;
    let image = Image::of(c, spec)?;
    let total = windows(c, spec, Reduce::Sum, 0)?;
    if !op.normalize {
        return Ok(total);
    }
    let pads = spec.computed_padding(&image.spatial);
    // How many elements each window has along each axis: with padding as the file gives it, or without.
    let mut counts = vec![1f64];
    let mut shape = vec![];
    for (d, n) in image.spatial.iter().enumerate() {
        let (before, after) = match &spec.padding {
            PaddingSpec::Explicit(before, after) | PaddingSpec::ExplicitOnnxPool(before, after, _) => {
                (before[d], after[d])
            }
            _ => (pads[d].pad_before, pads[d].pad_after),
        };
        let end = before + n + after;
        let inside = |at: usize| if op.count_include_pad { at < end } else { at >= before && at < before + n };
        let window = |o: usize| (0..spec.kernel_shape[d]).map(move |k| o * spec.stride(d) + k * spec.dilation(d));
        let along: Vec<f64> =
            (0..pads[d].convoluted).map(|o| window(o).filter(|at| inside(*at)).count().max(1) as f64).collect();
        counts = counts.iter().flat_map(|c| along.iter().map(move |a| c * a)).collect();
        shape.push(along.len());
    }
    let ty = c.out.ty;
    let counts = c.numbers(&counts, shape, ty);
    Ok(c.result(Op::Binary(Binary::Div), vec![total, counts]))
}

/// LRN: divided by a power of the sum of squares of the neighbouring channels.
pub fn neighbours(c: &mut Context, op: &Lrn) -> Result<Id, Stop> {
    let x = c.inputs[0].clone();
    let axis = x.layout.strip(1)?;
    let (ty, shape) = (c.out.ty, x.layout.shape.clone());
    if op.size == 0 || !ty.is_float() {
        return Err(c.wrong("needs a `size` of 1 or more, and floats"));
    }
    let squares = c.both(Binary::Mul, x.id, x.id);
    let (mut wide, mut before) = (shape.clone(), vec![0; shape.len()]);
    wide[axis] += op.size - 1;
    before[axis] = (op.size - 1) / 2;
    let padded = c.pad(squares, before, vec![0; shape.len()], wide.clone(), 0);
    let steps = strides(&wide);
    let operand = Strided { start: 0, outer: steps.clone(), inner: vec![steps[axis]] };
    let pool = Pool { inner: vec![op.size], operand };
    let sums = c.shaped(Op::Pool(Reduce::Sum, pool.into()), vec![padded], shape, ty);
    let share = c.number(f64::from(op.alpha) / op.size as f64);
    let (bias, power) = (c.number(f64::from(op.bias)), c.number(f64::from(op.beta)));
    let scaled = c.both(Binary::Mul, sums, share);
    let scaled = c.both(Binary::Add, scaled, bias);
    let divisor = c.both(Binary::Pow, scaled, power);
    Ok(c.both(Binary::Div, x.id, divisor))
}

fn windows(c: &mut Context, spec: &PoolSpec, op: Reduce, around: u64) -> Result<Id, Stop> {
    let image = Image::of(c, spec)?.holding(c, spec)?;
    let (steps, apart) = (spec.strides().to_vec(), spec.dilations().to_vec());
    let pads = spec.computed_padding(&image.spatial);
    let rank = pads.len();
    let before: Vec<usize> = pads.iter().map(|p| p.pad_before).collect();
    let needed = |d: usize| (pads[d].convoluted.max(1) - 1) * steps[d] + (spec.kernel_shape[d] - 1) * apart[d] + 1;
    let spatial = (0..rank).map(|d| needed(d).max(before[d] + image.spatial[d])).collect();
    let image = image.padded(c, &before, &vec![0; rank], spatial, around);
    let x = strides(&image.shape());
    let n = image.batch.len() + 1;
    let outer = [&x[..n], &(0..rank).map(|d| x[n + d] * steps[d]).collect::<Vec<_>>()[..]].concat();
    let operand = Strided { start: 0, outer, inner: (0..rank).map(|d| x[n + d] * apart[d]).collect() };
    let pool = Pool { inner: spec.kernel_shape.to_vec(), operand };
    Ok(c.result(Op::Pool(op, pool.into()), vec![image.id]))
}
