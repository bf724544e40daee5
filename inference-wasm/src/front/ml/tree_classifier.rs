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

/// How scores become labels and columns; each kind is onnxruntime's, found by comparing answers.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// A score for each of three classes or more: the greatest of those that some leaf mentions wins.
    Classes { mentioned: Vec<usize> },
    /// Two classes, leaves mention the first alone: its score `s` speaks for the second. That one wins above 0.5 when all
    /// weights are positive (a probability: the columns are `1 - s` and `s`), else above 0 (the columns are `-s` and `s`).
    First { probability: bool },
    /// Two classes, leaves mention the second alone: the same, but the columns are 0 and `s`.
    Second { probability: bool },
    /// Two classes with a score each: the second wins above 0; integer labels are 1 and 0.
    Both,
    /// One class: the label is 1 above 0, else 0.
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
        let mut mentioned: Vec<usize> = trees.leaves.iter().flatten().map(|w| w.target as usize).collect();
        mentioned.sort_unstable();
        mentioned.dedup();
        let probability = trees.leaves.iter().flatten().all(|w| w.value >= 0.0);
        let kind = match (labels.len(), &mentioned[..]) {
            (1, _) => Kind::Single,
            (2, [0]) => Kind::First { probability },
            (2, [1]) => Kind::Second { probability },
            (2, _) => Kind::Both,
            (n, _) if trees.base.is_empty() => {
                Kind::Classes { mentioned: if mentioned.is_empty() { (0..n).collect() } else { mentioned } }
            }
            (n, _) => Kind::Classes { mentioned: (0..n).collect() },
        };
        match (&kind, trees.base.len()) {
            (_, 0) | (Kind::Single, 1) => {}
            (Kind::First { .. }, 1) => trees.targets = 1,
            // One base value for two classes is the first one's (as in onnxruntime).
            (Kind::Second { .. }, 1) => trees.base.clear(),
            (Kind::Both, 1) => trees.base.push(0.0),
            (Kind::Classes { .. }, n) if n == labels.len() => {}
            (_, n) => return Err(format!("has {n} base values for {} classes; two classes take one", labels.len())),
        }
        if matches!(kind, Kind::First { .. }) {
            trees.targets = 1;
        }
        Ok(TreeEnsembleClassifier { trees: Arc::new(trees), labels, kind, post_transform: PostTransform::parse(node)? })
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let scores = scores(w, inputs[0], &self.trees)?;
        let scores = w.cast(scores, f32::datum_type())?;
        let label = self.label(w, scores)?;
        let columns = match self.kind {
            Kind::First { probability } => self.post_transform.second_column(w, scores, probability)?,
            _ => self.post_transform.wire(w, scores)?,
        };
        Ok(tvec!(label, columns))
    }
}

impl TreeEnsembleClassifier {
    fn label(&self, w: &mut Wire, scores: OutletId) -> TractResult<OutletId> {
        let (column, threshold) = match &self.kind {
            Kind::Classes { mentioned } if mentioned.len() == self.labels.len() => {
                return self.labels.greatest(w, scores);
            }
            Kind::Classes { mentioned } => {
                let positions = w.constant(tensor1(&mentioned.iter().map(|c| *c as i64).collect::<Vec<_>>()))?;
                let scores = w.gather(scores, positions, 1)?;
                return self.labels.pick(mentioned)?.greatest(w, scores);
            }
            Kind::First { probability } => (0, if *probability { 0.5 } else { 0.0 }),
            Kind::Second { probability } => (1, if *probability { 0.5 } else { 0.0 }),
            Kind::Both => (1, 0.0),
            Kind::Single => (0, 0.0),
        };
        let position = w.constant(tensor1(&[column as i64]))?;
        let score = w.gather(scores, position, 1)?;
        let threshold = w.number(threshold, score)?;
        let positive = w.greater(score, threshold)?;
        match self.kind {
            Kind::Single => {
                ensure!(self.labels.are_integers(), "needs more than one string label");
                Labels::zero_and_one().either(w, positive)
            }
            Kind::Both if self.labels.are_integers() => Labels::zero_and_one().either(w, positive),
            _ => self.labels.either(w, positive),
        }
    }
}
