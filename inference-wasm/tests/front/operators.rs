//! Operators and types that tract lacks, or has in fewer forms: examples with their answers.

use beira_inference_wasm::{Compiled, Options, Reference, compile};
use contract::{Datatype, half};
use prost::Message;
use tract_onnx::pb::tensor_proto::DataType::{self, Bool, Double, Float, Float16, Int8, Int64, Uint8, Undefined};
use tract_onnx::pb::{AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto, attribute_proto};

use crate::build::{bytes, float, int, int64, ints, model, node, tensor, typed, value, word};

/// The answer to one row (or to the only input), with vectors and without; tract's is close.
fn answer(model: &ModelProto, inputs: Vec<Vec<u8>>) -> (Compiled, Vec<u8>) {
    let onnx = model.encode_to_vec();
    let run = |simd: bool| {
        let compiled = compile(&onnx, &Options { simd, ..Options::default() }).unwrap_or_else(|e| panic!("{e}"));
        let module = host_native::Module::load(&compiled.wasm).unwrap();
        let answers = module.run(&host_native::Batch { rows: 1, inputs: inputs.clone() }).unwrap();
        (compiled, answers.into_iter().next().unwrap())
    };
    let (compiled, answer) = run(true);
    assert_eq!(run(false).1, answer, "without vectors");
    // Not every model that compiles can be evaluated by tract.
    let theirs = Reference::load(&onnx).and_then(|reference| reference.run(1, &inputs));
    let Ok(theirs) = theirs.map(|mut all| all.remove(0)) else { return (compiled, answer) };
    match compiled.manifest.outputs[0].datatype {
        Datatype::Fp32 => {
            for (ours, theirs) in floats(&answer).into_iter().zip(floats(&theirs)).filter(|(x, _)| x.is_finite()) {
                assert!((ours - theirs).abs() <= 1e-5 * theirs.abs().max(1.0), "{ours}, tract says {theirs}");
            }
        }
        _ => assert_eq!(answer, theirs, "tract"),
    }
    (compiled, answer)
}

/// A model of floats, and its answer.
#[track_caller]
fn check(model: &ModelProto, inputs: &[&[f32]], expected: &[f32]) {
    let got = floats(&answer(model, inputs.iter().map(|i| region(i)).collect()).1);
    let close = |(a, b): (&f32, &f32)| a == b || (a - b).abs() <= 1e-5 * b.abs().max(1.0);
    assert!(got.len() == expected.len() && got.iter().zip(expected).all(close), "{got:?}, not {expected:?}");
}

fn region(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn floats(region: &[u8]) -> Vec<f32> {
    region.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

fn number(name: &str, f: f32) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: attribute_proto::AttributeType::Float as i32, f, ..Default::default() }
}

fn one(
    shape: &[i64],
    constants: Vec<TensorProto>,
    op: &str,
    inputs: &[&str],
    attributes: Vec<AttributeProto>,
) -> ModelProto {
    model(shape, constants, vec![node(op, inputs, "y", attributes)])
}

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

#[test]
fn one_hot_of_values_that_are_fed() {
    let depth = vec![int64("d", &[], &[3])];
    let nodes = vec![node("OneHot", &["x", "d", "v"], "y", vec![int("axis", 1)])];
    let model = typed(&[("x", Int64, &[2]), ("v", Float, &[2])], ("y", Float), depth, nodes);
    let places: Vec<u8> = [0i64, -1].iter().flat_map(|i| i.to_le_bytes()).collect();
    let got = answer(&model, vec![places, region(&[5.0, 7.0])]).1;
    assert_eq!(floats(&got), [7.0, 5.0, 5.0, 5.0, 5.0, 7.0]);
}

#[test]
fn running_products() {
    let along = |attributes| one(&[0, 4], vec![int64("a", &[], &[1])], "CumProd", &["x", "a"], attributes);
    let x: &[f32] = &[2.0, 3.0, 0.5, 4.0];
    check(&along(vec![]), &[x], &[2.0, 6.0, 3.0, 12.0]);
    check(&along(vec![int("exclusive", 1), int("reverse", 1)]), &[x], &[6.0, 2.0, 4.0, 1.0]);
}

