//! TreeEnsembleClassifier.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::labels::Labels;
use super::post_transform::PostTransform;
use super::tree_regressor::{check_targets, scores};
use super::{Operator, Wire, tree_nodes};
use crate::graph::Trees;

#[derive(Debug, Clone)]
pub struct TreeEnsembleClassifier {
    trees: Arc<Trees>,
    labels: Labels,
    kind: Kind,
    post_transform: PostTransform,
}

/// How scores become labels and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A score for each class: the greatest wins.
    Classes,
    /// One score for two classes: the second wins above 0.5 when all weights are positive (a
    /// probability: the columns are `1 - s` and `s`), else above 0 (the columns are `-s` and `s`).
    Binary { probability: bool },
    /// One score for one class: 1 above 0, else 0.
    Single,
}

impl Operator for TreeEnsembleClassifier {
    const NAME: &'static str = "TreeEnsembleClassifier";
    const OUTPUTS: usize = 2;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        let mut trees = tree_nodes::flat(node, "class")?;
        let labels = Labels::parse(node)?;
        trees.targets = labels.len();
        trees.base = tree_nodes::base(node);
        check_targets(&trees)?;
        let one_class = {
            let mut targets = trees.leaves.iter().flatten().map(|w| w.target);
            let first = targets.next();
            targets.all(|t| Some(t) == first)
        };
        let kind = match labels.len() {
            1 => Kind::Single,
            2 if one_class => {
                trees.targets = 1;
                trees.leaves.iter_mut().flatten().for_each(|w| w.target = 0);
                Kind::Binary { probability: trees.leaves.iter().flatten().all(|w| w.value >= 0.0) }
            }
            _ => Kind::Classes,
        };
        if trees.base.len() != trees.targets && !trees.base.is_empty() {
            return Err(format!("has {} base values for {} scores", trees.base.len(), trees.targets));
        }
        Ok(TreeEnsembleClassifier { trees: Arc::new(trees), labels, kind, post_transform: PostTransform::parse(node)? })
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let scores = scores(w, inputs[0], &self.trees)?;
        let scores = w.cast(scores, f32::datum_type())?;
        let (label, scores) = match self.kind {
            Kind::Classes => (self.labels.greatest(w, scores)?, self.post_transform.wire(w, scores)?),
            Kind::Binary { probability } => {
                let threshold = w.number(if probability { 0.5 } else { 0.0 }, scores)?;
                let positive = w.greater(scores, threshold)?;
                (self.labels.either(w, positive)?, self.post_transform.second_column(w, scores, probability)?)
            }
            Kind::Single => {
                ensure!(self.labels.are_integers(), "needs more than one string label");
                let threshold = w.number(0.0, scores)?;
                let positive = w.greater(scores, threshold)?;
                (Labels::zero_and_one().either(w, positive)?, self.post_transform.wire(w, scores)?)
            }
        };
        Ok(tvec!(label, scores))
    }
}
