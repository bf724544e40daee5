//! LinearRegressor.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::post_transform::PostTransform;
use super::{Operator, Wire, linear};
use crate::front::attributes::Attributes;

#[derive(Debug, Clone)]
pub struct LinearRegressor {
    coefficients: Vec<f32>,
    intercepts: Vec<f32>,
    targets: usize,
    post_transform: PostTransform,
}

impl Operator for LinearRegressor {
    const NAME: &'static str = "LinearRegressor";

    fn parse(node: &NodeProto) -> Result<Self, String> {
        let coefficients = node.floats("coefficients").to_vec();
        let intercepts = node.floats("intercepts").to_vec();
        let targets = usize::try_from(node.int("targets", 1)).unwrap_or(0);
        if targets == 0 || coefficients.is_empty() || !coefficients.len().is_multiple_of(targets) {
            return Err(format!("has {} coefficients for {targets} targets", coefficients.len()));
        }
        if !intercepts.is_empty() && intercepts.len() != targets {
            return Err(format!("has {} intercepts for {targets} targets", intercepts.len()));
        }
        Ok(LinearRegressor { coefficients, intercepts, targets, post_transform: PostTransform::parse(node)? })
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let scores = linear::scores(w, inputs[0], &self.coefficients, &self.intercepts, self.targets)?;
        Ok(tvec!(self.post_transform.wire(w, scores)?))
    }
}
