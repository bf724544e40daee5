//! A sequence of tensors as the model's output becomes as many outputs: `probabilities` is `probabilities[0]`, ….

use tract_onnx::pb::{GraphProto, NodeProto, ValueInfoProto};

use crate::Error;
use crate::support::place;

/// Replaces every SequenceConstruct, each of which must be an output of the model.
pub fn spread(graph: &mut GraphProto) -> Result<(), Error> {
    let nodes = std::mem::take(&mut graph.node);
    for node in nodes {
        if node.op_type != "SequenceConstruct" {
            graph.node.push(node);
            continue;
        }
        let name = node.output.first().cloned().unwrap_or_default();
        let Some(at) = graph.output.iter().position(|output| output.name == name) else {
            let help = "make the sequence the model's output, or export with tensors";
            return Err(Error::unsupported(place(&node), "a sequence inside the model", help));
        };
        if node.input.is_empty() {
            return Err(Error::invalid(place(&node), "makes a sequence of nothing"));
        }
        let parts: Vec<String> = (0..node.input.len()).map(|n| format!("{name}[{n}]")).collect();
        graph.node.extend(node.input.iter().zip(&parts).map(|(from, to)| NodeProto {
            name: to.clone(),
            op_type: "Identity".into(),
            input: vec![from.clone()],
            output: vec![to.clone()],
            ..NodeProto::default()
        }));
        let outputs = parts.into_iter().map(|name| ValueInfoProto { name, ..ValueInfoProto::default() });
        graph.output.splice(at..=at, outputs);
    }
    Ok(())
}
