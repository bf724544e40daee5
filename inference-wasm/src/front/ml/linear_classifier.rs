//! LinearClassifier.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::labels::Labels;
use super::post_transform::PostTransform;
use super::{Operator, Wire, linear};
use crate::front::attributes::Attributes;

#[derive(Debug, Clone)]
pub struct LinearClassifier {
    coefficients: Vec<f32>,
    intercepts: Vec<f32>,
    labels: Labels,
    models: usize,
    post_transform: PostTransform,
}

impl Operator for LinearClassifier {
    const NAME: &'static str = "LinearClassifier";
    const OUTPUTS: usize = 2;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        let coefficients = node.floats("coefficients").to_vec();
        let intercepts = node.floats("intercepts").to_vec();
        let labels = Labels::parse(node)?;
        let models = if intercepts.is_empty() { labels.len() } else { intercepts.len() };
        if coefficients.is_empty() || !coefficients.len().is_multiple_of(models) {
            return Err(format!("has {} coefficients for {models} models", coefficients.len()));
        }
        if labels.len() != models.max(2) {
            return Err(format!("has {} class labels for {models} models", labels.len()));
        }
        Ok(LinearClassifier { coefficients, intercepts, labels, models, post_transform: PostTransform::parse(node)? })
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let scores = linear::scores(w, inputs[0], &self.coefficients, &self.intercepts, self.models)?;
        if self.models > 1 {
            let label = self.labels.greatest(w, scores)?;
            return Ok(tvec!(label, self.post_transform.wire(w, scores)?));
        }
        // One score: the second label where it is above 0.
        let zero = w.number(0.0, scores)?;
        let positive = w.greater(scores, zero)?;
        let label = self.labels.either(w, positive)?;
        Ok(tvec!(label, self.post_transform.second_column(w, scores, true)?))
    }
}
