//! TreeEnsembleRegressor, and TreeEnsemble, its successor.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::Reducer;
use tract_onnx::tract_hir::internal::*;

use super::post_transform::PostTransform;
use super::tree_nodes::Member;
use super::trees::Forest;
use super::{Operator, Wire, tree_nodes};
use crate::front::attributes::Attributes;
use crate::graph::Trees;

#[derive(Debug, Clone)]
pub struct TreeEnsembleRegressor {
    trees: Arc<Trees>,
    post_transform: PostTransform,
}

impl Operator for TreeEnsembleRegressor {
    const NAME: &'static str = "TreeEnsembleRegressor";

    fn parse(node: &NodeProto) -> Result<Self, String> {
        let mut trees = tree_nodes::flat(node, "target")?;
        trees.aggregate = tree_nodes::aggregate(node)?;
        trees.targets = targets(node)?;
        trees.base = tree_nodes::base(node);
        if !trees.base.is_empty() && trees.base.len() != trees.targets {
            return Err(format!("has {} base values for {} targets", trees.base.len(), trees.targets));
        }
        check_targets(&trees)?;
        Ok(TreeEnsembleRegressor { trees: Arc::new(trees), post_transform: PostTransform::parse(node)? })
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let scores = scores(w, inputs[0], &self.trees)?;
        let scores = w.cast(scores, f32::datum_type())?;
        Ok(tvec!(self.post_transform.wire(w, scores)?))
    }
}

#[derive(Debug, Clone)]
pub struct TreeEnsemble {
    trees: Arc<Trees>,
    members: Vec<Member>,
    post_transform: PostTransform,
}

impl Operator for TreeEnsemble {
    const NAME: &'static str = "TreeEnsemble";

    fn parse(node: &NodeProto) -> Result<Self, String> {
        use crate::graph::Aggregate::*;
        let (mut trees, members) = tree_nodes::rooted(node)?;
        trees.targets = targets(node)?;
        trees.aggregate = match node.int("aggregate_function", 1) {
            0 => Average,
            1 => Sum,
            2 => Min,
            3 => Max,
            _ => return Err("needs an `aggregate_function` of 0 to 3".into()),
        };
        check_targets(&trees)?;
        let post_transform = PostTransform::numbered(node.int("post_transform", 0))?;
        Ok(TreeEnsemble { trees: Arc::new(trees), members, post_transform })
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let ty = w.ty(inputs[0])?;
        let (x, trees) = asked(w, inputs[0], &self.trees, &self.members)?;
        let scores = scores(w, x, &trees)?;
        let scores = self.post_transform.wire(w, scores)?;
        Ok(tvec!(w.cast(scores, ty)?))
    }
}

/// The features with one more for each question about a set: 1 for a member, else 0.
fn asked(w: &mut Wire, x: OutletId, trees: &Arc<Trees>, members: &[Member]) -> TractResult<(OutletId, Arc<Trees>)> {
    if members.is_empty() {
        return Ok((x, trees.clone()));
    }
    let x = w.matrix(x)?;
    let (features, ty) = (w.columns(x)?, w.ty(x)?);
    let mut trees = Trees::clone(trees);
    let mut parts = vec![x];
    for (n, member) in members.iter().enumerate() {
        let feature = member.feature as usize;
        ensure!(feature < features, "asks for feature {feature}, its input has {features}");
        trees.nodes[member.node].feature = (features + n) as u32;
        let one = w.slice(x, feature..feature + 1)?;
        let set = tensor1(&member.values).cast_to_dt(ty)?.into_owned().into_shape(&[1, member.values.len()])?;
        let set = w.constant(set)?;
        let hits = w.equal(one, set)?;
        let hits = w.cast(hits, ty)?;
        let mut hit = w.reduce(Reducer::Max, hits)?;
        if member.missing && ty.is_float() {
            let missing = w.differ(one, one)?;
            let missing = w.cast(missing, ty)?;
            hit = w.binary(Box::new(math::Max), hit, missing)?;
        }
        parts.push(hit);
    }
    Ok((w.concat(&parts)?, Arc::new(trees)))
}

/// Runs the forest; doubles are compared as doubles, everything else as f32.
pub fn scores(w: &mut Wire, x: OutletId, trees: &Arc<Trees>) -> TractResult<OutletId> {
    let x = w.matrix(x)?;
    let mut trees = Trees::clone(trees);
    trees.double |= w.ty(x)? == f64::datum_type();
    let x = w.cast(x, if trees.double { f64::datum_type() } else { f32::datum_type() })?;
    trees.features = w.columns(x)?;
    if let Some(split) = trees.nodes.iter().find(|s| s.feature as usize >= trees.features) {
        bail!("asks for feature {}, its input has {}", split.feature, trees.features);
    }
    w.apply(Forest(Arc::new(trees)), &[x])
}

/// Every leaf's target exists.
pub fn check_targets(trees: &Trees) -> Result<(), String> {
    match trees.leaves.iter().flatten().find(|w| w.target as usize >= trees.targets) {
        Some(weight) => Err(format!("has a weight for target {}, there are {}", weight.target, trees.targets)),
        None => Ok(()),
    }
}

/// Most targets: there is code for each.
const TARGETS_MAX: usize = 1 << 14;

fn targets(node: &NodeProto) -> Result<usize, String> {
    usize::try_from(node.int("n_targets", 1))
        .ok()
        .filter(|n| (1..=TARGETS_MAX).contains(n))
        .ok_or(format!("needs `n_targets` from 1 to {TARGETS_MAX}"))
}