#[test]
fn windows() {
    let x: &[f32] = &[3.0, -4.0, 12.0, 5.0];
    check(
        &one(&[0, 1, 4], vec![], "LpPool", &["x"], vec![ints("kernel_shape", &[2])]),
        &[x],
        &[5.0, 160f32.sqrt(), 13.0],
    );
    let cube = vec![ints("kernel_shape", &[2]), ints("strides", &[2]), int("p", 3)];
    check(&one(&[0, 1, 4], vec![], "LpPool", &["x"], cube), &[x], &[91f32.cbrt(), 1853f32.cbrt()]);
    let lrn = vec![int("size", 3), number("alpha", 3.0), number("beta", 0.5), number("bias", 1.0)];
    let by = |squares: f32| (1.0 + squares).sqrt();
    check(
        &one(&[0, 4, 1], vec![], "LRN", &["x"], lrn),
        &[x],
        &[3.0 / by(25.0), -4.0 / by(169.0), 12.0 / by(185.0), 5.0 / by(169.0)],
    );
}

#[test]
fn sampling_between_elements_and_beyond_them() {
    let at = |mode: &str, padding: &str, corners: i64, places: &[f32]| {
        let grid = float("g", &[1, 1, places.len() as i64 / 2, 2], places);
        let attributes = vec![word("mode", mode), word("padding_mode", padding), int("align_corners", corners)];
        one(&[1, 1, 2, 2], vec![grid], "GridSample", &["x", "g"], attributes)
    };
    let x: &[f32] = &[1.0, 2.0, 3.0, 4.0];
    check(&at("bilinear", "zeros", 1, &[0.0, 0.0, -1.0, 1.0, 3.0, 0.0]), &[x], &[2.5, 3.0, 0.0]);
    check(&at("bilinear", "border", 0, &[-9.0, -9.0, 0.5, 0.0]), &[x], &[1.0, 3.0]);
    check(&at("nearest", "reflection", 0, &[1.6, -0.5]), &[x], &[2.0]);
    check(&at("bicubic", "border", 1, &[0.0, -1.0]), &[x], &[1.5]);
}

#[test]
fn normalized_by_given_numbers_and_by_the_batch() {
    let channels = |name: &str, numbers| float(name, &[2], numbers);
    let given = || {
        vec![
            channels("s", &[2.0, 1.0]),
            channels("b", &[0.5, 0.0]),
            channels("m", &[1.0, 2.0]),
            channels("v", &[4.0, 1.0]),
        ]
    };
    let names = ["x", "s", "b", "m", "v"];
    let model = one(&[0, 2], given(), "BatchNormalization", &names, vec![number("epsilon", 0.0)]);
    check(&model, &[&[3.0, 5.0]], &[2.5, 3.0]);
    let training = vec![number("epsilon", 0.0), int("training_mode", 1)];
    let model = one(&[2, 2], given(), "BatchNormalization", &names, training);
    check(&model, &[&[1.0, 0.0, 3.0, 4.0]], &[-1.5, -1.0, 2.5, 1.0]);
}

#[test]
fn padding_of_every_kind() {
    let pads = |pads: &[i64]| vec![int64("p", &[4], &[0, pads[0], 0, pads[1]])];
    let x: &[f32] = &[1.0, 2.0, 3.0, 4.0];
    let wrap = one(&[0, 4], pads(&[1, 2]), "Pad", &["x", "p"], vec![word("mode", "wrap")]);
    check(&wrap, &[x], &[4.0, 1.0, 2.0, 3.0, 4.0, 1.0, 2.0]);
    check(&one(&[0, 4], pads(&[-1, 1]), "Pad", &["x", "p"], vec![]), &[x], &[2.0, 3.0, 4.0, 0.0]);
    let fed = [("x", Float, &[1, 2][..]), ("v", Float, &[])];
    let fed = typed(&fed, ("y", Float), pads(&[1, 1]), vec![node("Pad", &["x", "p", "v"], "y", vec![])]);
    check(&fed, &[&[1.0, 2.0], &[9.0]], &[9.0, 1.0, 2.0, 9.0]);
}

