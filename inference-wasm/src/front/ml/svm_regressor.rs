//! SVMRegressor.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::post_transform::PostTransform;
use super::svm::Kernel;
use super::{Operator, Wire, linear};
use crate::front::attributes::Attributes;

#[derive(Debug, Clone)]
pub struct SVMRegressor {
    kernel: Kernel,
    /// Support vectors; without any, the coefficients are those of a linear model.
    vectors: Vec<f32>,
    supports: usize,
    coefficients: Vec<f32>,
    rho: f32,
    /// Answers 1 for a row like the others and -1 for an outlier.
    one_class: bool,
    post_transform: PostTransform,
}

impl Operator for SVMRegressor {
    const NAME: &'static str = "SVMRegressor";

    fn parse(node: &NodeProto) -> Result<Self, String> {
        let supports = usize::try_from(node.int("n_supports", 0)).map_err(|_| "has a negative `n_supports`")?;
        let coefficients = node.floats("coefficients").to_vec();
        let vectors = node.floats("support_vectors").to_vec();
        if supports > 0
            && (coefficients.len() != supports || vectors.is_empty() || !vectors.len().is_multiple_of(supports))
        {
            return Err(format!(
                "has {} coefficients and {} numbers of support vectors for {supports} support vectors",
                coefficients.len(),
                vectors.len()
            ));
        }
        Ok(SVMRegressor {
            kernel: Kernel::parse(node)?,
            vectors,
            supports,
            coefficients,
            rho: *node.floats("rho").first().ok_or("needs `rho`")?,
            one_class: node.int("one_class", 0) != 0,
            post_transform: PostTransform::parse(node)?,
        })
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let mut x = linear::features(w, inputs[0])?;
        if self.supports > 0 {
            x = self.kernel.wire(w, x, &self.vectors, self.supports)?;
        }
        let sum = linear::product(w, x, &self.coefficients, 1)?;
        let rho = w.number(self.rho, sum)?;
        let score = w.add(sum, rho)?;
        if self.one_class {
            let zero = w.number(0.0, score)?;
            let inside = w.greater(score, zero)?;
            let (one, other) = (w.number(1.0, score)?, w.number(-1.0, score)?);
            return Ok(tvec!(w.select(inside, one, other)?));
        }
        Ok(tvec!(self.post_transform.wire(w, score)?))
    }
}
