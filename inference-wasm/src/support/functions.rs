//! Functions local to the model, written out wherever they are called.

use std::collections::HashMap;

use prost::Message;
use tract_onnx::pb::{AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto};

use super::place;
use crate::Error;
use crate::front::rename::rename;

/// Calls in calls, at most.
const DEPTH_MAX: usize = 16;
/// Nodes that the graph may grow to.
const NODES_MAX: usize = 1 << 17;

type Functions<'f> = HashMap<(&'f str, &'f str), (&'f FunctionProto, &'f [AttributeProto])>;

/// Rewrites the model, which then has none.
pub fn inline(model: &mut ModelProto, onnx: &[u8]) -> Result<(), Error> {
    if model.functions.is_empty() {
        return Ok(());
    }
    let functions = std::mem::take(&mut model.functions);
    let defaults = Defaults::decode(onnx).map_err(|e| Error::Damaged(e.to_string()))?.functions;
    let mut known = Functions::new();
    for (n, function) in functions.iter().enumerate() {
        let defaults = defaults.get(n).map_or(&[][..], |f| &f.attributes);
        if known.insert((function.domain(), function.name()), (function, defaults)).is_some() {
            let place = format!("function {:?}", function.name());
            return Err(Error::unsupported(place, "an overloaded function", "inline it when exporting"));
        }
    }
    let Some(graph) = model.graph.as_mut() else { return Ok(()) };
    for _ in 0..DEPTH_MAX {
        if !expand(graph, &known)? {
            return Ok(());
        }
        if graph.node.len() > NODES_MAX {
            let what = "the number of nodes with functions written out".to_owned();
            return Err(Error::TooLarge { what, value: graph.node.len() as u64, limit: NODES_MAX as u64 });
        }
    }
    Err(Error::invalid("the model", format!("has functions that call each other more than {DEPTH_MAX} deep")))
}

/// Writes out each call once; whether there was one.
fn expand(graph: &mut GraphProto, functions: &Functions) -> Result<bool, Error> {
    let mut any = false;
    for node in std::mem::take(&mut graph.node) {
        let mut node = node;
        for inner in node.attribute.iter_mut().filter_map(|a| a.g.as_mut()) {
            any |= expand(inner, functions)?;
        }
        let Some((function, defaults)) = functions.get(&(&*node.domain, &*node.op_type)) else {
            graph.node.push(node);
            continue;
        };
        any = true;
        graph.node.extend(call(&node, function, defaults)?);
    }
    Ok(any)
}

/// The function's nodes with the call's names and attributes.
fn call(node: &NodeProto, function: &FunctionProto, defaults: &[AttributeProto]) -> Result<Vec<NodeProto>, Error> {
    let label = node.output.iter().find(|name| !name.is_empty());
    let label = label.ok_or_else(|| Error::invalid(place(node), "has no output"))?;
    let mut names: HashMap<String, String> = HashMap::new();
    for made in function.node.iter().flat_map(|inner| &inner.output).filter(|name| !name.is_empty()) {
        names.insert(made.clone(), format!("{label}/{made}"));
    }
    for (n, input) in function.input.iter().enumerate() {
        names.insert(input.clone(), node.input.get(n).cloned().unwrap_or_default());
    }
    let mut handed = Vec::new();
    for (output, to) in function.output.iter().zip(&node.output).filter(|(_, to)| !to.is_empty()) {
        if function.input.contains(output) || handed.iter().any(|(known, _)| *known == output) {
            handed.push((output, Some(to)));
        } else {
            names.insert(output.clone(), to.clone());
            handed.push((output, None));
        }
    }
    let mut nodes: Vec<NodeProto> = Vec::new();
    for inner in &function.node {
        let mut inner = rename(inner, &names, &format!("{label}/"));
        fill(&mut inner, node, defaults);
        nodes.push(inner);
    }
    // What is handed on as it came, or twice.
    nodes.extend(handed.into_iter().filter_map(|(from, to)| Some((from, to?))).map(|(from, to)| NodeProto {
        name: to.clone(),
        op_type: "Identity".into(),
        input: vec![names.get(from).unwrap_or(from).clone()],
        output: vec![to.clone()],
        ..NodeProto::default()
    }));
    Ok(nodes)
}

/// Attributes that refer to the call's: taken from it, else from the function's defaults, else left out.
fn fill(inner: &mut NodeProto, call: &NodeProto, defaults: &[AttributeProto]) {
    inner.attribute.retain_mut(|attribute| {
        for inner in attribute.g.iter_mut().flat_map(|graph| &mut graph.node) {
            fill(inner, call, defaults);
        }
        if attribute.ref_attr_name.is_empty() {
            return true;
        }
        let wanted = &attribute.ref_attr_name;
        let given = call.attribute.iter().chain(defaults).find(|a| a.name == *wanted);
        let Some(given) = given else { return false };
        *attribute = AttributeProto { name: std::mem::take(&mut attribute.name), ..given.clone() };
        true
    });
}

/// What tract's protobuf leaves out of a function.
#[derive(Clone, PartialEq, Message)]
struct Defaults {
    #[prost(message, repeated, tag = "25")]
    functions: Vec<FunctionDefaults>,
}

#[derive(Clone, PartialEq, Message)]
struct FunctionDefaults {
    #[prost(message, repeated, tag = "11")]
    attributes: Vec<AttributeProto>,
}
