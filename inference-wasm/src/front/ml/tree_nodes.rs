//! Reads a forest from the flat lists of TreeEnsembleClassifier, TreeEnsembleRegressor and TreeEnsemble.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::NodeProto;

use crate::front::attributes::{Attributes, doubles, integers};
use crate::graph::{Aggregate, Child, Mode, Split, Trees, Weight};

/// The mode in TreeEnsemble that asks for membership in a set.
const MEMBER: i64 = 6;

/// A forest of TreeEnsembleClassifier (`prefix` "class") or TreeEnsembleRegressor ("target").
/// `features` and `targets` are left 0.
pub fn flat(node: &NodeProto, prefix: &str) -> Result<Trees, String> {
    let trees = node.ints("nodes_treeids");
    let ids = node.ints("nodes_nodeids");
    let features = node.ints("nodes_featureids");
    let yes = node.ints("nodes_truenodeids");
    let no = node.ints("nodes_falsenodeids");
    let modes = node.strings("nodes_modes");
    let (thresholds, double) = numbers(node, "nodes_values");
    let n = trees.len();
    let lists = [ids.len(), features.len(), yes.len(), no.len(), modes.len(), thresholds.len()];
    if n == 0 || lists.iter().any(|l| *l != n) {
        return Err(format!("needs `nodes_…` lists of one length, they have {n} and {lists:?}"));
    }
    let missing = flags(node, n)?;

    let mut at: HashMap<(i64, i64), usize> = HashMap::new();
    for (i, key) in trees.iter().copied().zip(ids.iter().copied()).enumerate() {
        if at.insert(key, i).is_some() {
            return Err(format!("lists node {} of tree {} twice", key.1, key.0));
        }
    }
    let mut forest = Trees { double, ..Trees::default() };
    let mut places = Vec::with_capacity(n);
    let (mut inner, mut leaf) = (0, 0);
    for mode in modes {
        places.push(if mode == b"LEAF" {
            leaf += 1;
            Child::Leaf(leaf - 1)
        } else {
            inner += 1;
            Child::Node(inner - 1)
        });
    }
    let mut parents = vec![0u32; n];
    for i in 0..n {
        if modes[i] == b"LEAF" {
            continue;
        }
        let mut child = |id: i64| {
            let child =
                *at.get(&(trees[i], id)).ok_or(format!("node {} of tree {} has no child {id}", ids[i], trees[i]))?;
            parents[child] += 1;
            Ok::<_, String>(places[child])
        };
        forest.nodes.push(Split {
            feature: u32::try_from(features[i]).map_err(|_| "has a negative feature number")?,
            mode: mode(&modes[i])?,
            threshold: thresholds[i],
            missing_yes: missing[i],
            yes: child(yes[i])?,
            no: child(no[i])?,
        });
    }
    if let Some(i) = parents.iter().position(|p| *p > 1) {
        return Err(format!("node {} of tree {} is the child of two nodes", ids[i], trees[i]));
    }
    // Without a second parent, whatever hangs below a root is a tree, and circles hang below none.
    forest.roots = (0..n).filter(|i| parents[*i] == 0).map(|i| places[i]).collect();
    forest.leaves = vec![Vec::new(); leaf as usize];
    weights(node, prefix, &at, &places, &mut forest)?;
    by_depth(&mut forest);
    Ok(forest)
}

/// A node of TreeEnsemble that asks whether its feature is one of a set.
#[derive(Debug, Clone)]
pub struct Member {
    /// Index among the forest's nodes, whose question becomes whether a further feature is 1.
    pub node: usize,
    /// The feature asked about.
    pub feature: u32,
    /// The set.
    pub values: Vec<f64>,
    /// Whether a missing value counts as one of it.
    pub missing: bool,
}

