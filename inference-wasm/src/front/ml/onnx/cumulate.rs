//! CumProd: running products. tract has running sums alone.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::super::{Operator, Wire};
use crate::front::attributes::Attributes;

#[derive(Debug, Clone)]
pub struct CumProd {
    reverse: bool,
    exclusive: bool,
}

impl Operator for CumProd {
    const NAME: &'static str = "CumProd";
    const INPUTS: usize = 2;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        Ok(CumProd { reverse: node.int("reverse", 0) != 0, exclusive: node.int("exclusive", 0) != 0 })
    }

    fn values(&self) -> Vec<usize> {
        vec![1]
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let axis = w.integers(inputs[1])?.first().copied().context("needs an axis")?;
        let axis = w.axis(inputs[0], axis)?;
        Ok(tvec!(w.apply(Products { axis, reverse: self.reverse, exclusive: self.exclusive }, &[inputs[0]])?))
    }
}

/// Running products along an axis.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Products {
    /// The axis.
    pub axis: usize,
    /// From the end.
    pub reverse: bool,
    /// Without the element itself.
    pub exclusive: bool,
}

impl Products {
    fn eval_t<T: Datum + Copy>(&self, x: &Tensor, one: T, mul: impl Fn(T, T) -> T) -> TractResult<Tensor> {
        let (n, inner) = (x.shape()[self.axis], x.shape()[self.axis + 1..].iter().product::<usize>());
        let outer: usize = x.shape()[..self.axis].iter().product();
        let view = x.try_as_plain_ram()?;
        let from = view.as_slice::<T>()?;
        let mut to = from.to_vec();
        for line in 0..outer * inner {
            let (o, i) = (line / inner, line % inner);
            let mut product = one;
            for step in 0..n {
                let at = (o * n + if self.reverse { n - 1 - step } else { step }) * inner + i;
                let next = mul(product, from[at]);
                to[at] = if self.exclusive { product } else { next };
                product = next;
            }
        }
        Tensor::from_shape(x.shape(), &to)
    }
}

impl Op for Products {
    fn name(&self) -> StaticName {
        "BeiraProducts".into()
    }
    op_as_typed_op!();
}

impl EvalOp for Products {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let x = args_1!(inputs);
        let y = match x.datum_type() {
            DatumType::F32 => self.eval_t(&x, 1f32, |a, b| a * b)?,
            DatumType::F64 => self.eval_t(&x, 1f64, |a, b| a * b)?,
            DatumType::I32 => self.eval_t(&x, 1i32, i32::wrapping_mul)?,
            DatumType::I64 => self.eval_t(&x, 1i64, i64::wrapping_mul)?,
            other => bail!("running products of {other:?} are not evaluated"),
        };
        Ok(tvec!(y.into_tvalue()))
    }
}

impl TypedOp for Products {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(inputs[0].without_value()))
    }
    as_op!();
}
