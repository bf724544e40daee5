//! Walks a forest as its definition says: one tree after the other, one comparison after the other.

use super::eval::{Reader, Tensor, Writer};
use super::{Aggregate, Child, Mode, Split, Trees, Type};
use crate::math::{Bin, Kind, run};

/// The result for a row of features.
pub(super) fn value(trees: &Trees, features: &[u8]) -> Tensor {
    let ty = if trees.double { Type::F64 } else { Type::F32 };
    let (kind, x) = (Kind::from(ty), Reader(ty, features));
    let mut sums = vec![start(trees); trees.targets];
    let op = match trees.aggregate {
        Aggregate::Sum | Aggregate::Average => Bin::Add,
        Aggregate::Min => Bin::Min,
        Aggregate::Max => Bin::Max,
    };
    for root in &trees.roots {
        let mut at = *root;
        let leaf = loop {
            match at {
                Child::Leaf(leaf) => break leaf,
                Child::Node(node) => {
                    let split = &trees.nodes[node as usize];
                    at =
                        if goes_yes(split, trees.double, x.get(split.feature as usize)) { split.yes } else { split.no };
                }
            }
        };
        for weight in &trees.leaves[leaf as usize] {
            let sum = &mut sums[weight.target as usize];
            *sum = run::bin(op, kind, *sum, bits(trees, weight.value));
        }
    }
    let mut out = Writer::new(ty);
    for (target, sum) in sums.into_iter().enumerate() {
        let sum = match trees.aggregate {
            Aggregate::Average => run::bin(Bin::Div, kind, sum, bits(trees, trees.roots.len().max(1) as f64)),
            Aggregate::Min | Aggregate::Max if sum == start(trees) => 0,
            _ => sum,
        };
        let base = trees.base.get(target).copied();
        out.push(base.map_or(sum, |base| run::bin(Bin::Add, kind, sum, bits(trees, base))));
    }
    out.1
}

/// What the aggregate of a target starts with. A least (greatest) value that stays at it counts as
/// absent: the target is then 0.
pub(crate) fn start(trees: &Trees) -> u64 {
    match trees.aggregate {
        Aggregate::Sum | Aggregate::Average => 0,
        Aggregate::Min => bits(trees, f64::INFINITY),
        Aggregate::Max => bits(trees, f64::NEG_INFINITY),
    }
}

/// A number in the forest's own type.
pub(crate) fn bits(trees: &Trees, value: f64) -> u64 {
    if trees.double { value.to_bits() } else { u64::from((value as f32).to_bits()) }
}

fn goes_yes(split: &Split, double: bool, x: u64) -> bool {
    let (x, t) = if double {
        (f64::from_bits(x), split.threshold)
    } else {
        (f64::from(f32::from_bits(x as u32)), f64::from(split.threshold as f32))
    };
    match split.mode {
        Mode::NotEqual => x != t,
        _ if x.is_nan() => split.missing_yes,
        Mode::LessEqual => x <= t,
        Mode::Less => x < t,
        Mode::GreaterEqual => x >= t,
        Mode::Greater => x > t,
        Mode::Equal => x == t,
    }
}

/// Every index is in range, and each path ends (a node is reached only from nodes that cannot be reached from it).
pub(super) fn check(trees: &Trees) -> Result<(), String> {
    let within = |child: &Child| match child {
        Child::Node(n) => (*n as usize) < trees.nodes.len(),
        Child::Leaf(n) => (*n as usize) < trees.leaves.len(),
    };
    if !trees.roots.iter().all(within) || !trees.nodes.iter().all(|n| within(&n.yes) && within(&n.no)) {
        return Err("a branch leads to a node or leaf that does not exist".to_owned());
    }
    if trees.nodes.iter().any(|n| n.feature as usize >= trees.features) {
        return Err("a node looks at a feature beyond the row".to_owned());
    }
    if trees.leaves.iter().flatten().any(|w| w.target as usize >= trees.targets) {
        return Err("a leaf has a weight for a target that does not exist".to_owned());
    }
    let twice =
        |leaf: &Vec<super::Weight>| (1..leaf.len()).any(|i| leaf[..i].iter().any(|w| w.target == leaf[i].target));
    if trees.leaves.iter().any(twice) {
        return Err("a leaf has two weights for one target".to_owned());
    }
    if !trees.base.is_empty() && trees.base.len() != trees.targets {
        return Err("the base values are neither absent nor one for each target".to_owned());
    }
    let mut entered = vec![false; trees.nodes.len()];
    let mut stack: Vec<Child> = trees.roots.clone();
    while let Some(at) = stack.pop() {
        if let Child::Node(n) = at {
            if std::mem::replace(&mut entered[n as usize], true) {
                return Err("a node is reached by two branches".to_owned());
            }
            stack.extend([trees.nodes[n as usize].yes, trees.nodes[n as usize].no]);
        }
    }
    Ok(())
}
