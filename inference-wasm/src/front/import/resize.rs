//! Resizing: along each axis every result is a weighted sum of a few elements, positions and weights being constants.
//!
//! Coordinates and filters are those of ONNX's reference implementation.

use tract_onnx::tract_core::ops::nn::resize::Interpolator;
use tract_onnx_opl::resize::{AspectRatio, CoordTransform, Nearest, Resize};

use super::{Context, Stop};
use crate::graph::{Binary, Bytes, Id, Op, Type};

/// What one axis is made of: for each tap a position and a weight per result, and where the result lies outside.
struct Plan {
    taps: Vec<(Vec<i64>, Vec<f64>)>,
    outside: Vec<bool>,
}

/// Any resize whose sizes are known.
pub fn resize(c: &mut Context, op: &Resize) -> Result<Id, Stop> {
    let x = c.inputs[0].clone();
    let (mut id, mut shape, ty) = (x.id, x.layout.shape.clone(), x.layout.ty);
    let rank = x.layout.rank();
    let axes = op.resized_axes(rank)?;
    let scales = scales(c, op, &axes)?;
    let roi = constant(c, op.optional_roi_input);
    for (n, axis) in axes.iter().enumerate() {
        let whole = scales[n] == 1.0 && op.coord_transformer != CoordTransform::TfCropAndResize;
        if x.layout.rows == Some(*axis) && whole {
            continue;
        }
        let at = x.layout.strip(*axis)?;
        let (from, to) = (shape[at], c.out.shape[at]);
        if from == to && whole {
            continue;
        }
        let region = match &roi {
            Some(roi) if roi.len() == 2 * axes.len() => (roi[n], roi[n + axes.len()]),
            _ => (0.0, 1.0),
        };
        let plan = plan(op, scales[n], from, to, region);
        (id, shape) = along(c, id, shape, at, ty, plan, f64::from(op.extrapolation_value()));
    }
    Ok(id)
}

