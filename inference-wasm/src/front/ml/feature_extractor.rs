//! ArrayFeatureExtractor: elements at given positions along the last axis.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::{Operator, Wire};

#[derive(Debug, Clone)]
pub struct ArrayFeatureExtractor;

impl Operator for ArrayFeatureExtractor {
    const NAME: &'static str = "ArrayFeatureExtractor";
    const INPUTS: usize = 2;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        if node.input.len() == 2 {
            Ok(ArrayFeatureExtractor)
        } else {
            Err(format!("needs two inputs, it has {}", node.input.len()))
        }
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let (data, mut positions) = (inputs[0], w.cast(inputs[1], i64::datum_type())?);
        // The positions' shape does not matter: they are taken as one list.
        while w.rank(positions)? > 1 {
            let shape = w.shape(positions)?;
            let unit = shape.iter().position(|d| d.is_one());
            let unit = unit.context("needs its positions along one axis")?;
            positions = w.apply(AxisOp::Rm(unit), &[positions])?;
        }
        if w.rank(positions)? == 0 {
            positions = w.apply(AxisOp::Add(0), &[positions])?;
        }
        let rank = w.rank(data)?;
        ensure!(rank > 0, "needs data with an axis");
        let taken = w.gather(data, positions, rank - 1)?;
        // A list of data gives one row.
        Ok(tvec!(if rank == 1 { w.apply(AxisOp::Add(0), &[taken])? } else { taken }))
    }
}
