//! Operators kept from inputs that have fewer axes than they look for, and from results that no memory holds.
//!
//! tract reads the sizes of images without a check of bounds (`BaseDataShape::c` in its `data_formats.rs`): a file in
//! which a vector is convolved would have it read beyond its memory. And an axis beyond the last one has some of its
//! operators count down from 0.
//!
//! What follows from constants tract computes while it looks for shapes, and only then asks whether the result is too
//! large to keep. Here the question comes first.

use std::collections::HashMap;
use std::sync::LazyLock;

use tract_onnx::model::{OnnxOpRegister, ParsingContext};
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::attributes::Attributes;
use super::ml;
use super::typed::ELEMENTS_MAX;

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

/// Those whose result may be of any size, whatever that of their inputs.
const MAKERS: [&str; 12] = [
    "BlackmanWindow",
    "CenterCropPad",
    "ConstantOfShape",
    "Expand",
    "HammingWindow",
    "HannWindow",
    "OneHot",
    "Pad",
    "Range",
    "Resize",
    "Tile",
    "Upsample",
];

/// Bytes of a constant that is computed beside inputs that are no larger.
const COMPUTED: usize = 4 << 20;

type Builder = fn(&ParsingContext, &NodeProto) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)>;

/// What reads each operator, without a guard.
static BUILDERS: LazyLock<HashMap<String, Builder>> = LazyLock::new(|| {
    let mut register = tract_onnx::onnx().op_register;
    ml::register(&mut register);
    register.0
});

/// Makes tract use our operators, each behind a guard; in graphs inside graphs too.
pub fn register(register: &mut OnnxOpRegister) {
    for name in BUILDERS.keys() {
        register.0.insert(name.clone(), guarded);
    }
}

fn guarded(context: &ParsingContext, node: &NodeProto) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let builder = BUILDERS.get(&node.op_type).context("an operator that nobody has registered")?;
    let mut context = context.clone();
    if node.op_type == "Resize" && context.onnx_operator_set_version < 10 {
        context.onnx_operator_set_version = 13; // it was an Upsample, and is written as of then
    }
    let (op, closures) = builder(&context, node)?;
    if node.op_type == "Constant" {
        return Ok((op, closures));
    }
    let maker = MAKERS.contains(&&*node.op_type);
    Ok((Box::new(Guarded { op, needs: needs(node), maker, bytes: None }), closures))
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
struct Guarded {
    op: Box<dyn InferenceOp>,
    needs: Option<Needs>,
    maker: bool,
    /// Size of the results, as far as it is known.
    bytes: Option<usize>,
}

/// As tract has it for operators that are still to be spelled: none is known to equal another.
impl PartialEq for Guarded {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

impl Eq for Guarded {}

impl Op for Guarded {
    fn name(&self) -> StaticName {
        self.op.name()
    }
    not_a_typed_op!();
}

impl EvalOp for Guarded {
    fn eval_out_of_plan(&self, inputs: TVec<TValue>) -> TractResult<Option<TVec<TValue>>> {
        let held: usize = inputs.iter().map(|x| x.volume() * x.datum_type().size_of()).sum();
        let fits = self.bytes.map_or(!self.maker, |bytes| bytes <= held.max(COMPUTED));
        if fits { self.op.eval_out_of_plan(inputs) } else { Ok(None) }
    }

    fn eval(&self, context: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        self.op.eval(context, inputs)
    }
}

impl InferenceOp for Guarded {
    fn infer_facts(
        &mut self,
        inputs: TVec<&InferenceFact>,
        outputs: TVec<&InferenceFact>,
        observed: TVec<&InferenceFact>,
    ) -> TractResult<(TVec<InferenceFact>, TVec<InferenceFact>, TVec<InferenceFact>)> {
        let rank = inputs.first().and_then(|input| input.shape.rank().concretize());
        match (self.needs, rank) {
            (Some(Needs::Axes(least)), Some(rank)) if (rank as usize) < least => {
                bail!("{} needs an input with {least} axes or more, it has {rank}", self.name());
            }
            (Some(needs @ (Needs::Axis(axis) | Needs::NewAxis(axis))), Some(rank))
                if !needs.within(rank).contains(&axis) =>
            {
                bail!("{} has axis {axis}, its input has {rank} axes", self.name());
            }
            _ => {}
        }
        let known = self.op.infer_facts(inputs, outputs, observed)?;
        self.bytes = Some(0);
        for fact in &known.1 {
            let elements = elements(fact);
            ensure!(elements.unwrap_or(0) <= ELEMENTS_MAX, "{} makes more elements than fit into memory", self.name());
            let size = fact.datum_type.concretize().map_or(8, |ty| ty.size_of());
            self.bytes = self.bytes.zip(elements).map(|(sum, elements)| sum + elements * size);
        }
        Ok(known)
    }

    fn observe_outlets(&self, model: &InferenceModel, node: &InferenceNode) -> TractResult<Vec<OutletId>> {
        self.op.observe_outlets(model, node)
    }

    fn incorporate(&self, model: &InferenceModel, node: &InferenceNode) -> TractResult<Option<InferenceModelPatch>> {
        self.op.incorporate(model, node)
    }

    fn nboutputs(&self) -> TractResult<usize> {
        self.op.nboutputs()
    }

    fn to_typed(
        &self,
        source: &InferenceModel,
        node: &InferenceNode,
        target: &mut TypedModel,
        mapping: &HashMap<OutletId, OutletId>,
    ) -> TractResult<TVec<OutletId>> {
        // Wired behind small constants, it is computed at once.
        let constant = |outlet: &OutletId| target.outlet_fact(mapping[outlet]).is_ok_and(|fact| fact.konst.is_some());
        if !node.inputs.is_empty() && node.inputs.iter().all(constant) {
            let mut sizes = node.outputs.iter().map(|output| elements(&output.fact));
            let small = sizes.all(|size| size.is_some_and(|size| size <= ELEMENTS_MAX / 4));
            ensure!(small || !self.maker, "{} makes a constant of unknown size, or of one beyond memory", self.name());
        }
        self.op.to_typed(source, node, target, mapping)
    }

    as_op!();
}

/// How many elements a result has; symbols count as 1.
fn elements(fact: &InferenceFact) -> Option<usize> {
    let shape = fact.shape.concretize()?;
    Some(shape.iter().map(|d| d.to_usize().unwrap_or(1)).fold(1, usize::saturating_mul))
}
