//! The model as tract has it: parsed, shapes known, in its core operators.

use std::cell::Cell;
use std::collections::HashSet;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::array::StridedSlice;
use tract_onnx::tract_core::ops::cast::Cast;
use tract_onnx::tract_hir::internal::*;

use super::attributes::{Attributes, int, tensor, word};
use super::guarded;
use super::inputs::Input;
use crate::Error;

/// Most elements of one value inside the model.
pub const ELEMENTS_MAX: usize = 1 << 26;
/// Bytes of constants that may be computed from others, beside what the file holds many times over.
const COMPUTED_MAX: usize = 1 << 28;

/// A model in tract's core operators.
pub struct Typed {
    /// The model.
    pub model: TypedModel,
    /// The symbol that counts rows, when they are free.
    pub rows: Option<Symbol>,
}

/// Takes out of the graph what tract would stumble over: declared shapes that files get wrong, and names that occur twice.
pub fn prepare(graph: &mut GraphProto) {
    graph.value_info.clear();
    for output in &mut graph.output {
        output.r#type = None;
    }
    let mut names: HashSet<String> = graph.input.iter().map(|i| i.name.clone()).collect();
    names.extend(graph.initializer.iter().map(|i| i.name.clone()));
    masks(graph);
    for node in &mut graph.node {
        let made = node.output.first().cloned().unwrap_or_default();
        let name = if node.name.is_empty() { made } else { node.name.clone() };
        node.name = name.clone();
        if node.op_type == "Dropout" {
            // In inference it hands its input on; `support` has refused anything else.
            node.op_type = "Identity".into();
            node.input.truncate(1);
            node.output.truncate(1);
            node.attribute.clear();
        }
        if node.op_type == "Upsample" && !node.input.is_empty() {
            // The older name of what Resize does so.
            node.op_type = "Resize".into();
            let given = node.floats("scales").to_vec();
            if !given.is_empty() {
                let (dims, name) = (vec![given.len() as i64], format!("{name}.scales"));
                node.input = vec![node.input[0].clone(), name.clone()];
                let scales = TensorProto { name, dims, data_type: 1, float_data: given, ..TensorProto::default() };
                graph.initializer.push(scales);
            }
            node.input.insert(1, String::new());
            node.attribute.push(word("coordinate_transformation_mode", "asymmetric"));
            node.attribute.push(word("nearest_mode", "floor"));
        }
        if node.op_type == "ConstantOfShape" && node.tensor("value").is_none() {
            // tract makes doubles of it.
            let zero = TensorProto { dims: vec![1], data_type: 1, float_data: vec![0.0], ..TensorProto::default() };
            node.attribute.push(tensor("value", zero));
        }
        let mut n = 1;
        while !names.insert(node.name.clone()) {
            n += 1;
            node.name = format!("{name}#{n}");
        }
    }
}

/// The masks of Dropout, which in inference leaves out nothing: true everywhere.
fn masks(graph: &mut GraphProto) {
    let is_mask = |node: &NodeProto| {
        node.op_type == "Dropout" && !node.input.is_empty() && node.output.get(1).is_some_and(|name| !name.is_empty())
    };
    let masks =
        graph.node.iter().filter(|node| is_mask(node)).map(|node| (node.input[0].clone(), node.output[1].clone()));
    for (from, mask) in masks.collect::<Vec<_>>() {
        let (some, none) = (format!("{mask}.some"), format!("{mask}.none"));
        let mut step = |op: &str, input: &[&String], output: &String, attribute: Vec<AttributeProto>| {
            graph.node.push(NodeProto {
                op_type: op.into(),
                input: input.iter().map(|name| (*name).clone()).collect(),
                output: vec![output.clone()],
                attribute,
                ..NodeProto::default()
            });
        };
        step("Cast", &[&from], &some, vec![int("to", 9)]);
        step("Not", &[&some], &none, vec![]);
        step("Or", &[&some, &none], &mask, vec![]);
    }
}

/// Parses and types the model; with `symbolic` rows stay free, else there is one row.
pub fn load(proto: &ModelProto, inputs: &[Input], symbolic: bool) -> Result<Typed, Error> {
    guard(|| {
        let (model, rows) = parse(proto, inputs, symbolic)?;
        let mut model = model.into_typed()?;
        positions(&model)?;
        spell_slices(&mut model)?;
        sizes(&model)?;
        model.prop_consts()?;
        Ok(Typed { model, rows })
    })
}

