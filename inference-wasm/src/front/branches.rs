//! Takes `If` nodes out whose condition follows from the shapes: their branches may differ in shape, which no typed model holds.

use std::collections::HashMap;

use tract_onnx::pb::{GraphProto, ModelProto, NodeProto};
use tract_onnx::tract_hir::internal::*;

use super::attributes::Attributes;
use super::inputs::Input;
use super::typed;
use crate::Error;

/// Puts the nodes of the branch taken in the place of each such node; false when there is none.
pub fn decide(model: &mut ModelProto, inputs: &[Input]) -> Result<bool, Error> {
    let has_if = |graph: &GraphProto| graph.node.iter().any(|n| n.op_type == "If");
    if !model.graph.as_ref().is_some_and(has_if) {
        return Ok(false);
    }
    let known = typed::guard(|| conditions(model, inputs))?;
    let Some(graph) = model.graph.as_mut().filter(|_| !known.is_empty()) else { return Ok(false) };
    let nodes = std::mem::take(&mut graph.node);
    for node in nodes {
        match known.get(&node.name) {
            Some(taken) if node.op_type == "If" => inline(graph, &node, *taken)?,
            _ => graph.node.push(node),
        }
    }
    typed::prepare(graph);
    Ok(true)
}

/// Conditions that are constant once the inputs' shapes are known, by the name of the node.
fn conditions(model: &ModelProto, inputs: &[Input]) -> TractResult<HashMap<String, bool>> {
    let free = inputs.iter().any(|input| input.shape.contains(&None));
    let (mut model, _) = typed::parse(model, inputs, free)?;
    // The branch that is not taken may contradict the shapes: what is known elsewhere is known all the same.
    let _ = model.analyse(true);
    let mut known = HashMap::new();
    for node in model.nodes().iter().filter(|n| n.op.name() == "If") {
        if let Some(value) = model.outlet_fact(node.inputs[0])?.value.concretize() {
            known.insert(node.name.clone(), value.cast_to_scalar::<bool>()?);
        }
    }
    Ok(known)
}

fn inline(graph: &mut GraphProto, node: &NodeProto, taken: bool) -> Result<(), Error> {
    let name = if taken { "then_branch" } else { "else_branch" };
    let branch = node.find(name).and_then(|a| a.g.clone());
    let branch = branch.ok_or_else(|| Error::invalid(crate::support::place(node), format!("has no {name}")))?;
    graph.initializer.extend(branch.initializer);
    graph.node.extend(branch.node);
    for (from, to) in branch.output.into_iter().zip(&node.output) {
        graph.node.push(NodeProto {
            name: to.clone(),
            op_type: "Identity".into(),
            input: vec![from.name],
            output: vec![to.clone()],
            ..NodeProto::default()
        });
    }
    Ok(())
}
