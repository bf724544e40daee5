//! GridSample: elements at places that are values, and between them, as ONNX defines it.

use tract_onnx::tract_core::ops::nn::grid_sample::{GridSample, InterpolationMode, PaddingMode};

use super::{Context, Stop};
use crate::graph::build::strides;
use crate::graph::{Binary, Id, Op, Type, Unary};

/// Keys' parameter of cubic convolution, as ONNX fixes it here.
const CUBIC: f64 = -0.75;

/// One neighbour along one axis: its position, how much it counts, and whether it lies inside.
struct Tap {
    position: Id,
    weight: Option<Id>,
    inside: Option<Id>,
}

/// `[batch, channels, sizes…]` at the places `[batch, results…, axes]`, each from -1 to 1, the last axis first.
pub fn sample(c: &mut Context, op: &GridSample) -> Result<Id, Stop> {
    let (x, grid) = (c.inputs[0].clone(), c.inputs[1].clone());
    let stripped = usize::from(x.layout.rows.is_some());
    if x.layout.rows != grid.layout.rows || x.layout.rows.unwrap_or(0) > 0 || x.layout.merged || grid.layout.merged {
        return Err(Stop::Mixes);
    }
    let batch = x.layout.shape[..1 - stripped].to_vec();
    let (channels, sizes) = (x.layout.shape[batch.len()], x.layout.shape[batch.len() + 1..].to_vec());
    let places = grid.layout.shape[batch.len()..grid.layout.shape.len() - 1].to_vec();
    if x.layout.shape.contains(&0) || x.layout.ty != c.out.ty || !c.out.ty.is_float() {
        return Err(c.unsupported("sampling of nothing, or of what is no float"));
    }
    if grid.layout.ty != c.out.ty {
        return Err(c.unsupported("sampling at places of another type"));
    }
    // One number for each place; an axis of length 1 stands for the channels.
    let shape = [&batch[..], &[1], &places].concat();
    let last = grid.layout.shape.len() - 1;
    let mut taps: Vec<Vec<Tap>> = Vec::new();
    for (axis, size) in sizes.iter().enumerate() {
        let mut one = grid.layout.shape.clone();
        one[last] = 1;
        let slice = Op::Slice { axis: last, start: sizes.len() - 1 - axis, step: 1 };
        let place = c.shaped(slice, vec![grid.id], one, c.out.ty);
        let place = c.reshape(place, &shape);
        taps.push(along(c, op, place, *size));
    }
    // Where each channel's elements begin.
    let steps = strides(&sizes);
    let whole: usize = sizes.iter().product();
    let rows: usize = batch.iter().product();
    let starts: Vec<i64> = (0..rows * channels).map(|i| (i * whole) as i64).collect();
    let mut unit = [&batch[..], &[channels]].concat();
    unit.resize(shape.len(), 1);
    let starts = c.integers(&starts, unit);
    let flat = c.reshape(x.id, &[rows * channels * whole]);

    let mut sum: Option<Id> = None;
    let count: usize = taps.iter().map(Vec::len).product();
    for corner in 0..count {
        let mut rest = corner;
        let (mut position, mut weight, mut inside): (Id, Option<Id>, Option<Id>) = (starts, None, None);
        for (axis, taps) in taps.iter().enumerate() {
            let tap = &taps[rest % taps.len()];
            rest /= taps.len();
            let step = c.integers(&[steps[axis] as i64], vec![]);
            let offset = c.both(Binary::Mul, tap.position, step);
            position = c.both(Binary::Add, position, offset);
            weight = joined(c, Binary::Mul, weight, tap.weight);
            inside = joined(c, Binary::And, inside, tap.inside);
        }
        let mut value = c.result(Op::Gather { axis: 0 }, vec![flat, position]);
        if let Some(weight) = weight {
            value = c.result(Op::Binary(Binary::Mul), vec![value, weight]);
        }
        if let Some(inside) = inside {
            let zero = c.number(0.0);
            value = c.result(Op::Select, vec![inside, value, zero]);
        }
        sum = joined(c, Binary::Add, sum, Some(value));
    }
    sum.ok_or_else(|| c.unsupported("sampling without axes"))
}

fn joined(c: &mut Context, op: Binary, a: Option<Id>, b: Option<Id>) -> Option<Id> {
    match (a, b) {
        (Some(a), Some(b)) => Some(c.both(op, a, b)),
        (a, b) => a.or(b),
    }
}

