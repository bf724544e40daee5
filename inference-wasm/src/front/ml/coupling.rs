//! Pairwise coupling as an operator of tract.

use tract_onnx::tract_hir::internal::*;

use crate::graph::eval_coupling::couple;

/// `[rows, k, k]` to `[rows, 2, k]`, each row as [`crate::graph::Op::Coupling`] says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Coupling;

impl Op for Coupling {
    fn name(&self) -> StaticName {
        "BeiraCoupling".into()
    }
    op_as_typed_op!();
}

impl EvalOp for Coupling {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let q = args_1!(inputs);
        let (rows, k) = (q.shape()[0], q.shape()[1]);
        let view = q.try_as_plain_ram()?;
        let values: Vec<f32> = view.as_slice::<f32>()?.chunks_exact(k * k).flat_map(|q| couple(q, k)).collect();
        Ok(tvec!(Tensor::from_shape(&[rows, 2, k], &values)?.into_tvalue()))
    }
}

impl TypedOp for Coupling {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let shape = &inputs[0].shape;
        ensure!(shape.rank() == 3 && shape[1] == shape[2], "coupling needs [rows, classes, classes]");
        Ok(tvec!(f32::datum_type().fact(&[shape[0].clone(), 2.to_dim(), shape[2].clone()])))
    }
    as_op!();
}