/// Numbers of a constant operand.
fn constant(c: &Context, input: Option<usize>) -> Option<Vec<f32>> {
    let konst = c.facts.get(input?)?.konst.as_ref()?;
    let numbers = konst.cast_to::<f32>().ok()?;
    Some(numbers.as_bytes().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
}

/// The scale of each axis of `axes`.
fn scales(c: &Context, op: &Resize, axes: &[usize]) -> Result<Vec<f32>, Stop> {
    if let Some(scales) = constant(c, op.optional_scales_input).filter(|s| s.len() == axes.len()) {
        return Ok(scales);
    }
    let sizes = constant(c, op.optional_sizes_input).filter(|s| s.len() == axes.len());
    let sizes = sizes.ok_or_else(|| c.unsupported("a resize whose sizes are not constant"))?;
    let x = &c.inputs[0].layout;
    let length = |axis: usize| x.position(axis).map_or(1.0, |at| x.shape[at] as f32);
    let ratios: Vec<f32> = axes.iter().zip(&sizes).map(|(a, s)| s / length(*a)).collect();
    let pick: fn(f32, f32) -> f32 = match op.keep_aspect_ratio_policy {
        AspectRatio::Stretch => return Ok(ratios),
        AspectRatio::NotLarger => f32::min,
        AspectRatio::NotSmaller => f32::max,
    };
    let one = ratios.into_iter().reduce(pick).unwrap_or(1.0);
    Ok(vec![one; axes.len()])
}

fn plan(op: &Resize, scale: f32, from: usize, to: usize, roi: (f32, f32)) -> Plan {
    // Where a filter is widened for fewer results than elements, by this factor.
    let squeeze = if op.antialias { f64::from(scale).min(1.0) } else { 1.0 };
    let reach = if op.interpolator == Interpolator::Cubic { 2.0 } else { 1.0 };
    let first = if op.interpolator == Interpolator::Nearest { 0 } else { (-reach / squeeze).floor() as i64 + 1 };
    let count = (2 - 2 * first) as usize;
    let mut plan = Plan { taps: vec![(vec![0; to], vec![0.0; to]); count], outside: vec![false; to] };
    for o in 0..to {
        let Some(place) = coordinate(op, o, scale, from, to, roi) else {
            plan.outside[o] = true;
            continue;
        };
        let cell = place.ceil() - 1.0;
        let ratio = f64::from(place - cell); // in (0, 1]
        let weight = |k: usize| -> f64 {
            let distance = (first as f64 + k as f64 - ratio) * squeeze;
            match op.interpolator {
                Interpolator::Nearest => f64::from(u8::from(right(&op.nearest, ratio) == (k == 1))),
                Interpolator::Linear => (1.0 - distance.abs()).max(0.0),
                Interpolator::Cubic => cubic(distance.abs(), f64::from(op.cubic_coeff_a())),
            }
        };
        let mut weights: Vec<f64> = (0..count).map(weight).collect();
        let at = |k: usize| cell as i64 + first + k as i64;
        let inside = |k: usize| (0..from as i64).contains(&at(k));
        if op.exclude_outside {
            (0..count).filter(|k| !inside(*k)).for_each(|k| weights[k] = 0.0);
        }
        if op.exclude_outside || op.antialias {
            let total: f64 = weights.iter().sum();
            weights.iter_mut().for_each(|w| *w /= if total == 0.0 { 1.0 } else { total });
        }
        for (k, (places, shares)) in plan.taps.iter_mut().enumerate() {
            places[o] = at(k).clamp(0, from as i64 - 1);
            shares[o] = weights[k];
        }
    }
    plan.taps.retain(|(_, weights)| weights.iter().any(|w| *w != 0.0));
    plan
}

/// The place in the operand; absent outside of it where that is told apart.
fn coordinate(op: &Resize, o: usize, scale: f32, from: usize, to: usize, roi: (f32, f32)) -> Option<f32> {
    let CoordTransform::Plain(transform) = &op.coord_transformer else {
        let last = from as f32 - 1.0;
        let span = last * (roi.1 - roi.0);
        let offset = if to == 1 { span / 2.0 } else { o as f32 * span / (to as f32 - 1.0) };
        let place = offset + roi.0 * last;
        return (0.0..=last).contains(&place).then_some(place);
    };
    Some(transform.transform(o, scale, from, to))
}

/// Whether the upper neighbour is the nearest.
fn right(nearest: &Nearest, ratio: f64) -> bool {
    ratio == 1.0
        || match nearest {
            Nearest::Floor => false,
            Nearest::Ceil => true,
            Nearest::RoundPreferFloor => ratio > 0.5,
            Nearest::RoundPreferCeil => ratio >= 0.5,
        }
}

/// Keys' cubic convolution (1981) at distance `x`, with the parameter `a`.
fn cubic(x: f64, a: f64) -> f64 {
    match x {
        x if x <= 1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
        x if x < 2.0 => ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a,
        _ => 0.0,
    }
}

/// The axis resized; the value and its shape.
fn along(
    c: &mut Context,
    id: Id,
    mut shape: Vec<usize>,
    axis: usize,
    ty: Type,
    plan: Plan,
    outside: f64,
) -> (Id, Vec<usize>) {
    let to = plan.outside.len();
    shape[axis] = to;
    let mut unit = vec![1; shape.len()];
    unit[axis] = to;
    let mut sum: Option<Id> = None;
    for (places, weights) in plan.taps {
        let places = c.integers(&places, vec![to]);
        let mut part = c.shaped(Op::Gather { axis }, vec![id, places], shape.clone(), ty);
        if weights.iter().any(|w| *w != 1.0) {
            let weights = c.numbers(&weights, unit.clone(), ty);
            part = c.shaped(Op::Binary(Binary::Mul), vec![part, weights], shape.clone(), ty);
        }
        sum = Some(match sum {
            None => part,
            Some(sum) => c.shaped(Op::Binary(Binary::Add), vec![sum, part], shape.clone(), ty),
        });
    }
    let fill = c.numbers(&[outside], vec![], ty);
    let inside = sum.unwrap_or_else(|| c.shaped(Op::Broadcast, vec![fill], shape.clone(), ty));
    if !plan.outside.contains(&true) {
        return (inside, shape);
    }
    let mask: Vec<u8> = plan.outside.into_iter().map(u8::from).collect();
    let mask = c.shaped(Op::Const(Bytes(mask.into())), vec![], unit, Type::Bool);
    (c.shaped(Op::Select, vec![mask, fill, inside], shape.clone(), ty), shape)
}
