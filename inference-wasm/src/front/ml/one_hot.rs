//! OneHotEncoder: 1 for the category that a value is, else 0; all 0 for a value of no category.
//!
//! With `zeros = 0` the specification wants an error for a value of no category. A module cannot
//! refuse one row of many, so the answer is all 0 there too.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::{Operator, Wire};
use crate::front::attributes::Attributes;

#[derive(Debug, Clone)]
pub struct OneHotEncoder {
    categories: Tensor,
}

impl Operator for OneHotEncoder {
    const NAME: &'static str = "OneHotEncoder";

    fn parse(node: &NodeProto) -> Result<Self, String> {
        let (ids, ints) = (node.ints("cats_ids"), node.ints("cats_int64s"));
        let categories = match (ids.is_empty(), ints.is_empty()) {
            (false, true) => tensor1(&ids.iter().map(|id| *id as i32).collect::<Vec<_>>()),
            (true, false) => tensor1(ints),
            _ => return Err("needs either `cats_strings` or `cats_int64s`".into()),
        };
        Ok(OneHotEncoder { categories })
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        // Numbers are compared as integers, what is behind the point is cut off (as in onnxruntime).
        let x = w.cast(inputs[0], self.categories.datum_type())?;
        Ok(tvec!(w.apply(OneHot { categories: self.categories.clone().into_arc_tensor() }, &[x])?))
    }
}

/// `[..]` to `[.., categories]`, as f32.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OneHot {
    /// One axis, of the operand's type: I32 or I64.
    pub categories: Arc<Tensor>,
}

impl OneHot {
    fn eval_t<T: Datum + PartialEq>(&self, x: &Tensor) -> TractResult<Vec<f32>> {
        let categories = self.categories.try_as_plain_ram()?;
        let (categories, x) = (categories.as_slice::<T>()?, x.try_as_plain_ram()?);
        let pairs = x.as_slice::<T>()?.iter().flat_map(|x| categories.iter().map(move |c| f32::from(x == c)));
        Ok(pairs.collect())
    }
}

impl Op for OneHot {
    fn name(&self) -> StaticName {
        "BeiraOneHot".into()
    }
    op_as_typed_op!();
}

impl EvalOp for OneHot {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let x = args_1!(inputs);
        let shape: TVec<usize> = x.shape().iter().copied().chain([self.categories.len()]).collect();
        let values = match x.datum_type() {
            DatumType::I32 => self.eval_t::<i32>(&x)?,
            _ => self.eval_t::<i64>(&x)?,
        };
        Ok(tvec!(Tensor::from_shape(&shape, &values)?.into_tvalue()))
    }
}

impl TypedOp for OneHot {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let mut shape = inputs[0].shape.to_tvec();
        shape.push(self.categories.len().to_dim());
        Ok(tvec!(f32::fact(&shape)))
    }
    as_op!();
}
