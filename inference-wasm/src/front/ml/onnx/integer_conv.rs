//! ConvInteger and QLinearConv: the zero points taken off first, the sums exact in i32.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat};
use tract_onnx::tract_hir::internal::*;

use super::super::quantize::{beside, centred, quantized};
use super::super::{Operator, Wire};
use super::windows::Windows;
use crate::front::attributes::Attributes;

/// A convolution of i32.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole(pub Conv);

impl Op for Whole {
    fn name(&self) -> StaticName {
        "BeiraWholeConv".into()
    }
    op_as_typed_op!();
}

impl EvalOp for Whole {
    op_out_of_plan!();

    /// In f64, which holds every sum exactly that i32 holds.
    fn eval(&self, context: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let wide = |x: TValue| Ok(x.cast_to::<f64>()?.into_owned().into_tvalue());
        let inputs = inputs.into_iter().map(wide).collect::<TractResult<TVec<_>>>()?;
        let sums = self.0.eval(context, inputs)?;
        sums.into_iter().map(|x| Ok(x.cast_to::<i32>()?.into_owned().into_tvalue())).collect()
    }
}

impl TypedOp for Whole {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let wide: Vec<TypedFact> = inputs.iter().map(|fact| f64::fact(&*fact.shape)).collect();
        let facts = self.0.output_facts(&wide.iter().collect::<Vec<_>>())?;
        Ok(facts.into_iter().map(|fact| i32::fact(&*fact.shape)).collect())
    }
    as_op!();
}

#[derive(Debug, Clone)]
struct Shape {
    windows: Windows,
    group: usize,
}

impl Shape {
    fn parse(node: &NodeProto) -> Result<Shape, String> {
        let group = usize::try_from(node.int("group", 1)).ok().filter(|g| *g > 0).ok_or("needs a positive `group`")?;
        Ok(Shape { windows: Windows::parse(node)?, group })
    }

    /// The sums, as i32.
    fn sums(
        &self,
        w: &mut Wire,
        (x, x_zero): (OutletId, Option<OutletId>),
        (kernel, kernel_zero): (OutletId, Option<OutletId>),
        bias: Option<OutletId>,
    ) -> TractResult<OutletId> {
        let x = centred(w, (x, x_zero), 1)?;
        let kernel = centred(w, (kernel, kernel_zero), 0)?;
        ensure!(w.rank(x)? > 2 && w.rank(x)? == w.rank(kernel)?, "needs an image and a kernel of as many axes");
        let sizes = w.shape(kernel)?.iter().map(|d| d.to_usize()).collect::<Result<Vec<_>, _>>();
        let sizes = sizes.context("needs a kernel of fixed size")?;
        let pool_spec = self.windows.spec(Some(&sizes[2..]), (sizes[1] * self.group, sizes[0]))?;
        ensure!(sizes[0] % self.group == 0, "has a number of channels that its `group` does not divide");
        let bias = match bias {
            Some(bias) => w.cast(bias, i32::datum_type())?,
            None => w.constant(tensor1(&vec![0i32; sizes[0]]))?,
        };
        let conv = Conv { pool_spec, kernel_fmt: KernelFormat::OIHW, group: self.group, q_params: None };
        w.apply(Whole(conv), &[x, kernel, bias])
    }
}

#[derive(Debug, Clone)]
pub struct ConvInteger(Shape);

impl Operator for ConvInteger {
    const NAME: &'static str = "ConvInteger";
    const INPUTS: usize = 2;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        if node.input.get(2).is_some_and(String::is_empty) && node.input.len() > 3 {
            return Err("has a zero point for its kernel alone".into());
        }
        Shape::parse(node).map(ConvInteger)
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let (x, kernel) = ((inputs[0], inputs.get(2).copied()), (inputs[1], inputs.get(3).copied()));
        Ok(tvec!(self.0.sums(w, x, kernel, None)?))
    }
}

#[derive(Debug, Clone)]
pub struct QLinearConv(Shape);

impl Operator for QLinearConv {
    const NAME: &'static str = "QLinearConv";
    const INPUTS: usize = 8;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        Shape::parse(node).map(QLinearConv)
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let [x, x_scale, x_zero, kernel, kernel_scale, kernel_zero, y_scale, y_zero, ..] = inputs[..] else {
            bail!("needs 8 inputs")
        };
        let bias = inputs.get(8).copied();
        let sums = self.0.sums(w, (x, Some(x_zero)), (kernel, Some(kernel_zero)), bias)?;
        let sums = w.cast(sums, f32::datum_type())?;
        let scale = |w: &mut Wire, x: OutletId| beside(w, x, sums, 1);
        let (x_scale, kernel_scale, y_scale) = (scale(w, x_scale)?, scale(w, kernel_scale)?, scale(w, y_scale)?);
        let factor = w.mul(x_scale, kernel_scale)?;
        let factor = w.div(factor, y_scale)?;
        let y = w.mul(sums, factor)?;
        let zero = beside(w, y_zero, sums, 1)?;
        Ok(tvec!(quantized(w, y, Some(zero), w.ty(y_zero)?)?))
    }
}
