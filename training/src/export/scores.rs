//! From features to scores: a linear regressor or a tree ensemble.

use hessboost::model::BoostedModel;

use super::graph::{Builder, ML, Name, attribute};
use crate::learner::Scores;

/// `[N, outputs]`.
pub(super) fn scores(graph: &mut Builder, features: Name, scores: &Scores, width: usize) -> Name {
    match scores {
        Scores::Linear { weights, intercepts } => {
            debug_assert_eq!(weights.len(), width * intercepts.len());
            let attributes = vec![
                attribute("coefficients", weights.clone()),
                attribute("intercepts", intercepts.clone()),
                attribute("targets", intercepts.len() as i64),
            ];
            graph.node(ML, "LinearRegressor", &[&features], attributes)
        }
        Scores::Trees(model) => trees(graph, features, model),
    }
}

/// The lists that ONNX spells a forest in.
#[derive(Default)]
struct Forest {
    tree: Vec<i64>,
    node: Vec<i64>,
    feature: Vec<i64>,
    threshold: Vec<f32>,
    mode: Vec<String>,
    yes: Vec<i64>,
    no: Vec<i64>,
    missing_yes: Vec<i64>,
    leaf_tree: Vec<i64>,
    leaf_node: Vec<i64>,
    leaf_target: Vec<i64>,
    leaf_weight: Vec<f32>,
}

/// The trees up to the best round. hessboost goes left when `x < threshold` in f32, which is ONNX's
/// `BRANCH_LT`; a missing value follows the node's default.
fn trees(graph: &mut Builder, features: Name, model: &BoostedModel) -> Name {
    let rounds = model.best_iteration().map_or(model.num_boost_rounds(), |best| best + 1);
    let count = rounds * model.trees_per_iteration();
    let mut forest = Forest::default();
    let outputs = model.tree_outputs().map(|outputs| outputs.start as i64);
    for (tree, ((grown, weight), output)) in
        model.trees().iter().zip(model.tree_weights()).zip(outputs).take(count).enumerate()
    {
        for (node, split) in grown.nodes().iter().enumerate() {
            let leaf = split.is_leaf();
            forest.tree.push(tree as i64);
            forest.node.push(node as i64);
            forest.feature.push(if leaf { 0 } else { i64::from(split.split_feature) });
            forest.threshold.push(if leaf { 0.0 } else { split.split_cond });
            forest.mode.push(if leaf { "LEAF" } else { "BRANCH_LT" }.to_owned());
            forest.yes.push(if leaf { 0 } else { i64::from(split.left) });
            forest.no.push(if leaf { 0 } else { i64::from(split.right) });
            forest.missing_yes.push(i64::from(!leaf && split.default_left));
            if leaf {
                forest.leaf_tree.push(tree as i64);
                forest.leaf_node.push(node as i64);
                forest.leaf_target.push(output);
                forest.leaf_weight.push(split.leaf_value * weight);
            }
        }
    }
    let attributes = vec![
        attribute("n_targets", model.n_outputs() as i64),
        attribute("base_values", model.base_scores().to_vec()),
        attribute("nodes_treeids", forest.tree),
        attribute("nodes_nodeids", forest.node),
        attribute("nodes_featureids", forest.feature),
        attribute("nodes_values", forest.threshold),
        attribute("nodes_modes", forest.mode),
        attribute("nodes_truenodeids", forest.yes),
        attribute("nodes_falsenodeids", forest.no),
        attribute("nodes_missing_value_tracks_true", forest.missing_yes),
        attribute("target_treeids", forest.leaf_tree),
        attribute("target_nodeids", forest.leaf_node),
        attribute("target_ids", forest.leaf_target),
        attribute("target_weights", forest.leaf_weight),
    ];
    graph.node(ML, "TreeEnsembleRegressor", &[&features], attributes)
}