#[test]
fn chosen_slices_and_slopes_by_channel() {
    let chosen = vec![bytes("c", Bool, &[3], &[0, 1, 1])];
    check(&one(&[0, 4], chosen, "Compress", &["x", "c"], vec![int("axis", 1)]), &[&[1.0, 2.0, 3.0, 4.0]], &[2.0, 3.0]);
    let slopes = vec![float("s", &[2], &[0.5, 0.1])];
    let x: &[f32] = &[-1.0, 2.0, -3.0, -1.0, 2.0, -3.0];
    check(&one(&[0, 2, 3], slopes, "PRelu", &["x", "s"], vec![]), &[x], &[-0.5, 2.0, -1.5, -0.1, 2.0, -0.3]);
}

#[test]
fn convolutions_of_integers() {
    let kernel = || bytes("w", Int8, &[1, 1, 2], &[1, 0xff]);
    let zero = |name: &str, ty: DataType, at: u8| bytes(name, ty, &[], &[at]);
    let constants = vec![kernel(), zero("z", Uint8, 128)];
    let nodes = vec![node("ConvInteger", &["x", "w", "z"], "y", vec![ints("pads", &[1, 0])])];
    let model = typed(&[("x", Uint8, &[1, 1, 3])], ("y", Undefined), constants, nodes);
    let sums: Vec<u8> = [-2i32, 2 - 127, 127].iter().flat_map(|x| x.to_le_bytes()).collect();
    assert_eq!(answer(&model, vec![vec![130, 255, 128]]).1, sums);
    let scale = |name: &str, x: f32| float(name, &[], &[x]);
    let constants = vec![
        kernel(),
        zero("z", Uint8, 128),
        zero("k", Int8, 0),
        zero("o", Uint8, 10),
        scale("a", 0.5),
        scale("b", 2.0),
        scale("c", 4.0),
    ];
    let nodes = vec![node("QLinearConv", &["x", "a", "z", "w", "b", "k", "c", "o"], "y", vec![])];
    let model = typed(&[("x", Uint8, &[1, 1, 3])], ("y", Undefined), constants, nodes);
    assert_eq!(answer(&model, vec![vec![148, 128, 255]]).1, [15, 0], "20 / 4 + 10, and below 0");
}

#[test]
fn scales_for_blocks() {
    let constants = vec![float("s", &[1, 2], &[0.5, 2.0])];
    let nodes = vec![node("DequantizeLinear", &["x", "s"], "y", vec![int("axis", 1), int("block_size", 2)])];
    let model = typed(&[("x", Int8, &[1, 4])], ("y", Float), constants, nodes);
    assert_eq!(floats(&answer(&model, vec![vec![1, 2, 3, 0xff]]).1), [0.5, 1.0, 6.0, -2.0]);
}