/// The neighbours of each place along an axis of `size` elements.
fn along(c: &mut Context, op: &GridSample, place: Id, size: usize) -> Vec<Tap> {
    let n = size as f64;
    let (low, high) = if op.align_corners { (0.0, n - 1.0) } else { (-0.5, n - 0.5) };
    let place = {
        let (one, half) = (c.number(1.0), c.number(2.0));
        let place = c.both(Binary::Add, place, one);
        let (factor, less) = if op.align_corners { (n - 1.0, 0.0) } else { (n, 1.0) };
        let (factor, less) = (c.number(factor), c.number(less));
        let place = c.both(Binary::Mul, place, factor);
        let place = c.both(Binary::Sub, place, less);
        c.both(Binary::Div, place, half)
    };
    if op.mode == InterpolationMode::Nearest {
        let near = c.one(Unary::Round, place);
        let near = inward(c, op, near, n, (low, high));
        return vec![tap(c, op, near, None, n, (low, high))];
    }
    let place = inward(c, op, place, n, (low, high));
    let cell = c.one(Unary::Floor, place);
    let ratio = c.both(Binary::Sub, place, cell);
    let first = if op.mode == InterpolationMode::Bicubic { -1 } else { 0 };
    let neighbour = |c: &mut Context, k: i32| {
        let step = c.number(f64::from(k));
        let distance = c.both(Binary::Sub, ratio, step);
        let distance = c.one(Unary::Abs, distance);
        let weight = match op.mode {
            InterpolationMode::Bicubic => cubic(c, distance, (0..=1).contains(&k)),
            _ => {
                let one = c.number(1.0);
                c.both(Binary::Sub, one, distance)
            }
        };
        let position = c.both(Binary::Add, cell, step);
        tap(c, op, position, Some(weight), n, (low, high))
    };
    (first..2 - first).map(|k| neighbour(c, k)).collect()
}

/// Keys' cubic convolution (1981) at a distance below 1 (`near`), or from 1 to 2.
fn cubic(c: &mut Context, x: Id, near: bool) -> Id {
    let factors = match near {
        true => [CUBIC + 2.0, -(CUBIC + 3.0), 0.0, 1.0],
        false => [CUBIC, -5.0 * CUBIC, 8.0 * CUBIC, -4.0 * CUBIC],
    };
    let mut y = c.number(factors[0]);
    for factor in &factors[1..] {
        let factor = c.number(*factor);
        y = c.both(Binary::Mul, y, x);
        y = c.both(Binary::Add, y, factor);
    }
    y
}

/// A place outside brought inside, where the border or its mirror continues the image.
fn inward(c: &mut Context, op: &GridSample, place: Id, n: f64, (low, high): (f64, f64)) -> Id {
    match op.padding_mode {
        PaddingMode::Zeros => place,
        PaddingMode::Border => {
            let (zero, last) = (c.number(0.0), c.number(n - 1.0));
            let place = c.both(Binary::Max, place, zero);
            c.both(Binary::Min, place, last)
        }
        PaddingMode::Reflection => reflected(c, place, low, high),
    }
}

/// There and back again between `low` and `high`.
fn reflected(c: &mut Context, place: Id, low: f64, high: f64) -> Id {
    let span = high - low;
    let (below, above, two) = (c.number(low), c.number(high), c.number(2.0));
    if span <= 0.0 {
        let shape = c.importer.graph.node(place).shape.clone();
        return c.shaped(Op::Broadcast, vec![below], shape, c.out.ty);
    }
    let span = c.number(span);
    let is_below = c.both(Binary::Less, place, below);
    let is_above = c.both(Binary::Less, above, place);
    let (under, over) = (c.both(Binary::Sub, below, place), c.both(Binary::Sub, place, above));
    let distance = c.choose(is_below, under, over);
    let times = c.both(Binary::Div, distance, span);
    let times = c.one(Unary::Floor, times);
    let whole = c.both(Binary::Mul, times, span);
    let rest = c.both(Binary::Sub, distance, whole);
    let half = c.both(Binary::Div, times, two);
    let floor = c.one(Unary::Floor, half);
    let even = c.both(Binary::Equal, half, floor);
    let (from_low, from_high) = (c.both(Binary::Add, below, rest), c.both(Binary::Sub, above, rest));
    let from_below = c.choose(even, from_low, from_high);
    let from_above = c.choose(even, from_high, from_low);
    let place = c.choose(is_above, from_above, place);
    c.choose(is_below, from_below, place)
}

/// A neighbour at a whole number, which may lie outside.
fn tap(c: &mut Context, op: &GridSample, mut place: Id, weight: Option<Id>, n: f64, bounds: (f64, f64)) -> Tap {
    let (zero, last) = (c.number(0.0), c.number(n - 1.0));
    let mut inside = None;
    match op.padding_mode {
        PaddingMode::Zeros => {
            let from = c.both(Binary::LessEqual, zero, place);
            let to = c.both(Binary::LessEqual, place, last);
            inside = Some(c.both(Binary::And, from, to));
        }
        PaddingMode::Border => {}
        PaddingMode::Reflection => place = reflected(c, place, bounds.0, bounds.1),
    }
    place = c.both(Binary::Max, place, zero);
    place = c.both(Binary::Min, place, last);
    let shape = c.importer.graph.node(place).shape.clone();
    Tap { position: c.shaped(Op::Cast, vec![place], shape, Type::I64), weight, inside }
}
