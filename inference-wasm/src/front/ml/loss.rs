//! NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss: the chosen class's score, weighted, summed or averaged.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer, Softmax, SoftmaxKind};
use tract_onnx::tract_core::ops::{cast, math};
use tract_onnx::tract_hir::internal::*;

use super::{Operator, Wire};
use crate::front::attributes::Attributes;

#[derive(Debug, Clone)]
struct Loss {
    reduction: String,
    ignore: Option<i64>,
}

impl Loss {
    fn parse(node: &NodeProto) -> Result<Loss, String> {
        let reduction = node.word("reduction", "mean");
        if !["mean", "sum", "none"].contains(&&*reduction) {
            return Err(format!("has the unknown reduction {reduction:?}"));
        }
        Ok(Loss { reduction, ignore: node.find("ignore_index").map(|a| a.i) })
    }

    /// `scores` are logarithms `[n, classes, …]`, the second input the classes `[n, …]`, the third weights of classes.
    fn wire(&self, w: &mut Wire, scores: OutletId, inputs: &[OutletId]) -> TractResult<OutletId> {
        let (rank, ty) = (w.rank(scores)?, w.ty(scores)?);
        ensure!(rank >= 2, "needs scores with an axis of classes");
        let classes = w.shape(scores)?[1].to_usize().context("needs a fixed number of classes")?;
        let along = |values: Tensor| -> TractResult<Tensor> {
            let mut shape = vec![1; rank];
            shape[1] = classes;
            values.into_shape(&shape)
        };
        let target = w.cast(inputs[1], i64::datum_type())?;
        let target = w.apply(AxisOp::Add(1), &[target])?;
        let names: Vec<i64> = (0..classes as i64).collect();
        let names = w.constant(along(tensor1(&names))?)?;
        let chosen = w.equal(target, names)?;
        // A class to be ignored weighs nothing.
        let counted: Vec<f32> = (0..classes as i64).map(|c| if self.ignore == Some(c) { 0.0 } else { 1.0 }).collect();
        let counted = along(tensor1(&counted))?.cast_to_dt(ty)?.into_owned();
        let mut weights = w.constant(counted)?;
        if let Some(given) = inputs.get(2) {
            let mut given = w.apply(AxisOp::Add(0), &[*given])?;
            for axis in 2..rank {
                given = w.apply(AxisOp::Add(axis), &[given])?;
            }
            weights = w.mul(weights, given)?;
        }
        let zero = w.number(0.0, scores)?;
        let weighted = w.mul(scores, weights)?;
        let losses = w.select(chosen, weighted, zero)?;
        let losses = w.apply(Reduce { axes: tvec!(1), reducer: Reducer::Sum }, &[losses])?;
        let losses = w.element_wise(ElementWiseOp(Box::new(math::Neg {}), None), losses)?;
        let losses = w.apply(AxisOp::Rm(1), &[losses])?;
        if self.reduction == "none" {
            return Ok(losses);
        }
        let all = |w: &mut Wire, mut x: OutletId| -> TractResult<OutletId> {
            let axes: TVec<usize> = (0..w.rank(x)?).collect();
            x = w.apply(Reduce { axes, reducer: Reducer::Sum }, &[x])?;
            for axis in (0..w.rank(x)?).rev() {
                x = w.apply(AxisOp::Rm(axis), &[x])?;
            }
            Ok(x)
        };
        let total = all(w, losses)?;
        if self.reduction == "sum" {
            return Ok(total);
        }
        let shares = w.select(chosen, weights, zero)?;
        let shares = all(w, shares)?;
        w.div(total, shares)
    }
}

#[derive(Debug, Clone)]
pub struct NegativeLogLikelihoodLoss(Loss);

impl Operator for NegativeLogLikelihoodLoss {
    const NAME: &'static str = "NegativeLogLikelihoodLoss";
    const INPUTS: usize = 2;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        Loss::parse(node).map(NegativeLogLikelihoodLoss)
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        Ok(tvec!(self.0.wire(w, inputs[0], inputs)?))
    }
}

#[derive(Debug, Clone)]
pub struct SoftmaxCrossEntropyLoss {
    loss: Loss,
    outputs: usize,
}

impl Operator for SoftmaxCrossEntropyLoss {
    const NAME: &'static str = "SoftmaxCrossEntropyLoss";
    const INPUTS: usize = 2;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        Ok(SoftmaxCrossEntropyLoss { loss: Loss::parse(node)?, outputs: node.output.len() })
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let scores = w.apply(Softmax::new(tvec!(1), None, SoftmaxKind::LogSoftmax), &[inputs[0]])?;
        let loss = self.loss.wire(w, scores, inputs)?;
        let all = tvec!(loss, w.apply(cast::cast(w.ty(scores)?), &[scores])?);
        Ok(all.into_iter().take(self.outputs).collect())
    }
}
