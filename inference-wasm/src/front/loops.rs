//! Writes out each `Loop` whose number of steps follows from constants and shapes, and gives the bodies of `Scan` the
//! types that files leave out.

use std::collections::HashMap;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension::Value as Dim};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, TensorShapeProto, TypeProto, ValueInfoProto,
    type_proto,
};
use tract_onnx::tract_hir::internal::*;

use super::attributes::{Attributes, ints};
use super::inputs::Input;
use super::rename::rename;
use super::typed;
use crate::Error;
use crate::support::{opset, place};

/// Nodes that a graph may grow to by loops that are written out.
const NODES: usize = 20_000;

/// Rewrites the first such node; false when there is none.
pub fn unroll(model: &mut ModelProto, inputs: &[Input]) -> Result<bool, Error> {
    let set = opset(model).get("").copied().unwrap_or(0);
    let Some(graph) = model.graph.as_mut() else { return Ok(false) };
    let wanted = |node: &NodeProto| node.op_type == "Loop" || (node.op_type == "Scan" && untyped(node));
    let Some(at) = graph.node.iter().position(wanted) else { return Ok(false) };
    // What is known of its operands follows from the nodes before it.
    let rest = graph.node.split_off(at);
    let given: Vec<String> = rest[0].input.iter().filter(|name| !name.is_empty()).cloned().collect();
    let outputs = given.iter().map(|name| ValueInfoProto { name: name.clone(), ..Default::default() }).collect();
    let outputs = std::mem::replace(&mut graph.output, outputs);
    let known = typed::guard(|| facts(model, inputs));
    let Some(graph) = model.graph.as_mut() else { return Ok(false) };
    graph.output = outputs;
    let known: HashMap<String, InferenceFact> = given.into_iter().zip(known?).collect();
    let mut rest = rest.into_iter();
    let Some(mut node) = rest.next() else { return Ok(false) };
    if node.op_type == "Loop" {
        write_out(graph, &node, &known, set)?;
    } else {
        give_types(&mut node, &known)?;
        graph.node.push(node);
    }
    graph.node.extend(rest);
    typed::prepare(graph);
    Ok(true)
}

/// What tract makes of the model's outputs.
fn facts(model: &ModelProto, inputs: &[Input]) -> TractResult<Vec<InferenceFact>> {
    let free = inputs.iter().any(|input| input.shape.contains(&None));
    let (mut model, _) = typed::parse(model, inputs, free)?;
    model.analyse(true)?;
    model.output_outlets()?.iter().map(|outlet| Ok(model.outlet_fact(*outlet)?.clone())).collect()
}

fn body(node: &NodeProto) -> Result<&GraphProto, Error> {
    node.find("body").and_then(|a| a.g.as_ref()).ok_or_else(|| Error::invalid(place(node), "has no body"))
}

