//! Pad: elements before and behind each axis, or, where their number is negative, that many taken away.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::array;
use tract_onnx::tract_hir::internal::*;

use super::super::{Operator, Wire};
use crate::front::attributes::Attributes;

/// Most elements on one side.
const PADS_MAX: i64 = 1 << 24;

#[derive(Debug, Clone)]
pub struct Pad {
    mode: Mode,
    /// As attributes, before version 11.
    given: Option<(Vec<i64>, f32)>,
    /// Whether there is an input of the value, and one of axes.
    inputs: (bool, bool),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    Constant,
    Reflect,
    Edge,
    Wrap,
}

impl Operator for Pad {
    const NAME: &'static str = "Pad";

    fn parse(node: &NodeProto) -> Result<Self, String> {
        let mode = match &*node.word("mode", "constant") {
            "constant" => Mode::Constant,
            "reflect" => Mode::Reflect,
            "edge" => Mode::Edge,
            "wrap" => Mode::Wrap,
            other => return Err(format!("has the unknown mode {other:?}")),
        };
        let pads = node.find("pads").or_else(|| node.find("paddings"));
        let given = pads.map(|pads| (pads.ints.clone(), node.float("value", 0.0)));
        let is = |n: usize| node.input.get(n).is_some_and(|name| !name.is_empty());
        if given.is_none() && !is(1) {
            return Err("needs `pads`".into());
        }
        Ok(Pad { mode, given, inputs: (is(2), is(3)) })
    }

    fn values(&self) -> Vec<usize> {
        match (&self.given, self.inputs) {
            (Some(_), _) => vec![],
            (None, (value, true)) => vec![1, 2 + usize::from(value)],
            (None, _) => vec![1],
        }
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let rank = w.rank(inputs[0])?;
        let (pads, mut axes): (Vec<i64>, Vec<usize>) = match &self.given {
            Some((pads, _)) => (pads.clone(), (0..rank).collect()),
            None => (w.integers(inputs[1])?, (0..rank).collect()),
        };
        if let (None, (value, true)) = (&self.given, self.inputs) {
            let listed = w.integers(inputs[2 + usize::from(value)])?;
            axes = listed.iter().map(|axis| w.axis(inputs[0], *axis)).collect::<TractResult<_>>()?;
        }
        ensure!(pads.len() == 2 * axes.len(), "has {} pads for {} axes", pads.len(), axes.len());
        let mut both = vec![(0i64, 0i64); rank];
        for (n, axis) in axes.iter().enumerate() {
            both[*axis] = (pads[n], pads[n + axes.len()]);
        }
        ensure!(both.iter().all(|(a, b)| a.max(b) <= &PADS_MAX), "has pads beyond {PADS_MAX}");
        let x = self.cropped(w, inputs[0], &mut both)?;
        let both: Vec<(usize, usize)> = both.into_iter().map(|(a, b)| (a as usize, b as usize)).collect();
        let value = match (&self.given, self.inputs.0) {
            (Some((_, value)), _) => Some(w.constant(tensor0(*value))?),
            (None, given) => given.then(|| inputs[2]),
        };
        Ok(tvec!(match self.mode {
            Mode::Constant => constant(w, x, both, value)?,
            mode => repeated(w, x, mode, &both)?,
        }))
    }
}

impl Pad {
    /// What negative numbers take away; they become 0.
    fn cropped(&self, w: &mut Wire, mut x: OutletId, pads: &mut [(i64, i64)]) -> TractResult<OutletId> {
        for (axis, (before, after)) in pads.iter_mut().enumerate().filter(|(_, (a, b))| *a < 0 || *b < 0) {
            let n = w.shape(x)?[axis].to_i64().context("needs a fixed size where it takes away")?;
            let (start, end) = ((-*before).max(0), n - (-*after).max(0));
            ensure!((0..=n).contains(&start) && (start..=n).contains(&end), "takes away more than there is");
            x = w.apply(array::Slice::new(axis, start, end), &[x])?;
            (*before, *after) = ((*before).max(0), (*after).max(0));
        }
        Ok(x)
    }
}

fn constant(w: &mut Wire, x: OutletId, pads: Vec<(usize, usize)>, value: Option<OutletId>) -> TractResult<OutletId> {
    let ty = w.ty(x)?;
    let known = match value {
        None => Some(Tensor::zero_dt(ty, &[])?),
        Some(value) => w.known(value).map(|v| v.cast_to_dt(ty)?.into_owned().into_shape(&[])).transpose()?,
    };
    if let Some(known) = known {
        return w.apply(array::Pad { pads, mode: array::PadMode::Constant(known.into_arc_tensor()) }, &[x]);
    }
    // The value is known when the model runs: it is chosen wherever a mask says that there was nothing.
    let Some(value) = value else { bail!("needs a value") };
    let (shape, rank) = (w.shape(x)?, w.rank(x)?);
    let mut inside = vec![true];
    let mut sizes = vec![];
    for (axis, (before, after)) in pads.iter().enumerate() {
        let line = if (*before, *after) == (0, 0) {
            vec![true]
        } else {
            let n = shape[axis].to_usize().context("needs a fixed size where it pads")?;
            (0..before + n + after).map(|at| (*before..before + n).contains(&at)).collect()
        };
        sizes.push(line.len());
        inside = inside.iter().flat_map(|a| line.iter().map(move |b| *a && *b)).collect();
    }
    let mask = w.constant(tensor1(&inside).into_shape(&sizes)?)?;
    let zero = Tensor::zero_dt(ty, &[])?.into_arc_tensor();
    let padded = w.apply(array::Pad { pads, mode: array::PadMode::Constant(zero) }, &[x])?;
    let mut value = w.cast(value, ty)?;
    while w.rank(value)? > 0 {
        value = w.apply(AxisOp::Rm(0), &[value])?;
    }
    for _ in 0..rank {
        value = w.apply(AxisOp::Add(0), &[value])?;
    }
    w.select(mask, padded, value)
}

/// What is there already, once more: the edge, what is mirrored at it, or the other end.
fn repeated(w: &mut Wire, mut x: OutletId, mode: Mode, pads: &[(usize, usize)]) -> TractResult<OutletId> {
    for (axis, (before, after)) in pads.iter().enumerate().filter(|(_, p)| **p != (0, 0)) {
        let n = w.shape(x)?[axis].to_i64().context("needs a fixed size where it pads")?;
        ensure!(n > 0, "repeats an axis without elements");
        let place = |at: i64| match mode {
            Mode::Wrap => at.rem_euclid(n),
            Mode::Reflect if n > 1 => (n - 1) - ((n - 1) - at.rem_euclid(2 * (n - 1))).abs(), // there and back again
            _ => at.clamp(0, n - 1),
        };
        let places: Vec<i64> = (-(*before as i64)..n + *after as i64).map(place).collect();
        let places = w.constant(tensor1(&places))?;
        x = w.gather(x, places, axis)?;
    }
    Ok(x)
}
