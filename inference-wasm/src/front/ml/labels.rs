//! Class labels: integers, or ids of strings.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::nn::Reducer;
use tract_onnx::tract_hir::internal::*;

use super::Wire;
use crate::front::attributes::Attributes;

/// Labels in the order of the classes.
#[derive(Debug, Clone)]
pub struct Labels(Tensor);

impl Labels {
    /// `classlabels_ids` (strings, see `destring`), `classlabels_int64s` or `classlabels_ints`.
    pub fn parse(node: &NodeProto) -> Result<Self, String> {
        let ids = node.ints("classlabels_ids");
        if !ids.is_empty() {
            return Ok(Labels(tensor1(&ids.iter().map(|id| *id as i32).collect::<Vec<_>>())));
        }
        match [node.ints("classlabels_int64s"), node.ints("classlabels_ints")].concat() {
            ints if ints.is_empty() => Err("needs class labels".into()),
            ints => Ok(Labels(tensor1(&ints))),
        }
    }

    /// Number of classes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Label of the greatest of each row of `scores`; the first one wins.
    pub fn greatest(&self, w: &mut Wire, scores: OutletId) -> TractResult<OutletId> {
        let winner = w.reduce(Reducer::ArgMax(false), scores)?;
        let winner = w.drop_last(winner)?;
        let labels = w.constant(self.0.clone())?;
        w.gather(labels, winner, 0)
    }

    /// The second label where `condition` (`[rows, 1]`) holds, else the first.
    pub fn either(&self, w: &mut Wire, condition: OutletId) -> TractResult<OutletId> {
        let condition = w.drop_last(condition)?;
        let first = w.constant(self.0.slice(0, 0, 1)?)?;
        let second = w.constant(self.0.slice(0, 1, 2)?)?;
        w.select(condition, second, first)
    }

    /// True for integers.
    pub fn are_integers(&self) -> bool {
        self.0.datum_type() == i64::datum_type()
    }

    /// Integers 0 and 1, which onnxruntime answers for two classes with a score each, whatever their labels.
    pub fn zero_and_one() -> Self {
        Labels(tensor1(&[0i64, 1]))
    }

    /// The labels of some classes.
    pub fn pick(&self, classes: &[usize]) -> TractResult<Self> {
        let parts = classes.iter().map(|c| self.0.slice(0, *c, c + 1)).collect::<TractResult<Vec<_>>>()?;
        Ok(Labels(Tensor::stack_tensors(0, &parts)?))
    }
}