/// A forest of TreeEnsemble (ai.onnx.ml 5), and its questions about sets.
pub fn rooted(node: &NodeProto) -> Result<(Trees, Vec<Member>), String> {
    let features = node.ints("nodes_featureids");
    let (yes, no) = (node.ints("nodes_truenodeids"), node.ints("nodes_falsenodeids"));
    let (yes_leaf, no_leaf) = (node.ints("nodes_trueleafs"), node.ints("nodes_falseleafs"));
    let modes = node.tensor("nodes_modes").map(integers).unwrap_or_default();
    let splits = node.tensor("nodes_splits").ok_or("needs `nodes_splits`")?;
    let thresholds = doubles(splits);
    let (targets, leaf_weights) =
        (node.ints("leaf_targetids"), node.tensor("leaf_weights").map(doubles).unwrap_or_default());
    let n = features.len();
    let lists = [yes.len(), no.len(), yes_leaf.len(), no_leaf.len(), modes.len(), thresholds.len()];
    if lists.iter().any(|l| *l != n) {
        return Err(format!("needs `nodes_…` lists of one length, they have {n} and {lists:?}"));
    }
    if targets.len() != leaf_weights.len() {
        return Err("needs as many `leaf_targetids` as `leaf_weights`".into());
    }
    let missing = flags(node, n)?;
    let mut parents = vec![0u32; n];
    let mut child = |is_leaf: i64, id: i64| {
        let limit = if is_leaf != 0 { targets.len() } else { n };
        let at =
            usize::try_from(id).ok().filter(|at| *at < limit).ok_or(format!("has a child {id} that does not exist"))?;
        if is_leaf != 0 {
            return Ok::<_, String>(Child::Leaf(at as u32));
        }
        parents[at] += 1;
        Ok(Child::Node(at as u32))
    };
    let mut forest = Trees { double: splits.data_type == 11, ..Trees::default() };
    // The sets stand one after the other, a NaN behind each.
    let listed = node.tensor("membership_values").map(doubles).unwrap_or_default();
    let mut sets = listed.split(|v| v.is_nan());
    let mut members = Vec::new();
    for i in 0..n {
        let known = [Mode::LessEqual, Mode::Less, Mode::GreaterEqual, Mode::Greater, Mode::Equal, Mode::NotEqual];
        let mut mode = usize::try_from(modes[i]).ok().and_then(|m| known.get(m)).copied();
        let (mut threshold, mut missing_yes) = (thresholds[i], missing[i]);
        let feature = u32::try_from(features[i]).map_err(|_| "has a negative feature number")?;
        if modes[i] == MEMBER {
            let values =
                sets.next().filter(|set| !set.is_empty()).ok_or("needs a set for each node that asks for one")?;
            members.push(Member { node: i, feature, values: values.to_vec(), missing: missing[i] });
            (mode, threshold, missing_yes) = (Some(Mode::Greater), 0.5, false);
        }
        // A tree of one leaf is written as a node whose children are that leaf.
        forest.nodes.push(Split {
            feature,
            mode: mode.ok_or("has a mode in `nodes_modes` that is not of the specification")?,
            threshold,
            missing_yes,
            yes: child(yes_leaf[i], yes[i])?,
            no: child(no_leaf[i], no[i])?,
        });
    }
    for root in node.ints("tree_roots") {
        forest.roots.push(child(0, *root)?);
    }
    if let Some(i) = parents.iter().position(|p| *p > 1) {
        return Err(format!("node {i} is reached from two nodes"));
    }
    let target = |t: &i64| u32::try_from(*t).map_err(|_| "has a negative target".to_owned());
    forest.leaves = targets
        .iter()
        .zip(leaf_weights)
        .map(|(t, value)| Ok(vec![Weight { target: target(t)?, value }]))
        .collect::<Result<_, String>>()?;
    by_depth(&mut forest);
    Ok((forest, members))
}

/// Puts trees of one depth side by side, for they are walked together, as far as the deepest of them goes. The
/// sum over the trees has no order in ONNX; this is ours, in every engine and in the evaluator.
fn by_depth(forest: &mut Trees) {
    let Trees { nodes, roots, .. } = forest;
    roots.sort_by_cached_key(|root| {
        let (mut stack, mut depth) = (vec![(*root, 0usize)], 0);
        while let Some((child, level)) = stack.pop() {
            depth = depth.max(level);
            if let Child::Node(node) = child {
                let split = &nodes[node as usize];
                stack.extend([(split.yes, level + 1), (split.no, level + 1)]);
            }
        }
        depth
    });
}

