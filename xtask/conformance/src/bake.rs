//! Inputs that fix a shape or an axis, made constants: a module's shapes are known when it is compiled.

use std::collections::HashSet;

use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

/// Which inputs of an operator fix the shape of its result, or the axis it works along.
fn shaping(node: &NodeProto) -> &'static [usize] {
    match &*node.op_type {
        "Reshape" | "Expand" | "Tile" | "TopK" | "Split" | "Squeeze" | "Unsqueeze" | "CumSum" | "CumProd"
        | "OneHot" | "Compress" | "Upsample" | "CenterCropPad" | "Trilu" | "SplitToSequence" | "AffineGrid" => &[1],
        op if op.starts_with("Reduce") => &[1],
        "GRU" | "LSTM" | "RNN" => &[4],
        "Slice" => &[1, 2, 3, 4],
        "Pad" => &[1, 3],
        "Resize" => &[1, 2, 3],
        "ConstantOfShape" | "NonZero" | "BlackmanWindow" | "HannWindow" | "HammingWindow" => &[0],
        "Range" => &[0, 1, 2],
        "Loop" => &[0, 1],
        "DFT" => &[1, 2],
        "STFT" => &[1, 3],
        "MaxUnpool" | "Col2Im" => &[1, 2],
        "MelWeightMatrix" => &[0, 1, 2, 3, 4],
        _ => &[],
    }
}

/// Turns such inputs of `graph` into initializers; their positions among the inputs.
pub fn bake(graph: &mut GraphProto, values: &[Option<TensorProto>]) -> Vec<usize> {
    let mut found: Vec<&String> =
        graph.node.iter().flat_map(|n| shaping(n).iter().filter_map(|i| n.input.get(*i))).collect();
    // And what such an input is computed from.
    let mut names: HashSet<&String> = HashSet::new();
    while let Some(name) = found.pop() {
        if names.insert(name)
            && let Some(node) = graph.node.iter().find(|n| n.output.contains(name))
            && !["Shape", "Size"].contains(&&*node.op_type)
        {
            found.extend(&node.input);
        }
    }
    let baked: Vec<usize> =
        (0..graph.input.len().min(values.len())).filter(|i| names.contains(&graph.input[*i].name)).collect();
    let is_tensor = |i: &usize| graph.input[*i].r#type.as_ref().is_some_and(|ty| ty.value.is_some());
    let baked: Vec<usize> = baked.into_iter().filter(|i| values[*i].is_some() && is_tensor(i)).collect();
    for i in baked.iter().rev() {
        let input = graph.input.remove(*i);
        if let Some(value) = &values[*i] {
            graph.initializer.push(TensorProto { name: input.name, ..value.clone() });
        }
    }
    baked
}
