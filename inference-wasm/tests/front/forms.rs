//! What a file may hold besides plain operators: types, loops, functions, maps, sequences, nothing.

use beira_inference_wasm::{Options, compile};
use contract::{Datatype, half};
use prost::Message;
use tract_onnx::pb::tensor_proto::DataType::{Bool, Double, Float, Float16, Int64, Uint8, Undefined};
use tract_onnx::pb::{AttributeProto, FunctionProto, GraphProto, NodeProto, TensorProto, attribute_proto};

use crate::answers::{answer, check, floats, number, region};
use crate::build::{bytes, float, int, int64, ints, model, node, tensor, typed, value};

#[test]
fn sixteen_bits_outside_thirty_two_within() {
    let weights = TensorProto { data_type: Float16 as i32, int32_data: vec![0x3c00, 0xc100], ..float("w", &[2], &[]) };
    let nodes = vec![node("Mul", &["x", "w"], "y", vec![])];
    let model = typed(&[("x", Float16, &[0, 2])], ("y", Float16), vec![weights], nodes);
    let halves = |numbers: [f32; 2]| numbers.iter().flat_map(|x| half::narrow(*x).to_le_bytes()).collect::<Vec<u8>>();
    let (compiled, got) = answer(&model, vec![halves([0.1, 3.0])]);
    assert_eq!(got, halves([half::widen(half::narrow(0.1)), -7.5]));
    assert_eq!(compiled.manifest.inputs[0].datatype, Datatype::Fp16);
    assert_eq!(compiled.manifest.outputs[0].datatype, Datatype::Fp16);
    let cast = |to| {
        typed(&[("x", Float, &[0, 1])], ("y", to), vec![], vec![node("Cast", &["x"], "y", vec![int("to", to as i64)])])
    };
    assert_eq!(answer(&cast(Float16), vec![region(&[70000.0])]).1, 0x7c00u16.to_le_bytes(), "beyond 65504: infinity");
}

#[test]
fn models_without_inputs_and_axes_without_elements() {
    let constant = node("Constant", &[], "y", vec![tensor("value", float("", &[2], &[1.5, 2.5]))]);
    check(&typed(&[], ("y", Float), vec![], vec![constant]), &[], &[1.5, 2.5]);
    let sliced = |more: NodeProto| {
        let bounds = vec![int64("s", &[1], &[2]), int64("e", &[1], &[2]), int64("a", &[1], &[1])];
        model(&[0, 4], bounds, vec![node("Slice", &["x", "s", "e", "a"], "n", vec![]), more])
    };
    let x: &[f32] = &[1.0, 2.0, 3.0, 4.0];
    check(&sliced(node("ReduceSum", &["n", "a"], "y", vec![])), &[x], &[0.0]);
    check(&sliced(node("ReduceMax", &["n"], "y", vec![ints("axes", &[1])])), &[x], &[f32::NEG_INFINITY]);
    check(&sliced(node("Concat", &["n", "x"], "y", vec![int("axis", 1)])), &[x], x);
    check(&sliced(node("Relu", &["n"], "y", vec![])), &[x], &[]);
}

/// `y = 2ⁿ x`, and what it was after each step.
#[test]
fn a_loop_of_a_known_number_of_steps() {
    let body = GraphProto {
        name: "body".into(),
        input: vec![value("i", Int64, Some(&[])), value("c", Bool, Some(&[])), value("v", Undefined, None)],
        output: ["c2", "w", "each"].map(|name| value(name, Undefined, None)).into(),
        node: vec![
            node("Identity", &["c"], "c2", vec![]),
            node("Add", &["v", "v"], "w", vec![]),
            node("Add", &["w", "x"], "each", vec![]),
        ],
        ..Default::default()
    };
    let graph = AttributeProto {
        name: "body".into(),
        r#type: attribute_proto::AttributeType::Graph as i32,
        g: Some(body),
        ..Default::default()
    };
    let mut looped = node("Loop", &["n", "", "x"], "last", vec![graph]);
    looped.output.push("all".into());
    let unsqueezed = node("Unsqueeze", &["last", "zero"], "one", vec![]);
    let nodes = vec![looped, unsqueezed, node("Concat", &["all", "one"], "y", vec![int("axis", 0)])];
    let constants = vec![int64("n", &[], &[3]), int64("zero", &[1], &[0])];
    check(&model(&[1, 1], constants, nodes), &[&[1.0]], &[3.0, 5.0, 9.0, 8.0]);
}

