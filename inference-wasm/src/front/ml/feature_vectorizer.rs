//! FeatureVectorizer: inputs side by side, as f32.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::{Operator, Wire};
use crate::front::attributes::Attributes;

#[derive(Debug, Clone)]
pub struct FeatureVectorizer {
    widths: Vec<i64>,
}

impl Operator for FeatureVectorizer {
    const NAME: &'static str = "FeatureVectorizer";

    fn parse(node: &NodeProto) -> Result<Self, String> {
        let widths = node.ints("inputdimensions").to_vec();
        if widths.len() == node.input.len() && !widths.is_empty() {
            Ok(FeatureVectorizer { widths })
        } else {
            Err(format!("needs one of `inputdimensions` for each input, it has {}", widths.len()))
        }
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let mut parts = TVec::new();
        for (input, width) in inputs.iter().zip(&self.widths) {
            let part = w.matrix(*input)?;
            let columns = w.columns(part)? as i64;
            ensure!(columns == *width, "says {width} features where an input has {columns}");
            parts.push(w.cast(part, f32::datum_type())?);
        }
        Ok(tvec!(w.concat(&parts)?))
    }
}