/// Refuses positions that are no integers: of Gather's, tract makes some by itself.
fn positions(model: &TypedModel) -> TractResult<()> {
    const MADE: &str = ".cast_to_i64";
    for node in model.nodes().iter().filter(|node| node.op_is::<Cast>() && node.name.ends_with(MADE)) {
        let float = model.outlet_fact(node.inputs[0])?.datum_type.is_float();
        ensure!(!float, "node {:?} has positions that are no integers", node.name.trim_end_matches(MADE));
    }
    Ok(())
}

/// Refuses values that no module has room for, and constants that would be computed to such.
fn sizes(model: &TypedModel) -> TractResult<()> {
    let mut constant = vec![false; model.nodes().len()];
    let (mut held, mut computed) = (0usize, 0usize);
    for id in model.eval_order()? {
        let node = model.node(id);
        let given = node.outputs.iter().all(|output| output.fact.konst.is_some());
        constant[id] = given || (!node.inputs.is_empty() && node.inputs.iter().all(|outlet| constant[outlet.node]));
        for output in &node.outputs {
            let sizes = output.fact.shape.iter().map(|d| d.to_usize().unwrap_or(1));
            let elements = sizes.fold(1usize, usize::saturating_mul);
            ensure!(given || elements <= ELEMENTS_MAX, "node {:?} makes {elements} elements, too many", node.name);
            let bytes = elements.saturating_mul(output.fact.datum_type.size_of());
            match (given, constant[id]) {
                (true, _) => held = held.saturating_add(bytes),
                (false, true) => computed = computed.saturating_add(bytes),
                (false, false) => {}
            }
        }
    }
    let most = COMPUTED_MAX.saturating_add(held.saturating_mul(16));
    ensure!(computed <= most, "constants of {computed} bytes are to be computed, too many");
    Ok(())
}

/// The model as the file has it, its inputs' shapes set; the symbol stands for their free first axes.
pub fn parse(proto: &ModelProto, inputs: &[Input], symbolic: bool) -> TractResult<(InferenceModel, Option<Symbol>)> {
    let mut onnx = tract_onnx::onnx();
    guarded::register(&mut onnx.op_register);
    let parsed = onnx.parse(proto, None)?;
    if let Some(name) = parsed.unresolved_inputs.first() {
        bail!("{name:?} is made by no node");
    }
    let mut model = parsed.model;
    let rows = symbolic.then(|| model.symbols.new_with_prefix("rows"));
    if let Some(rows) = &rows {
        model.symbols.add_assertion(format!("{rows} >= 1"))?;
    }
    let free: TDim = rows.as_ref().map_or(1.to_dim(), |rows| rows.clone().into());
    for (i, input) in inputs.iter().enumerate() {
        let shape: TVec<TDim> = input.shape.iter().map(|d| d.map_or(free.clone(), |d| d.to_dim())).collect();
        model.set_input_fact(i, InferenceFact::dt_shape(input.ty, shape))?;
    }
    Ok((model, rows))
}

/// tract leaves ONNX's Slice whole until it declutters; here it becomes ranges and steps.
fn spell_slices(model: &mut TypedModel) -> TractResult<()> {
    while let Some(node) = model.nodes().iter().find(|n| n.op_is::<StridedSlice>() && !n.inputs.is_empty()) {
        let patch = node.op.declutter(model, node)?.context("a slice whose bounds are not constant")?;
        patch.apply(model)?;
        model.compact()?;
    }
    Ok(())
}

thread_local! {
    /// Whether a panic of this thread is caught by [`caught`].
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a part of tract; its errors and panics become ours.
pub fn guard<T>(f: impl FnOnce() -> TractResult<T>) -> Result<T, Error> {
    match caught(f) {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(Error::invalid("the model does not hold together", short(&format!("{error:#}")))),
        None => Err(Error::invalid("the model does not hold together", "its shapes or types contradict each other")),
    }
}

/// What `f` answers, unless it panics. What a caught panic would print is kept back: a file that is refused has not made
/// the program fail.
pub fn caught<T>(f: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                before(info);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(f));
    GUARDED.set(outer);
    result.ok()
}

/// Enough of a long chain of causes.
fn short(text: &str) -> String {
    const MOST: usize = 500;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}
