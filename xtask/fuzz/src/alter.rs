//! Alterations of a model: what an exporter with a mistake, or somebody with bad intentions, might write.

use prost::Message;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto, tensor_shape_proto::dimension, type_proto};

use crate::random::Random;

const INTEGERS: [i64; 16] = [-1, 0, 1, 2, 3, 4, 7, -2, -3, 16, 255, 1 << 20, 1 << 40, i64::MAX, i64::MIN, 5];
const FLOATS: [f32; 10] = [0.0, -0.0, 1.0, -1.0, 0.5, 1e-40, 1e30, f32::NAN, f32::INFINITY, 3.25];

/// Names and domains of all operators of a corpus.
pub fn operators(corpus: &[ModelProto]) -> Vec<(String, String)> {
    let nodes = corpus.iter().filter_map(|model| model.graph.as_ref()).flat_map(|graph| &graph.node);
    let mut names: Vec<(String, String)> = nodes.map(|node| (node.op_type.clone(), node.domain.clone())).collect();
    names.sort();
    names.dedup();
    names
}

/// A few alterations of any kind, and now and then of the bytes.
pub fn wildly(model: &mut ModelProto, operators: &[(String, String)], random: &mut Random) -> Vec<u8> {
    for _ in 0..=random.below(5) {
        if let Some(graph) = model.graph.as_mut() {
            structure(graph, operators, random);
        }
    }
    if random.once_in(8) {
        model.opset_import.iter_mut().for_each(|set| set.version = random.below(24) as i64);
    }
    let mut bytes = model.encode_to_vec();
    if random.once_in(4) {
        for _ in 0..=random.below(8) {
            let at = random.below(bytes.len());
            bytes[at] = random.next() as u8;
        }
    }
    if random.once_in(16) {
        bytes.truncate(random.below(bytes.len()));
    }
    bytes
}

/// One or two alterations that leave many models whole.
pub fn gently(model: &mut ModelProto, operators: &[(String, String)], random: &mut Random) -> Vec<u8> {
    for _ in 0..=random.below(2) {
        let Some(graph) = model.graph.as_mut() else { break };
        match random.below(5) {
            0 => numbers(graph, random, true),
            1 => attribute(graph, random, true),
            2 => operator(graph, operators, random),
            3 => input(graph, random),
            _ => size(graph, random),
        }
    }
    model.encode_to_vec()
}

fn structure(graph: &mut GraphProto, operators: &[(String, String)], random: &mut Random) {
    match random.below(11) {
        0 | 1 => attribute(graph, random, false),
        2 => operator(graph, operators, random),
        3 => input(graph, random),
        4 => size(graph, random),
        5 => numbers(graph, random, false),
        6 => {
            if let Some(node) = node(graph, random)
                && !node.attribute.is_empty()
            {
                let at = random.below(node.attribute.len());
                node.attribute.remove(at);
            }
        }
        7 => {
            if let Some(node) = node(graph, random) {
                node.input.truncate(node.input.len().saturating_sub(1));
            }
        }
        8 => {
            if graph.node.len() > 1 {
                let at = random.below(graph.node.len());
                graph.node.remove(at);
            }
        }
        9 => {
            if let Some(tensor) = tensor(graph, random) {
                match random.below(3) {
                    0 => tensor.dims.reverse(),
                    1 => tensor.dims.push(INTEGERS[random.below(INTEGERS.len())]),
                    _ => tensor.data_type = random.below(20) as i32,
                }
            }
        }
        _ => {
            if let Some(node) = node(graph, random) {
                let mut twin = node.clone();
                twin.name.push_str(".twin");
                twin.output.iter_mut().for_each(|name| name.push_str(".twin"));
                graph.node.push(twin);
            }
        }
    }
}

fn node<'g>(graph: &'g mut GraphProto, random: &mut Random) -> Option<&'g mut NodeProto> {
    let n = graph.node.len();
    if n == 0 { None } else { graph.node.get_mut(random.below(n)) }
}

fn tensor<'g>(graph: &'g mut GraphProto, random: &mut Random) -> Option<&'g mut TensorProto> {
    let n = graph.initializer.len();
    if n == 0 { None } else { graph.initializer.get_mut(random.below(n)) }
}