fn write_out(
    graph: &mut GraphProto,
    node: &NodeProto,
    known: &HashMap<String, InferenceFact>,
    set: i64,
) -> Result<(), Error> {
    let body = body(node)?;
    let states = node.input.len().checked_sub(2);
    let states = states.ok_or_else(|| Error::invalid(place(node), "needs a number of steps and a condition"))?;
    if body.input.len() != states + 2 || body.output.len() < states + 1 {
        return Err(Error::invalid(place(node), "has a body that does not take and give what the loop carries"));
    }
    let steps = steps(node, body, known)?;
    if graph.node.len().saturating_add(steps.saturating_mul(body.node.len().max(1))) > NODES {
        let help = "fix its length with --shape, or export a shorter one";
        return Err(Error::unsupported(place(node), format!("a loop of {steps} steps"), help));
    }
    let label = node.output.iter().find(|name| !name.is_empty()).cloned().unwrap_or_default();
    let mut renamed: HashMap<String, String> = HashMap::new();
    for initializer in &body.initializer {
        let name = format!("{label}/{}", initializer.name);
        renamed.insert(initializer.name.clone(), name.clone());
        graph.initializer.push(TensorProto { name, ..initializer.clone() });
    }
    let go_on = format!("{label}/on");
    graph.initializer.push(constant(&go_on, DataType::Bool, vec![1]));
    let mut carried: Vec<String> = node.input[2..].to_vec();
    let mut made: Vec<Vec<String>> = vec![Vec::new(); body.output.len() - states - 1];
    for step in 0..steps {
        let number = format!("{label}/{step}");
        graph.initializer.push(constant(&number, DataType::Int64, (step as i64).to_le_bytes().to_vec()));
        let mut names = renamed.clone();
        let outside = [number, go_on.clone()].into_iter().chain(carried.iter().cloned());
        names.extend(body.input.iter().map(|input| input.name.clone()).zip(outside));
        for inner in &body.node {
            names.extend(inner.output.iter().map(|name| (name.clone(), format!("{label}/{step}/{name}"))));
        }
        graph.node.extend(body.node.iter().map(|inner| rename(inner, &names, &format!("{label}/{step}/"))));
        let outside = |value: &ValueInfoProto| names.get(&value.name).unwrap_or(&value.name).clone();
        carried = body.output[1..=states].iter().map(outside).collect();
        made.iter_mut().zip(&body.output[states + 1..]).for_each(|(all, value)| all.push(outside(value)));
    }
    let mut step = |op: &str, input: Vec<String>, output: &str, attribute: Vec<AttributeProto>| {
        let (name, output) = (output.to_owned(), vec![output.to_owned()]);
        graph.node.push(NodeProto { name, op_type: op.into(), input, output, attribute, ..NodeProto::default() });
    };
    for (from, to) in carried.into_iter().zip(&node.output).filter(|(_, to)| !to.is_empty()) {
        step("Identity", vec![from], to, vec![]);
    }
    let first = format!("{label}/first");
    for (all, to) in made.into_iter().zip(node.output.iter().skip(states)).filter(|(_, to)| !to.is_empty()) {
        if all.is_empty() {
            return Err(Error::unsupported(
                place(node),
                "a loop of no steps whose results are collected",
                "leave it out",
            ));
        }
        let mut parts = Vec::new();
        for (n, one) in all.into_iter().enumerate() {
            let part = format!("{to}/{n}");
            match set {
                ..13 => step("Unsqueeze", vec![one], &part, vec![ints("axes", vec![0])]),
                _ => step("Unsqueeze", vec![one, first.clone()], &part, vec![]),
            }
            parts.push(part);
        }
        step("Concat", parts, to, vec![super::attributes::int("axis", 0)]);
    }
    let mut zero = constant(&first, DataType::Int64, vec![0; 8]);
    zero.dims = vec![1];
    graph.initializer.push(zero);
    Ok(())
}

/// How often a loop runs.
fn steps(node: &NodeProto, body: &GraphProto, known: &HashMap<String, InferenceFact>) -> Result<usize, Error> {
    let value = |name: &String| known.get(name).and_then(|fact| fact.value.concretize());
    let number = |name: &String| {
        value(name)
            .and_then(|v| v.cast_to::<i64>().ok()?.try_as_plain_ram().ok()?.as_slice::<i64>().ok()?.first().copied())
    };
    let depends = |what: &str| {
        let help = "export the model with fixed shapes, so that its loops have a constant number of steps";
        Error::unsupported(place(node), format!("a loop whose {what}"), help)
    };
    if !node.input[1].is_empty() {
        match number(&node.input[1]) {
            Some(0) => return Ok(0),
            Some(_) => {}
            None => return Err(depends("first step depends on values")),
        }
    }
    let limit = number(&node.input[0]).ok_or_else(|| depends("number of steps depends on values"))?;
    if !goes_on(body) {
        return Err(depends("end depends on values"));
    }
    Ok(usize::try_from(limit).unwrap_or(0))
}

