//! Forests: packed into small tables when compiling, walked without branches when running.
//!
//! A node is one record of 4, 8 or 16 bytes: how far ahead its two children stand, a feature slot, a threshold. The
//! children stand side by side. One step is `at += ahead + (x[slot] <= threshold)`. A leaf looks
//! at a slot that holds NaN, which is below nothing, and has its children 0 ahead: it stays where
//! it is, so that trees of different depth can be walked together. Small trees have their comparisons made beforehand, all
//! of them ([`sweep`]).

mod leaves;
mod pack;
mod sweep;
mod walk;

use crate::Error;
use crate::emit::Code;
use crate::emit::nest::{Walk, nest};
use crate::graph::{Id, Trees, Type};

pub use pack::Forest;
use pack::Nodes;

/// Lowers [`crate::graph::Op::Trees`].
pub(super) fn lower(lower: &mut super::Lower, code: &mut Code, id: Id, trees: &Trees) -> Result<(), Error> {
    let forests = lower.forests;
    let forest = forests.get(&id).ok_or_else(|| Error::bug("a forest was not packed"))?;
    let scratch = lower.plan.temporaries[id.index()].ok_or_else(|| Error::bug("a forest has no scratch"))?;
    let scratch = scratch.address(code);
    let kept = lower.plan.kept[id.index()].map_or(0, |kept| i64::from(kept.offset));
    let node = lower.graph.node(id);
    let (operand, bytes) = (node.inputs[0], node.ty.bytes());
    let walks = [
        Walk::new(lower.at(code, operand), &[trees.features], bytes),
        Walk::new(lower.at(code, id), &[trees.targets], bytes),
    ];
    if let Nodes::Sweep(sweep) = &forest.nodes {
        sweep.leaves(code, kept);
    }
    nest(code, &[node.len() / trees.targets], &walks, 1, &mut |code, at| {
        walk::slots(lower, code, node.ty, forest, at[0], scratch);
        walk::walk(lower, code, at[1], trees, forest, scratch, kept);
    });
    Ok(())
}

/// Type of thresholds, leaves and results.
fn ty(trees: &Trees) -> Type {
    if trees.double { Type::F64 } else { Type::F32 }
}