/// Another value of an attribute; `small`: one that many operators take.
fn attribute(graph: &mut GraphProto, random: &mut Random, small: bool) {
    let Some(node) = node(graph, random) else { return };
    let n = node.attribute.len();
    if n == 0 {
        return;
    }
    let attribute = &mut node.attribute[random.below(n)];
    let integer = INTEGERS[random.below(if small { 6 } else { INTEGERS.len() })];
    let float = FLOATS[random.below(if small { 5 } else { FLOATS.len() })];
    if !attribute.ints.is_empty() {
        let at = random.below(attribute.ints.len());
        match random.below(if small { 1 } else { 3 }) {
            0 => attribute.ints[at] = integer,
            1 => {
                attribute.ints.remove(at);
            }
            _ => attribute.ints.push(integer),
        }
    } else if !attribute.floats.is_empty() {
        let at = random.below(attribute.floats.len());
        attribute.floats[at] = float;
    } else if attribute.f != 0.0 {
        attribute.f = float;
    } else {
        attribute.i = integer;
    }
}

/// The node becomes another operator.
fn operator(graph: &mut GraphProto, operators: &[(String, String)], random: &mut Random) {
    let (Some((name, domain)), Some(node)) = (random.of(operators).cloned(), node(graph, random)) else { return };
    (node.op_type, node.domain) = (name, domain);
}

/// The node reads something else.
fn input(graph: &mut GraphProto, random: &mut Random) {
    let made = graph.node.iter().flat_map(|node| node.output.iter());
    let names: Vec<String> = made
        .chain(graph.initializer.iter().map(|i| &i.name))
        .chain(graph.input.iter().map(|i| &i.name))
        .cloned()
        .collect();
    let (Some(name), Some(node)) = (random.of(&names).cloned(), node(graph, random)) else { return };
    let n = node.input.len();
    if n > 0 {
        node.input[random.below(n)] = name;
    }
}

/// An input of the model has another size.
fn size(graph: &mut GraphProto, random: &mut Random) {
    let n = graph.input.len();
    if n == 0 {
        return;
    }
    let ty = graph.input[random.below(n)].r#type.as_mut().and_then(|ty| ty.value.as_mut());
    let Some(type_proto::Value::TensorType(tensor)) = ty else { return };
    let Some(shape) = tensor.shape.as_mut() else { return };
    match random.below(3) {
        0 if !shape.dim.is_empty() => {
            let at = random.below(shape.dim.len());
            shape.dim[at].value = Some(dimension::Value::DimValue(1 + random.below(9) as i64));
        }
        1 if !shape.dim.is_empty() => {
            let at = random.below(shape.dim.len());
            shape.dim.remove(at);
        }
        _ => shape.dim.push(tensor_dim(1 + random.below(4) as i64)),
    }
}

fn tensor_dim(n: i64) -> tract_onnx::pb::tensor_shape_proto::Dimension {
    tract_onnx::pb::tensor_shape_proto::Dimension { value: Some(dimension::Value::DimValue(n)), ..Default::default() }
}

/// Constants hold other numbers.
fn numbers(graph: &mut GraphProto, random: &mut Random, small: bool) {
    let Some(tensor) = tensor(graph, random) else { return };
    let float = FLOATS[random.below(if small { 5 } else { FLOATS.len() })];
    let integer = INTEGERS[random.below(if small { 6 } else { INTEGERS.len() })];
    if !tensor.float_data.is_empty() {
        let at = random.below(tensor.float_data.len());
        tensor.float_data[at] = float;
    } else if !tensor.int64_data.is_empty() {
        let at = random.below(tensor.int64_data.len());
        tensor.int64_data[at] = integer;
    } else if tensor.raw_data.len() >= 8 {
        let word: &[u8] = match tensor.data_type {
            1 => &float.to_le_bytes(),
            7 => &integer.to_le_bytes(),
            _ => &[random.next() as u8],
        };
        let at = random.below(tensor.raw_data.len() / word.len()) * word.len();
        let mut raw = tensor.raw_data.to_vec();
        raw[at..at + word.len()].copy_from_slice(word);
        tensor.raw_data = raw;
    }
}