/// `base_values`, or `base_values_as_tensor`.
pub fn base(node: &NodeProto) -> Vec<f64> {
    numbers(node, "base_values").0
}

/// Attribute `aggregate_function`.
pub fn aggregate(node: &NodeProto) -> Result<Aggregate, String> {
    match &*node.word("aggregate_function", "SUM") {
        "SUM" => Ok(Aggregate::Sum),
        "AVERAGE" => Ok(Aggregate::Average),
        "MIN" => Ok(Aggregate::Min),
        "MAX" => Ok(Aggregate::Max),
        _ => Err("needs an `aggregate_function` of SUM, AVERAGE, MIN or MAX".into()),
    }
}

fn weights(
    node: &NodeProto,
    prefix: &str,
    at: &HashMap<(i64, i64), usize>,
    places: &[Child],
    forest: &mut Trees,
) -> Result<(), String> {
    let trees = node.ints(&format!("{prefix}_treeids"));
    let nodes = node.ints(&format!("{prefix}_nodeids"));
    let targets = node.ints(&format!("{prefix}_ids"));
    let (values, _) = numbers(node, &format!("{prefix}_weights"));
    let lists = [nodes.len(), targets.len(), values.len()];
    if lists.iter().any(|l| *l != trees.len()) {
        return Err(format!("needs `{prefix}_…` lists of one length, they have {} and {lists:?}", trees.len()));
    }
    let mut given = HashSet::new();
    for i in 0..trees.len() {
        let place = at
            .get(&(trees[i], nodes[i]))
            .ok_or(format!("has a weight for node {} of tree {}, which does not exist", nodes[i], trees[i]))?;
        let target = u32::try_from(targets[i]).map_err(|_| format!("has a negative `{prefix}_ids`"))?;
        // A weight of an inner node is never reached (as in onnxruntime).
        if let Child::Leaf(leaf) = places[*place] {
            if !given.insert((leaf, target)) {
                return Err(format!("has two weights for target {target} at node {} of tree {}", nodes[i], trees[i]));
            }
            forest.leaves[leaf as usize].push(Weight { target, value: values[i] });
        }
    }
    let target = targets.first().map_or(0, |t| *t as u32);
    for leaf in &mut forest.leaves {
        if leaf.is_empty() {
            leaf.push(Weight { target, value: 0.0 });
        }
    }
    Ok(())
}

/// Numbers of `name`, or of `name_as_tensor`, and whether they are doubles.
fn numbers(node: &NodeProto, name: &str) -> (Vec<f64>, bool) {
    match node.tensor(&format!("{name}_as_tensor")) {
        Some(tensor) => (doubles(tensor), tensor.data_type == 11),
        None => (node.floats(name).iter().map(|v| f64::from(*v)).collect(), false),
    }
}

fn flags(node: &NodeProto, n: usize) -> Result<Vec<bool>, String> {
    let flags = node.ints("nodes_missing_value_tracks_true");
    match flags.len() {
        0 => Ok(vec![false; n]),
        l if l == n => Ok(flags.iter().map(|f| *f != 0).collect()),
        l => Err(format!("has {l} `nodes_missing_value_tracks_true` for {n} nodes")),
    }
}

fn mode(name: &[u8]) -> Result<Mode, String> {
    Ok(match name {
        b"BRANCH_LEQ" => Mode::LessEqual,
        b"BRANCH_LT" => Mode::Less,
        b"BRANCH_GTE" => Mode::GreaterEqual,
        b"BRANCH_GT" => Mode::Greater,
        b"BRANCH_EQ" => Mode::Equal,
        b"BRANCH_NEQ" => Mode::NotEqual,
        _ => return Err("has a mode in `nodes_modes` that is not of the specification".into()),
    })
}
