//! CausalConvWithState: each channel's convolution over what came before, and the last elements for the next call.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::array::{Pad, PadMode, Slice, TypedConcat};
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat, PaddingSpec, PoolSpec};
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::nn::{DataFormat, Sigmoid};
use tract_onnx::tract_hir::internal::*;

use super::super::{Operator, Wire};
use crate::front::attributes::Attributes;

#[derive(Debug, Clone)]
pub struct CausalConvWithState {
    gated: bool,
    /// Whether there is a bias, and a past.
    inputs: (bool, bool),
    /// Which of the results are asked for.
    asked: [bool; 2],
}

impl Operator for CausalConvWithState {
    const NAME: &'static str = "CausalConvWithState";
    const INPUTS: usize = 2;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        let gated = match &*node.word("activation", "none") {
            "none" => false,
            "silu" | "swish" => true,
            other => return Err(format!("has the unknown activation {other:?}")),
        };
        let is = |list: &[String], n: usize| list.get(n).is_some_and(|name| !name.is_empty());
        let inputs = (is(&node.input, 2), is(&node.input, 3));
        Ok(CausalConvWithState { gated, inputs, asked: [0, 1].map(|n| is(&node.output, n)) })
    }

    fn outputs(&self) -> usize {
        self.asked.iter().filter(|asked| **asked).count()
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let (x, kernel) = (inputs[0], inputs[1]);
        ensure!(w.rank(x)? == 3 && w.rank(kernel)? == 3, "needs an input and a kernel with three axes");
        let size = |w: &Wire, x: OutletId, axis: usize| w.shape(x)?[axis].to_usize().context("needs fixed sizes");
        let (channels, length, k) = (size(w, x, 1)?, size(w, x, 2)?, size(w, kernel, 2)?);
        let one_each = size(w, kernel, 0)? == channels && size(w, kernel, 1)? == 1;
        ensure!(k > 0 && one_each, "needs a kernel for each channel");
        let ty = w.ty(x)?;
        let whole = match self.inputs {
            (bias, true) => w.apply(TypedConcat { axis: 2 }, &[inputs[2 + usize::from(bias)], x])?,
            _ => {
                let zero = PadMode::Constant(Tensor::zero_dt(ty, &[])?.into_arc_tensor());
                w.apply(Pad { pads: vec![(0, 0), (0, 0), (k - 1, 0)], mode: zero }, &[x])?
            }
        };
        let bias = match self.inputs.0 {
            true => inputs[2],
            false => w.constant(Tensor::zero_dt(ty, &[channels])?)?,
        };
        let pool_spec = PoolSpec::new(DataFormat::NCHW, tvec!(k), PaddingSpec::Valid, None, None, channels, channels);
        let conv = Conv { pool_spec, kernel_fmt: KernelFormat::OIHW, group: channels, q_params: None };
        let mut y = w.apply(conv, &[whole, kernel, bias])?;
        if self.gated {
            let gate = w.element_wise(ElementWiseOp(Box::new(Sigmoid {}), None), y)?;
            y = w.mul(y, gate)?;
        }
        let state = w.apply(Slice::new(2, length, length + k - 1), &[whole])?;
        let all = [y, state].into_iter().zip(self.asked);
        Ok(all.filter(|(_, asked)| *asked).map(|(made, _)| made).collect())
    }
}