#[test]
fn trees_that_ask_for_members_of_sets() {
    let sets = float("", &[5], &[1.0, 4.0, f32::NAN, 7.0, f32::NAN]);
    let attributes = vec![
        ints("tree_roots", &[0]),
        ints("nodes_featureids", &[0, 1]),
        tensor("nodes_modes", bytes("", Uint8, &[2], &[6, 6])),
        tensor("nodes_splits", float("", &[2], &[0.0, 0.0])),
        ints("nodes_truenodeids", &[0, 1]),
        ints("nodes_trueleafs", &[1, 1]),
        ints("nodes_falsenodeids", &[1, 2]),
        ints("nodes_falseleafs", &[0, 1]),
        ints("leaf_targetids", &[0, 0, 0]),
        tensor("leaf_weights", float("", &[3], &[10.0, 20.0, 30.0])),
        tensor("membership_values", sets),
    ];
    let mut trees = node("TreeEnsemble", &["x"], "y", attributes);
    trees.domain = "ai.onnx.ml".into();
    // Four rows in one call: the forest walks each.
    let x: &[f32] = &[4.0, 0.0, 2.0, 7.0, 2.0, 1.0, f32::NAN, 7.0];
    check(&model(&[4, 2], vec![], vec![trees]), &[x], &[10.0, 20.0, 30.0, 20.0]);
}

#[test]
fn maps_are_columns() {
    let strings = AttributeProto {
        name: "string_vocabulary".into(),
        r#type: attribute_proto::AttributeType::Strings as i32,
        strings: vec![b"age".to_vec(), b"size".to_vec()],
        ..Default::default()
    };
    let mut dict = node("DictVectorizer", &["x"], "y", vec![strings]);
    dict.domain = "ai.onnx.ml".into();
    let model = typed(&[("x", Float, &[])], ("y", Float), vec![], vec![dict]);
    // The type of `x` is a map of strings to floats, which tract's protobuf does not know: a field that stands twice is
    // merged.
    let mut onnx = model;
    onnx.graph.as_mut().unwrap().input.clear();
    let field = |tag: u8, content: &[u8]| [&[tag << 3 | 2, content.len() as u8], content].concat();
    let map = [&[0x08, 8][..], &field(2, &field(1, &[0x08, 1]))].concat();
    let input = [field(1, b"x"), field(2, &field(5, &map))].concat();
    let bytes = [onnx.encode_to_vec(), field(7, &field(11, &input))].concat();
    let compiled = compile(&bytes, &Options::default()).unwrap();
    assert_eq!(compiled.manifest.inputs[0].columns.as_deref(), Some(&["age".to_owned(), "size".to_owned()][..]));
    let module = host_native::Module::load(&compiled.wasm).unwrap();
    let batch = host_native::Batch { rows: 1, inputs: vec![region(&[30.0, f32::NAN])] };
    assert_eq!(floats(&module.run(&batch).unwrap()[0]), [30.0, 0.0], "a missing key counts as 0");
}

#[test]
fn weights_of_doubles_are_computed_as_doubles() {
    let weights = TensorProto { data_type: Double as i32, double_data: vec![0.1, 0.2], ..float("w", &[2], &[]) };
    let nodes = vec![node("Add", &["x", "w"], "y", vec![])];
    let model = typed(&[("x", Double, &[0, 2])], ("y", Double), vec![weights], nodes);
    let doubles = |numbers: [f64; 2]| numbers.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    assert_eq!(answer(&model, vec![doubles([0.2, 1.0])]).1, doubles([0.1 + 0.2, 1.2]));
}

#[test]
fn masks_and_sequences_at_the_end() {
    let mut dropout = node("Dropout", &["x"], "kept", vec![]);
    dropout.output.push("y".into());
    let masked = typed(&[("x", Float, &[0, 2])], ("y", Bool), vec![], vec![dropout]);
    assert_eq!(answer(&masked, vec![region(&[0.0, f32::NAN])]).1, [1, 1]);
    let twice = vec![node("Add", &["x", "x"], "d", vec![]), node("SequenceConstruct", &["x", "d"], "y", vec![])];
    let (compiled, _) = answer(&model(&[0, 1], vec![], twice), vec![region(&[1.5])]);
    let names: Vec<&str> = compiled.manifest.outputs.iter().map(|o| &*o.name).collect();
    assert_eq!(names, ["y[0]", "y[1]"]);
}

/// `Twice(x) = By(x)`, `By(x) = x · by`, the factor an attribute with a default.
#[test]
fn functions_of_the_model() {
    let refers =
        AttributeProto { name: "value_float".into(), ref_attr_name: "by".into(), r#type: 1, ..Default::default() };
    let of = |name: &str, nodes: Vec<NodeProto>| FunctionProto {
        name: Some(name.into()),
        domain: Some("own".into()),
        input: vec!["a".into()],
        output: vec!["b".into()],
        attribute: vec!["by".into()],
        node: nodes,
        ..Default::default()
    };
    let own = |op: &str, inputs: &[&str], output: &str, attributes| NodeProto {
        domain: "own".into(),
        ..node(op, inputs, output, attributes)
    };
    let by = of("By", vec![node("Constant", &[], "c", vec![refers]), node("Mul", &["a", "c"], "b", vec![])]);
    let twice = of("Twice", vec![own("By", &["a"], "b", vec![number("by", 2.0)])]);
    let nodes = vec![own("Twice", &["x"], "t", vec![]), own("By", &["t"], "y", vec![number("by", 5.0)])];
    let mut calls = model(&[0, 1], vec![], nodes);
    calls.functions = vec![by, twice];
    check(&calls, &[&[1.5]], &[15.0]);
}
