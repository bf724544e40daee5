//! LpPool: the p-norm of each window.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::cnn::SumPool;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_hir::internal::*;

use super::super::{Operator, Wire};
use super::windows::Windows;
use crate::front::attributes::Attributes;

#[derive(Debug, Clone)]
pub struct LpPool {
    p: i64,
    windows: Windows,
}

impl Operator for LpPool {
    const NAME: &'static str = "LpPool";

    fn parse(node: &NodeProto) -> Result<Self, String> {
        let p = node.find("p").map_or(2, |a| if a.i == 0 { a.f as i64 } else { a.i }); // a float before version 2
        if p < 1 {
            return Err("needs a `p` of 1 or more".into());
        }
        Ok(LpPool { p, windows: Windows::parse(node)? })
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let x = inputs[0];
        ensure!(w.rank(x)? > 2, "needs an image");
        let channels = w.shape(x)?[1].to_usize().context("needs a fixed number of channels")?;
        let pool_spec = self.windows.spec(None, (channels, channels))?;
        ensure!(w.rank(x)? == pool_spec.rank() + 2, "needs an image with as many axes as its windows have");
        let size = w.element_wise(ElementWiseOp(Box::new(math::Abs {}), None), x)?;
        let powers = match self.p {
            1 => size,
            2 => w.mul(size, size)?,
            p => {
                let p = w.number(p as f32, x)?;
                w.binary(Box::new(math::Pow), size, p)?
            }
        };
        let sums = w.apply(SumPool { pool_spec, count_include_pad: true, normalize: false }, &[powers])?;
        Ok(tvec!(match self.p {
            1 => sums,
            2 => w.element_wise(ElementWiseOp(Box::new(math::Sqrt {}), None), sums)?,
            p => {
                let root = w.number(1.0 / p as f32, sums)?;
                w.binary(Box::new(math::Pow), sums, root)?
            }
        }))
    }
}