#[test]
fn extremes_and_diagonals_of_every_type() {
    let nodes = vec![node("ReduceMax", &["x"], "y", vec![ints("axes", &[1]), int("keepdims", 0)])];
    let any = typed(&[("x", Bool, &[0, 3])], ("y", Bool), vec![], nodes);
    assert_eq!(answer(&any, vec![vec![0, 1, 0]]).1, [1]);
    let nodes = vec![node("Einsum", &["x"], "y", vec![word("equation", "bii->bi")])];
    check(&model(&[0, 2, 2], vec![], nodes), &[&[1.0, 2.0, 3.0, 4.0]], &[1.0, 4.0]);
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

/// Two places that look at two others: a mask hides one, a cap keeps scores near 0.
#[test]
fn attention_with_cap_and_mask() {
    let constants = vec![
        float("k", &[1, 1, 2, 1], &[1.0, -1.0]),
        float("v", &[1, 1, 2, 1], &[10.0, 20.0]),
        bytes("m", Bool, &[2, 2], &[1, 1, 0, 1]),
    ];
    let attributes = vec![number("scale", 1.0), number("softcap", 0.5)];
    let model = one(&[1, 1, 2, 1], constants, "Attention", &["x", "k", "v", "m"], attributes);
    let capped = 0.5 * (3f32 / 0.5).tanh();
    let share = 1.0 / (1.0 + (-2.0 * capped).exp());
    check(&model, &[&[3.0, 1.0]], &[10.0 * share + 20.0 * (1.0 - share), 20.0]);
}

#[test]
fn spectra() {
    let x: &[f32] = &[1.0, 2.0, 3.0, 4.0];
    let along = |attributes| one(&[0, 4, 1], vec![], "DFT", &["x"], attributes);
    check(&along(vec![int("onesided", 1), int("axis", 1)]), &[x], &[10.0, 0.0, -2.0, 2.0, -2.0, 0.0]);
    let there_and_back = vec![
        node("DFT", &["x"], "f", vec![int("axis", 1)]),
        node("DFT", &["f"], "b", vec![int("axis", 1), int("inverse", 1)]),
        node("Mul", &["b", "real"], "r", vec![]),
        node("ReduceSum", &["r", "last"], "y", vec![]),
    ];
    let constants = vec![float("real", &[2], &[1.0, 0.0]), int64("last", &[1], &[2])];
    check(&model(&[0, 4, 1], constants, there_and_back), &[x], x);
    let constants = vec![int64("step", &[], &[2]), float("w", &[2], &[1.0, 0.5])];
    let frames = one(&[0, 4, 1], constants, "STFT", &["x", "step", "w"], vec![]);
    check(&frames, &[x], &[2.0, 0.0, 0.0, 0.0, 5.0, 0.0, 1.0, 0.0]);
}

#[test]
fn grids_and_sizes() {
    let size = vec![int64("s", &[4], &[1, 1, 1, 2])];
    let grid = one(&[0, 2, 3], size, "AffineGrid", &["x", "s"], vec![]);
    check(&grid, &[&[1.0, 0.0, 0.25, 0.0, 1.0, 0.5]], &[-0.25, 0.5, 0.75, 0.5]);
    let crop = |to: i64| {
        let attributes = vec![ints("axes", &[1])];
        one(&[0, 4], vec![int64("s", &[1], &[to])], "CenterCropPad", &["x", "s"], attributes)
    };
    let x: &[f32] = &[1.0, 2.0, 3.0, 4.0];
    check(&crop(3), &[x], &[1.0, 2.0, 3.0]);
    check(&crop(7), &[x], &[0.0, 1.0, 2.0, 3.0, 4.0, 0.0, 0.0]);
    let scales = vec![float("s", &[3], &[1.0, 1.0, 2.0])];
    let mut twice = one(&[0, 1, 2], scales, "Upsample", &["x", "s"], vec![word("mode", "nearest")]);
    twice.opset_import[0].version = 9;
    check(&twice, &[&[1.0, 2.0]], &[1.0, 1.0, 2.0, 2.0]);
}

#[test]
fn sequences_turned_round_and_bits_as_they_are() {
    let lengths = vec![int64("n", &[2], &[2, 3])];
    let attributes = vec![int("batch_axis", 0), int("time_axis", 1)];
    let turned = one(&[2, 3], lengths, "ReverseSequence", &["x", "n"], attributes);
    check(&turned, &[&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]], &[2.0, 1.0, 3.0, 6.0, 5.0, 4.0]);
    let nodes = vec![node("BitCast", &["x"], "y", vec![int("to", DataType::Uint32 as i64)])];
    let bits = typed(&[("x", Float, &[0, 1])], ("y", Undefined), vec![], nodes);
    assert_eq!(answer(&bits, vec![region(&[1.0])]).1, 0x3f80_0000u32.to_le_bytes());
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

#[test]
fn a_convolution_that_goes_on() {
    let constants = vec![float("w", &[1, 1, 2], &[10.0, 1.0]), float("p", &[1, 1, 1], &[5.0])];
    let continued = one(&[1, 1, 2], constants, "CausalConvWithState", &["x", "w", "", "p"], vec![]);
    check(&continued, &[&[1.0, 2.0]], &[51.0, 12.0]);
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
