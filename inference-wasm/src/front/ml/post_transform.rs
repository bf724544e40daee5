//! `post_transform`: what happens to scores last.

use std::f32::consts::{PI, SQRT_2};

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::{Reducer, Softmax, sigmoid};
use tract_onnx::tract_hir::internal::*;

use super::Wire;
use crate::front::attributes::Attributes;

/// Attribute `post_transform`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostTransform {
    None,
    Softmax,
    Logistic,
    SoftmaxZero,
    Probit,
}

impl PostTransform {
    /// By name.
    pub fn parse(node: &NodeProto) -> Result<Self, String> {
        match &*node.word("post_transform", "NONE") {
            "NONE" => Ok(PostTransform::None),
            "SOFTMAX" => Ok(PostTransform::Softmax),
            "LOGISTIC" => Ok(PostTransform::Logistic),
            "SOFTMAX_ZERO" => Ok(PostTransform::SoftmaxZero),
            "PROBIT" => Ok(PostTransform::Probit),
            _ => Err("needs a `post_transform` of NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO or PROBIT".into()),
        }
    }

    /// By number, as TreeEnsemble has it.
    pub fn numbered(number: i64) -> Result<Self, String> {
        use PostTransform::*;
        let known = [None, Softmax, Logistic, SoftmaxZero, Probit];
        usize::try_from(number)
            .ok()
            .and_then(|n| known.get(n))
            .copied()
            .ok_or("needs a `post_transform` of 0 to 4".into())
    }

    /// Of each row of scores, `[rows, n]`. A single column stays as it is, but for PROBIT (as in onnxruntime).
    pub fn wire(self, w: &mut Wire, scores: OutletId) -> TractResult<OutletId> {
        if w.columns(scores)? < 2 && self != PostTransform::Probit {
            return Ok(scores);
        }
        match self {
            PostTransform::None => Ok(scores),
            PostTransform::Logistic => w.element_wise(sigmoid(), scores),
            PostTransform::Softmax => {
                let axes = tvec!(w.rank(scores)? - 1);
                w.apply(Softmax { axes, ..Softmax::default() }, &[scores])
            }
            PostTransform::SoftmaxZero => softmax_zero(w, scores),
            PostTransform::Probit => probit(w, scores),
        }
    }

    /// Two columns of one score `s`: the logistic of `-s` and `s` for LOGISTIC, else with `complement` `1 - s` and `s`,
    /// else `-s` and `s` (as in onnxruntime, which leaves the second column undefined for PROBIT).
    pub fn second_column(self, w: &mut Wire, score: OutletId, complement: bool) -> TractResult<OutletId> {
        ensure!(self != PostTransform::Probit, "has PROBIT for one score of two classes, which is not defined");
        if complement && self != PostTransform::Logistic {
            let one = w.number(1.0, score)?;
            let other = w.sub(one, score)?;
            return w.concat(&[other, score]);
        }
        let other = w.element_wise(math::neg(), score)?;
        let both = w.concat(&[other, score])?;
        if self == PostTransform::Logistic { self.wire(w, both) } else { Ok(both) }
    }
}

/// Softmax over the elements that are not 0; those stay 0.
fn softmax_zero(w: &mut Wire, x: OutletId) -> TractResult<OutletId> {
    let greatest = w.reduce(Reducer::Max, x)?;
    let shifted = w.sub(x, greatest)?;
    let exp = w.element_wise(math::exp(), shifted)?;
    let magnitude = w.element_wise(math::abs(), x)?;
    let (tiny, zero) = (w.number(1e-7, x)?, w.number(0.0, x)?);
    let counts = w.greater(magnitude, tiny)?;
    let terms = w.select(counts, exp, zero)?;
    let sum = w.reduce(Reducer::Sum, terms)?;
    w.div(terms, sum)
}

/// `√2 · erf⁻¹(2x − 1)` with the approximation of S. Winitzki (2008), a = 0.147, as onnxruntime has it.
fn probit(w: &mut Wire, x: OutletId) -> TractResult<OutletId> {
    const A: f32 = 0.147;
    let (zero, one, two) = (w.number(0.0, x)?, w.number(1.0, x)?, w.number(2.0, x)?);
    let doubled = w.mul(x, two)?;
    let y = w.sub(doubled, one)?;
    let (below, above) = (w.sub(one, y)?, w.add(one, y)?);
    let product = w.mul(below, above)?;
    let log = w.element_wise(math::ln(), product)?;
    let (half, shift, over) = (w.number(0.5, x)?, w.number(2.0 / (PI * A), x)?, w.number(1.0 / A, x)?);
    let halved = w.mul(log, half)?;
    let v = w.add(halved, shift)?;
    let square = w.mul(v, v)?;
    let term = w.mul(log, over)?;
    let inner = w.sub(square, term)?;
    let root = w.element_wise(math::sqrt(), inner)?;
    let difference = w.sub(root, v)?;
    let magnitude = w.element_wise(math::sqrt(), difference)?;
    let factor = w.number(SQRT_2, x)?;
    let value = w.mul(magnitude, factor)?;
    let negative = w.greater(zero, y)?;
    let mirrored = w.element_wise(math::neg(), value)?;
    w.select(negative, mirrored, value)
}
