//! Copies of nodes for another place in a graph.

use std::collections::HashMap;

use tract_onnx::pb::NodeProto;

/// A copy with other names, also where the graphs inside it look at values around them.
pub fn rename(node: &NodeProto, names: &HashMap<String, String>, prefix: &str) -> NodeProto {
    let other = |name: &String| names.get(name).unwrap_or(name).clone();
    let mut node = node.clone();
    node.name = format!("{prefix}{}", node.name);
    node.input = node.input.iter().map(other).collect();
    node.output = node.output.iter().map(other).collect();
    for inner in node.attribute.iter_mut().filter_map(|a| a.g.as_mut()) {
        let mut names = names.clone();
        // What is made inside hides what has its name outside.
        let own = inner.input.iter().map(|i| &i.name).chain(inner.initializer.iter().map(|i| &i.name));
        let made = inner.node.iter().flat_map(|n| &n.output);
        own.chain(made).for_each(|name| drop(names.remove(name)));
        inner.node = inner.node.iter().map(|node| rename(node, &names, "")).collect();
        inner.output.iter_mut().for_each(|value| value.name = names.get(&value.name).unwrap_or(&value.name).clone());
    }
    node
}