/// Whether the body's condition is the one that it was given, or always true.
fn goes_on(body: &GraphProto) -> bool {
    let (Some(mut name), Some(given)) = (body.output.first().map(|o| &o.name), body.input.get(1)) else { return false };
    for _ in 0..=body.node.len() {
        if *name == given.name {
            return true;
        }
        let truth = |tensor: &TensorProto| super::attributes::integers(tensor).first().is_some_and(|v| *v != 0);
        if let Some(initializer) = body.initializer.iter().find(|i| i.name == *name) {
            return truth(initializer);
        }
        match body.node.iter().find(|node| node.output.contains(name)) {
            Some(node) if node.op_type == "Constant" => return node.tensor("value").is_some_and(truth),
            Some(node) if node.op_type == "Identity" && !node.input.is_empty() => name = &node.input[0],
            _ => return false,
        }
    }
    false
}

fn constant(name: &str, ty: DataType, raw_data: Vec<u8>) -> TensorProto {
    TensorProto { name: name.into(), data_type: ty as i32, raw_data, ..TensorProto::default() }
}

fn untyped(node: &NodeProto) -> bool {
    let body = node.find("body").and_then(|a| a.g.as_ref());
    body.is_some_and(|body| body.input.iter().any(|input| !is_typed(input)))
}

fn is_typed(value: &ValueInfoProto) -> bool {
    match value.r#type.as_ref().and_then(|t| t.value.as_ref()) {
        Some(type_proto::Value::TensorType(ty)) => ty.elem_type != 0,
        None => false,
    }
}

/// Types of the body's inputs: those of the operands, without the axis that is run through.
fn give_types(node: &mut NodeProto, known: &HashMap<String, InferenceFact>) -> Result<(), Error> {
    let at = place(node);
    let scanned = usize::try_from(node.int("num_scan_inputs", 0)).unwrap_or(0);
    let axes = node.ints("scan_input_axes").to_vec();
    let operands = node.input.clone();
    let states = operands.len().saturating_sub(scanned);
    let body = node.attribute.iter_mut().find(|a| a.name == "body").and_then(|a| a.g.as_mut());
    let body = body.ok_or_else(|| Error::invalid(&at, "has no body"))?;
    for (n, (input, operand)) in body.input.iter_mut().zip(&operands).enumerate() {
        let fact = known.get(operand);
        let ty = fact.and_then(|f| f.datum_type.concretize()).and_then(onnx_type);
        let rank = fact.and_then(|f| f.shape.rank().concretize());
        let (Some(ty), Some(fact), Some(rank)) = (ty, fact, rank) else {
            return Err(Error::invalid(&at, "has a body whose types are not known"));
        };
        let mut dim: Vec<Dimension> = (0..rank as usize)
            .map(|axis| {
                let size = fact.shape.dim(axis).and_then(|d| d.concretize()).and_then(|d| d.to_i64().ok());
                Dimension { value: size.map(Dim::DimValue), ..Dimension::default() }
            })
            .collect();
        if n >= states {
            let axis = axes.get(n - states).copied().unwrap_or(0);
            let axis = if axis < 0 { axis + rank } else { axis };
            if !(0..rank).contains(&axis) {
                return Err(Error::invalid(&at, "runs through an axis that there is not"));
            }
            dim.remove(axis as usize);
        }
        let tensor = type_proto::Tensor { elem_type: ty as i32, shape: Some(TensorShapeProto { dim }) };
        input.r#type =
            Some(TypeProto { denotation: String::new(), value: Some(type_proto::Value::TensorType(tensor)) });
    }
    Ok(())
}

fn onnx_type(ty: DatumType) -> Option<DataType> {
    Some(match ty {
        DatumType::Bool => DataType::Bool,
        DatumType::I8 => DataType::Int8,
        DatumType::U8 => DataType::Uint8,
        DatumType::I16 => DataType::Int16,
        DatumType::U16 => DataType::Uint16,
        DatumType::I32 => DataType::Int32,
        DatumType::U32 => DataType::Uint32,
        DatumType::I64 | DatumType::TDim => DataType::Int64,
        DatumType::U64 => DataType::Uint64,
        DatumType::F32 => DataType::Float,
        DatumType::F64 => DataType::Double,
        _ => return None,
    })
}
