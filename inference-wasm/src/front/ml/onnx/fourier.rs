//! DFT and STFT: a product with a constant matrix of sines and cosines.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_hir::internal::*;

use super::super::{Operator, Wire};
use crate::front::attributes::Attributes;
use crate::graph::{Type, Unary};
use crate::math::element;
use crate::math::run::Runner;

/// Most numbers of the matrix.
const MATRIX_MAX: usize = 1 << 22;

#[derive(Debug, Clone)]
pub struct Dft {
    inverse: bool,
    onesided: bool,
    /// An attribute before version 20, then an input.
    axis: Option<i64>,
    /// Whether there is an input of the length, and one of the axis.
    inputs: (bool, bool),
}

impl Operator for Dft {
    const NAME: &'static str = "DFT";

    fn parse(node: &NodeProto) -> Result<Self, String> {
        let is = |n: usize| node.input.get(n).is_some_and(|name| !name.is_empty());
        Ok(Dft {
            inverse: node.int("inverse", 0) != 0,
            onesided: node.int("onesided", 0) != 0,
            axis: node.find("axis").map(|a| a.i),
            inputs: (is(1), is(2)),
        })
    }

    fn values(&self) -> Vec<usize> {
        (1..=usize::from(self.inputs.0) + usize::from(self.inputs.1)).collect()
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let (length, axis) = self.inputs;
        let number = |w: &Wire, at: usize| w.integers(inputs[at])?.first().copied().context("needs a number");
        let axis = if axis { number(w, 1 + usize::from(length))? } else { self.axis.unwrap_or(-2) };
        let axis = w.axis(inputs[0], axis)?;
        let length = if length { Some(number(w, 1)?) } else { None };
        Ok(tvec!(transformed(w, inputs[0], axis, length, self.inverse, self.onesided)?))
    }
}

#[derive(Debug, Clone)]
pub struct Stft {
    onesided: bool,
    /// Whether there is an input of the window, and one of its length.
    inputs: (bool, bool),
}

impl Operator for Stft {
    const NAME: &'static str = "STFT";
    const INPUTS: usize = 2;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        let is = |n: usize| node.input.get(n).is_some_and(|name| !name.is_empty());
        if !is(2) && !is(3) {
            return Err("needs a window or a `frame_length`".into());
        }
        Ok(Stft { onesided: node.int("onesided", 1) != 0, inputs: (is(2), is(3)) })
    }

    fn values(&self) -> Vec<usize> {
        if self.inputs.1 { vec![1, 2 + usize::from(self.inputs.0)] } else { vec![1] }
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let (signal, (window, length)) = (inputs[0], self.inputs);
        ensure!(w.rank(signal)? == 3, "needs a signal with three axes");
        let samples = w.shape(signal)?[1].to_usize().context("needs a fixed number of samples")?;
        let positive = |numbers: Vec<i64>| -> TractResult<usize> {
            let number = numbers.first().and_then(|n| usize::try_from(*n).ok()).filter(|n| *n > 0);
            number.context("needs a positive step and length")
        };
        let step = positive(w.integers(inputs[1])?)?;
        let size = match length {
            true => positive(w.integers(inputs[2 + usize::from(window)])?)?,
            false => w.shape(inputs[2])?[0].to_usize().context("needs a window of fixed length")?,
        };
        ensure!(size <= samples, "has frames of {size} of {samples} samples");
        let frames = 1 + (samples - size) / step;
        ensure!(frames * size <= MATRIX_MAX, "has too many frames");
        let places: Vec<i64> = (0..frames * size).map(|at| ((at / size) * step + at % size) as i64).collect();
        let places = w.constant(tensor1(&places))?;
        let cut = w.gather(signal, places, 1)?;
        let split = AxisOp::Reshape(1, tvec!((frames * size).to_dim()), tvec!(frames.to_dim(), size.to_dim()));
        let mut cut = w.apply(split, &[cut])?;
        if window {
            let mut window = w.cast(inputs[2], w.ty(signal)?)?;
            ensure!(w.shape(window)?[..] == [size.to_dim()], "has a window that is not as long as its frames");
            for axis in [0, 0, 3] {
                window = w.apply(AxisOp::Add(axis), &[window])?;
            }
            cut = w.mul(cut, window)?;
        }
        Ok(tvec!(transformed(w, cut, 2, None, false, self.onesided)?))
    }
}

