//! BatchNormalization: by given means and variances, or, in training mode, by those of the batch.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer};
use tract_onnx::tract_hir::internal::*;

use super::super::{Operator, Wire};
use crate::front::attributes::Attributes;

#[derive(Debug, Clone)]
pub struct BatchNormalization {
    epsilon: f32,
    /// The share of the given means and variances in the running ones.
    training: Option<f32>,
    outputs: usize,
}

impl Operator for BatchNormalization {
    const NAME: &'static str = "BatchNormalization";
    const INPUTS: usize = 5;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        if node.int("spatial", 1) != 1 {
            return Err("normalizes each element by itself (`spatial = 0`), which is not supported".into());
        }
        let training = (node.int("training_mode", 0) != 0).then(|| node.float("momentum", 0.9));
        let outputs = node.output.iter().filter(|name| !name.is_empty()).count();
        if training.is_none() && outputs != 1 {
            return Err("has running means among its results; export in inference mode".into());
        }
        Ok(BatchNormalization { epsilon: node.float("epsilon", 1e-5), training, outputs })
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let [x, scale, shift, mean, variance] = inputs[..] else { bail!("needs 5 inputs") };
        let rank = w.rank(x)?;
        let beside = |w: &mut Wire, p: OutletId| -> TractResult<OutletId> {
            ensure!(w.rank(p)? == 1, "needs one number for each channel");
            let mut p = w.cast(p, w.ty(x)?)?;
            p = w.apply(AxisOp::Add(0), &[p])?;
            for axis in 2..rank {
                p = w.apply(AxisOp::Add(axis), &[p])?;
            }
            Ok(p)
        };
        let (scale, shift) = (beside(w, scale)?, beside(w, shift)?);
        let (mut mean, mut variance) = (beside(w, mean)?, beside(w, variance)?);
        let mut more = tvec!();
        if let Some(share) = self.training {
            let axes: TVec<usize> = (0..rank).filter(|axis| *axis != 1).collect();
            let average = |w: &mut Wire, x: OutletId| -> TractResult<OutletId> {
                let sum = w.apply(Reduce { axes: axes.clone(), reducer: Reducer::Sum }, &[x])?;
                let shape = w.shape(x)?;
                let count = axes.iter().map(|axis| shape[*axis].to_usize()).product::<Result<usize, _>>();
                let count = w.number(count.context("needs a fixed number of rows in training mode")? as f32, x)?;
                w.div(sum, count)
            };
            let own = average(w, x)?;
            let apart = w.sub(x, own)?;
            let squares = w.mul(apart, apart)?;
            let squares = average(w, squares)?;
            for (given, own) in [(mean, own), (variance, squares)] {
                let (old, new) = (w.number(share, own)?, w.number(1.0 - share, own)?);
                let (old, new) = (w.mul(given, old)?, w.mul(own, new)?);
                let mut running = w.add(old, new)?;
                for axis in (0..rank).rev().filter(|axis| *axis != 1) {
                    running = w.apply(AxisOp::Rm(axis), &[running])?;
                }
                more.push(running);
            }
            (mean, variance) = (own, squares);
        }
        let epsilon = w.number(self.epsilon, variance)?;
        let deviation = w.add(variance, epsilon)?;
        let deviation = w.element_wise(ElementWiseOp(Box::new(math::Sqrt {}), None), deviation)?;
        let slope = w.div(scale, deviation)?;
        let offset = w.mul(mean, scale)?;
        let offset = w.div(offset, deviation)?;
        let offset = w.sub(shift, offset)?;
        let y = w.mul(slope, x)?;
        let mut all = tvec!(w.add(offset, y)?);
        all.extend(more);
        all.truncate(self.outputs);
        Ok(all)
    }
}
