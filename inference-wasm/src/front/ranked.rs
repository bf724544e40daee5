//! Operators kept from inputs that have fewer axes than they look for.
//!
//! tract reads the sizes of images without a check of bounds (`BaseDataShape::c` in its `data_formats.rs`): a file in
//! which a vector is convolved would have it read beyond its memory. And an axis beyond the last one has some of its
//! operators count down from 0.

use std::collections::HashMap;

use tract_onnx::pb::{GraphProto, NodeProto};
use tract_onnx::tract_hir::internal::*;

use super::attributes::Attributes;

/// Those that look for channels along axis 1.
const IMAGES: [&str; 10] = [
    "AveragePool",
    "BatchNormalization",
    "Conv",
    "ConvTranspose",
    "GroupNormalization",
    "InstanceNormalization",
    "LRN",
    "LpPool",
    "MaxPool",
    "MeanVarianceNormalization",
];
/// Those whose axis is one that is still to be made.
const NEW: [&str; 2] = ["Flatten", "OneHot"];
/// Those that look after it themselves, or do not look at it for a single number.
const LOOSE: [&str; 5] = ["Concat", "ConcatFromSequence", "DequantizeLinear", "QuantizeLinear", "Unsqueeze"];

/// Puts a check in front of each of them.
pub fn guard(model: &mut InferenceModel, graph: &GraphProto) {
    let needs: HashMap<&str, Needs> = graph.node.iter().filter_map(|node| Some((&*node.name, needs(node)?))).collect();
    for node in &mut model.nodes {
        if let Some(needs) = needs.get(&*node.name) {
            node.op = Box::new(Ranked(node.op.clone(), *needs));
        }
    }
}

/// What an operator looks for in its first input.
#[derive(Debug, Clone, Copy)]
enum Needs {
    Axes(usize),
    Axis(i64),
    NewAxis(i64),
}

impl Needs {
    /// The axes that an input may be asked for.
    fn within(self, rank: i64) -> std::ops::Range<i64> {
        match self {
            Needs::NewAxis(_) => -rank - 1..rank + 1,
            _ => -rank..rank,
        }
    }
}

fn needs(node: &NodeProto) -> Option<Needs> {
    let op = node.op_type.as_str();
    if IMAGES.contains(&op) || op.starts_with("Global") {
        return Some(Needs::Axes(2));
    }
    if LOOSE.contains(&op) || !["", "ai.onnx"].contains(&&*node.domain) {
        return None;
    }
    match node.find("axis") {
        Some(axis) if NEW.contains(&op) => Some(Needs::NewAxis(axis.i)),
        Some(axis) => Some(Needs::Axis(axis.i)),
        None if op.ends_with("Normalization") => Some(Needs::Axis(-1)),
        None => None,
    }
}

#[derive(Debug, Clone)]
struct Ranked(Box<dyn InferenceOp>, Needs);

/// As tract has it for operators that are still to be spelled: none is known to equal another.
impl PartialEq for Ranked {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

impl Eq for Ranked {}

impl Op for Ranked {
    fn name(&self) -> StaticName {
        self.0.name()
    }
    not_a_typed_op!();
}

impl EvalOp for Ranked {
    fn eval_out_of_plan(&self, inputs: TVec<TValue>) -> TractResult<Option<TVec<TValue>>> {
        self.0.eval_out_of_plan(inputs)
    }

    fn eval(&self, context: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        self.0.eval(context, inputs)
    }
}

impl InferenceOp for Ranked {
    fn infer_facts(
        &mut self,
        inputs: TVec<&InferenceFact>,
        outputs: TVec<&InferenceFact>,
        observed: TVec<&InferenceFact>,
    ) -> TractResult<(TVec<InferenceFact>, TVec<InferenceFact>, TVec<InferenceFact>)> {
        let rank = inputs.first().and_then(|input| input.shape.rank().concretize());
        match (self.1, rank) {
            (Needs::Axes(least), Some(rank)) if (rank as usize) < least => {
                bail!("{} needs an input with {least} axes or more, it has {rank}", self.name());
            }
            (Needs::Axis(axis), Some(rank)) | (Needs::NewAxis(axis), Some(rank))
                if !self.1.within(rank).contains(&axis) =>
            {
                bail!("{} has axis {axis}, its input has {rank} axes", self.name());
            }
            _ => {}
        }
        self.0.infer_facts(inputs, outputs, observed)
    }

    fn observe_outlets(&self, model: &InferenceModel, node: &InferenceNode) -> TractResult<Vec<OutletId>> {
        self.0.observe_outlets(model, node)
    }

    fn incorporate(&self, model: &InferenceModel, node: &InferenceNode) -> TractResult<Option<InferenceModelPatch>> {
        self.0.incorporate(model, node)
    }

    fn nboutputs(&self) -> TractResult<usize> {
        self.0.nboutputs()
    }

    fn to_typed(
        &self,
        source: &InferenceModel,
        node: &InferenceNode,
        target: &mut TypedModel,
        mapping: &HashMap<OutletId, OutletId>,
    ) -> TractResult<TVec<OutletId>> {
        self.0.to_typed(source, node, target, mapping)
    }

    as_op!();
}
