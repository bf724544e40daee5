//! What reaching a leaf means: one number for the target of its tree, or a row of a table with a
//! number for each target.

use std::collections::HashMap;

use crate::graph::eval_trees::{bits, start};
use crate::graph::{Aggregate, Child, Trees};

/// The leaves of a forest.
#[derive(Clone, Debug)]
pub enum Leaves {
    /// All leaves of a tree speak of one target: the number stands in the leaf's record.
    Inline {
        /// Target of each tree.
        targets: Vec<u32>,
    },
    /// The record holds a row of the table; equal leaves share one.
    Table {
        /// Row of each leaf.
        rows: Vec<u32>,
        /// Bits of `rows * width` numbers.
        numbers: Vec<u64>,
        /// Numbers in a row: the targets, rounded up to vectors from 3 on.
        width: usize,
    },
}

impl Leaves {
    /// Decides for a forest. A target that a leaf does not speak of gets a number that changes nothing.
    pub fn of(trees: &Trees) -> Leaves {
        if let Some(targets) = trees.roots.iter().map(|root| target(trees, *root)).collect() {
            return Leaves::Inline { targets };
        }
        let width = if trees.targets < 3 || trees.double { trees.targets } else { trees.targets.next_multiple_of(4) };
        let (mut seen, mut numbers) = (HashMap::new(), Vec::new());
        let mut rows = Vec::new();
        for weights in &trees.leaves {
            let mut row = vec![start(trees); width];
            for w in weights {
                let at = &mut row[w.target as usize];
                *at = together(trees, *at, bits(trees, w.value));
            }
            let next = seen.len() as u32;
            rows.push(*seen.entry(row.clone()).or_insert_with(|| {
                numbers.extend(row);
                next
            }));
        }
        Leaves::Table { rows, numbers, width }
    }

    /// What the record of a leaf holds: bits, or a row.
    pub fn value(&self, trees: &Trees, leaf: u32) -> u64 {
        match self {
            Leaves::Inline { .. } => trees.leaves[leaf as usize].first().map_or(start(trees), |w| bits(trees, w.value)),
            Leaves::Table { rows, .. } => u64::from(rows[leaf as usize]),
        }
    }

    /// True for a table.
    pub fn is_table(&self) -> bool {
        matches!(self, Leaves::Table { .. })
    }

    /// Numbers added for each tree.
    pub fn additions(&self) -> usize {
        match self {
            Leaves::Inline { .. } => 1,
            Leaves::Table { width, .. } => *width,
        }
    }
}

/// The one target of a tree whose leaves have at most one weight; `None` if there are more.
fn target(trees: &Trees, root: Child) -> Option<u32> {
    let mut found = None;
    let mut stack = vec![root];
    while let Some(child) = stack.pop() {
        match child {
            Child::Node(n) => stack.extend([trees.nodes[n as usize].yes, trees.nodes[n as usize].no]),
            Child::Leaf(leaf) => match trees.leaves[leaf as usize][..] {
                [] => {}
                [w] if found.is_none_or(|t| t == w.target) => found = Some(w.target),
                _ => return None,
            },
        }
    }
    Some(found.unwrap_or(0))
}

/// Two weights of one leaf for one target.
fn together(trees: &Trees, a: u64, b: u64) -> u64 {
    use crate::math::{Bin, Kind, run};
    let op = match trees.aggregate {
        Aggregate::Sum | Aggregate::Average => Bin::Add,
        Aggregate::Min => Bin::Min,
        Aggregate::Max => Bin::Max,
    };
    run::bin(op, if trees.double { Kind::F64 } else { Kind::F32 }, a, b)
}