/// `x` holds real numbers (a last axis of length 1) or complex ones (of length 2).
fn transformed(
    w: &mut Wire,
    x: OutletId,
    axis: usize,
    length: Option<i64>,
    inverse: bool,
    onesided: bool,
) -> TractResult<OutletId> {
    let (rank, ty) = (w.rank(x)?, w.ty(x)?);
    ensure!(rank >= 2 && axis < rank - 1 && ty.is_float(), "needs floats, and an axis before the last one");
    let sizes = (w.shape(x)?[axis].to_usize(), w.shape(x)?[rank - 1].to_usize());
    let (n, parts) = (sizes.0.context("needs a fixed length")?, sizes.1.context("needs a fixed length")?);
    ensure!(parts == 1 || parts == 2, "needs a last axis of length 1 or 2");
    let whole = match length {
        Some(length) => usize::try_from(length).ok().filter(|n| *n > 0).context("needs a positive length")?,
        None if inverse && onesided => 2 * n.saturating_sub(1),
        None => n,
    };
    let (results, complex) = match (inverse, onesided) {
        (true, true) => (whole, 1),
        (false, true) => (whole / 2 + 1, 2),
        _ => (whole, 2),
    };
    ensure!(n * parts * results * complex <= MATRIX_MAX && whole > 0, "is too long to be a product with a matrix");
    let mut turned = x;
    if axis != rank - 2 {
        turned = w.apply(AxisOp::Move(axis, rank - 2), &[turned])?;
    }
    let merge = AxisOp::Reshape(rank - 2, tvec!(n.to_dim(), parts.to_dim()), tvec!((n * parts).to_dim()));
    let mut flat = w.apply(merge, &[turned])?;
    if rank == 2 {
        flat = w.apply(AxisOp::Add(0), &[flat])?;
    }
    let width = results * complex;
    let matrix = tensor1(&matrix((n, parts), (results, complex), whole, inverse, onesided));
    let matrix = matrix.cast_to_dt(ty)?.into_owned().into_shape(&[n * parts, width])?;
    let deep = w.rank(flat)?;
    let matrix = w.constant(matrix.broadcast_into_rank(deep)?)?;
    let axes = AxesMapping::for_numpy_matmul(deep, false, false, false)?;
    let mut made = w.apply(EinSum::new(axes, ty), &[flat, matrix])?;
    if rank == 2 {
        made = w.apply(AxisOp::Rm(0), &[made])?;
    }
    let split = AxisOp::Reshape(rank - 2, tvec!(width.to_dim()), tvec!(results.to_dim(), complex.to_dim()));
    made = w.apply(split, &[made])?;
    if axis != rank - 2 {
        made = w.apply(AxisOp::Move(rank - 2, axis), &[made])?;
    }
    Ok(made)
}

/// From `[n, parts]` numbers to `[results, complex]` ones. Sines are the compiler's own, the same on every machine.
fn matrix(
    (n, parts): (usize, usize),
    (results, complex): (usize, usize),
    whole: usize,
    inverse: bool,
    onesided: bool,
) -> Vec<f64> {
    let table = |op: Unary| -> Vec<f64> {
        let program = element::unary(op, Type::F64).expect("sines are of floats");
        let mut run = Runner::new(&program);
        let angle = |at: usize| std::f64::consts::TAU * at as f64 / whole as f64;
        (0..whole).map(|at| f64::from_bits(run.run(&[angle(at).to_bits()]))).collect()
    };
    let (cosines, sines) = (table(Unary::Cos), table(Unary::Sin));
    let mut matrix = Vec::with_capacity(n * parts * results * complex);
    for i in 0..n {
        // Of a one-sided spectrum each number but the first, and the last of an even length, stands for two.
        let (used, times) = match inverse && onesided {
            true => (i <= whole / 2, if i == 0 || 2 * i == whole { 1.0 } else { 2.0 }),
            false => (i < whole, 1.0),
        };
        let factor = match (used, inverse) {
            (false, _) => 0.0,
            (true, true) => times / whole as f64,
            (true, false) => 1.0,
        };
        for part in 0..parts {
            for o in 0..results {
                let at = (i * o) % whole;
                let (cosine, sine) = (cosines[at], if inverse { -sines[at] } else { sines[at] });
                let both = if part == 0 { [cosine, -sine] } else { [sine, cosine] };
                matrix.extend(both[..complex].iter().map(|x| x * factor));
            }
        }
    }
    matrix
}
