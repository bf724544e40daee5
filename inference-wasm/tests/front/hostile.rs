//! Files made to hurt: each is refused (or compiles) in a process that may have 1 GiB and a few seconds.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use beira_inference_wasm::{Options, compile};
use prost::Message;
use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto, attribute_proto};

use crate::build::{float, int, int64, ints, model, node, value, word};

/// Address space of the process that compiles, in KiB: 1 GiB, and what libraries and threads' stacks reserve.
const MEMORY_KIB: u64 = 1 << 20;
/// The promise is a second; an unoptimised build on a busy machine gets this much.
const TIME: Duration = Duration::from_secs(15);
/// Set in the process that compiles what comes in on standard input.
const INSIDE: &str = "BEIRA_HOSTILE";

/// What becomes of a file in a process of its own: the error, or that it compiled.
fn outcome(name: &str, model: &ModelProto) -> String {
    let bytes = model.encode_to_vec();
    let program = std::env::current_exe().unwrap();
    let script = format!("ulimit -v {MEMORY_KIB}; exec \"$0\" --exact hostile::inside --ignored --nocapture");
    let mut child = Command::new("sh")
        .args(["-c", &script])
        .arg(program)
        .env(INSIDE, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&bytes).unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > TIME {
            child.kill().unwrap();
            panic!("{name}: it took more than {TIME:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.split_once("outcome: "));
    let (_, line) = line.unwrap_or_else(|| panic!("{name}: it died: {}\n{text}", output.status));
    line.to_owned()
}

/// Refused with a sentence that names the place.
fn refused(name: &str, model: &ModelProto) {
    let outcome = outcome(name, model);
    println!("{name}: {outcome}");
    assert!(outcome.starts_with("refused: ") && !outcome.contains("mistake of the compiler"), "{name}: {outcome}");
}

/// Not a test of its own: what [`outcome`] starts.
#[test]
#[ignore = "started by the other tests of this file"]
fn inside() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes).unwrap();
    match compile(&bytes, &Options::default()) {
        Ok(compiled) => println!("outcome: compiled to {} bytes", compiled.wasm.len()),
        Err(error) => println!("outcome: refused: {}", error.to_string().replace('\n', " ")),
    }
}

const HUGE: i64 = 1 << 40;
const LARGE: i64 = 100_000;

#[test]
fn shapes_beyond_any_memory() {
    for size in [LARGE, HUGE, i64::MAX] {
        let vector = |name: &str, data: &[i64]| int64(name, &[data.len() as i64], data);
        let check =
            |name: &str, constants, nodes| refused(&format!("{name} {size}"), &model(&[1, 4], constants, nodes));
        check(
            "ConstantOfShape",
            vec![vector("s", &[size, size])],
            vec![
                node("ConstantOfShape", &["s"], "c", vec![]),
                node("ReduceSum", &["c"], "d", vec![]),
                node("Add", &["x", "d"], "y", vec![]),
            ],
        );
        check("Expand", vec![vector("s", &[size, size, 4])], vec![node("Expand", &["x", "s"], "y", vec![])]);
        check("Tile", vec![vector("s", &[size, size])], vec![node("Tile", &["x", "s"], "y", vec![])]);
        check("Pad", vec![vector("s", &[size, size, size, size])], vec![node("Pad", &["x", "s"], "y", vec![])]);
        check(
            "Range",
            vec![int64("a", &[], &[0]), int64("b", &[], &[size.saturating_mul(size)]), int64("c", &[], &[1])],
            vec![
                node("Range", &["a", "b", "c"], "r", vec![]),
                node("Cast", &["r"], "f", vec![int("to", 1)]),
                node("ReduceSum", &["f"], "d", vec![]),
                node("Add", &["x", "d"], "y", vec![]),
            ],
        );
        check(
            "OneHot",
            vec![int64("i", &[1], &[0]), int64("d", &[], &[size.saturating_mul(size)]), float("v", &[2], &[0.0, 1.0])],
            vec![
                node("OneHot", &["i", "d", "v"], "h", vec![]),
                node("ReduceSum", &["h"], "s", vec![]),
                node("Add", &["x", "s"], "y", vec![]),
            ],
        );
    }
    refused("an input", &model(&[HUGE, HUGE], vec![], vec![node("Relu", &["x"], "y", vec![])]));
    refused("an input of one row", &model(&[0, HUGE], vec![], vec![node("Relu", &["x"], "y", vec![])]));
}

/// Sixty times twice as long.
#[test]
fn a_small_file_that_unfolds() {
    let name = |i: usize| if i == 0 { "x".to_owned() } else { format!("v{i}") };
    let mut nodes: Vec<NodeProto> =
        (0..60).map(|i| node("Concat", &[&name(i), &name(i)], &name(i + 1), vec![int("axis", 1)])).collect();
    nodes.push(node("Relu", &[&name(60)], "y", vec![]));
    refused("doubling", &model(&[1, 4], vec![], nodes.clone()));
    refused("doubling rows", &model(&[0, 4], vec![], nodes));
    let products: Vec<NodeProto> = (0..60)
        .map(|i| node("Mul", &[&name(i), &name(i)], &name(i + 1), vec![]))
        .chain([node("Relu", &[&name(60)], "y", vec![])])
        .collect();
    assert!(outcome("squares", &model(&[0, 4], vec![], products)).starts_with("compiled"));
}

#[test]
fn branches_in_branches() {
    let mut inner =
        GraphProto { name: "b".into(), node: vec![node("Relu", &["x"], "y", vec![])], ..Default::default() };
    for _ in 0..200 {
        let r#type = attribute_proto::AttributeType::Graph as i32;
        let branch =
            |name: &str| AttributeProto { name: name.into(), r#type, g: Some(inner.clone()), ..Default::default() };
        let branches = vec![branch("then_branch")];
        inner = GraphProto { name: "b".into(), node: vec![node("If", &["x"], "y", branches)], ..Default::default() };
    }
    let mut whole = model(&[0, 4], vec![], vec![]);
    whole.graph.as_mut().unwrap().node = inner.node;
    refused("200 branches deep", &whole);
}

#[test]
fn operators_that_contradict_themselves() {
    let check = |name: &str, shape: &[i64], constants, nodes| refused(name, &model(shape, constants, nodes));
    let weights = || vec![float("w", &[1, 1, 1, 1], &[1.0])];
    for (name, attributes) in [
        ("no group", vec![int("group", 0)]),
        ("negative group", vec![int("group", -1)]),
        ("a stride of 0", vec![ints("strides", &[0, 0])]),
        ("a negative stride", vec![ints("strides", &[-1, -1])]),
        ("a huge dilation", vec![ints("dilations", &[HUGE, HUGE]), ints("kernel_shape", &[3, 3])]),
        ("another kernel", vec![ints("kernel_shape", &[3, 3])]),
        ("huge pads", vec![ints("pads", &[HUGE, HUGE, HUGE, HUGE])]),
        ("one pad", vec![ints("pads", &[1])]),
    ] {
        check(&format!("Conv with {name}"), &[1, 1, 4, 4], weights(), vec![node("Conv", &["x", "w"], "y", attributes)]);
    }
    for (name, attributes) in [
        ("an axis twice", vec![ints("perm", &[0, 0])]),
        ("an axis beyond", vec![ints("perm", &[0, 7])]),
        ("a negative axis", vec![ints("perm", &[0, -9])]),
        ("an axis too few", vec![ints("perm", &[0])]),
    ] {
        check(&format!("Transpose with {name}"), &[1, 4], vec![], vec![node("Transpose", &["x"], "y", attributes)]);
    }
    for (op, attributes) in [
        ("Softmax", vec![int("axis", 99)]),
        ("Concat", vec![int("axis", -99)]),
        ("Flatten", vec![int("axis", HUGE)]),
        ("ArgMax", vec![int("axis", i64::MIN)]),
        ("Cast", vec![int("to", 99)]),
        ("LpNormalization", vec![int("axis", 5)]),
        ("MaxPool", vec![ints("kernel_shape", &[HUGE, 0])]),
    ] {
        check(&format!("{op} beyond its axes"), &[1, 4], vec![], vec![node(op, &["x"], "y", attributes)]);
    }
    let places = vec![int64("i", &[2, 1], &[1, 3])];
    check("ScatterND of too many slices", &[4, 4], places, vec![node("ScatterND", &["x", "i", "x"], "y", vec![])]);
    let scatter = vec![node("ScatterElements", &["x", "i", "x"], "y", vec![])];
    check("ScatterElements of too many", &[4, 4], vec![int64("i", &[1, 4], &[1, 3, 0, 2])], scatter);
    let sizes = vec![node("NonZero", &["x"], "n", vec![]), node("Size", &["n"], "y", vec![])];
    check("Size of what depends on values", &[1, 4], vec![], sizes);
    let vector = |name: &str, data: &[i64]| int64(name, &[data.len() as i64], data);
    for (op, data) in [
        ("Reshape", &[-1, -1][..]),
        ("Reshape", &[HUGE, HUGE]),
        ("Reshape", &[-7]),
        ("Reshape", &[i64::MAX, 2]),
        ("Unsqueeze", &[99]),
        ("Unsqueeze", &[0, 0]),
        ("Squeeze", &[1]),
        ("Expand", &[3, 3]),
        ("Tile", &[-1, 1]),
        ("Tile", &[1]),
        ("Gather", &[HUGE]),
        ("Gather", &[-5]),
        ("TopK", &[99]),
        ("TopK", &[-1]),
        ("Split", &[HUGE, -HUGE]),
    ] {
        check(&format!("{op} by {data:?}"), &[1, 4], vec![vector("s", data)], vec![node(op, &["x", "s"], "y", vec![])]);
    }
}

/// What a fuzzer found: memory without end, a loop without end, a read beyond an array.
#[test]
fn axes_that_are_not_there() {
    let check = |name: &str, shape: &[i64], constants, nodes| refused(name, &model(shape, constants, nodes));
    let four = |name: &str| float(name, &[4], &[1.0; 4]);
    check(
        "a vector normalised as an image",
        &[4],
        vec![four("a"), four("b"), four("c"), four("d")],
        vec![node("BatchNormalization", &["x", "a", "b", "c", "d"], "y", vec![])],
    );
    check("a vector pooled", &[4], vec![], vec![node("MaxPool", &["x"], "y", vec![ints("kernel_shape", &[2])])]);
    check(
        "a layer's axis before the first",
        &[4],
        vec![four("s")],
        vec![node("LayerNormalization", &["x", "s"], "y", vec![int("axis", -2)])],
    );
    check(
        "ones along an axis before the first",
        &[],
        vec![int64("d", &[], &[3]), float("v", &[2], &[0.0, 1.0])],
        vec![node("OneHot", &["x", "d", "v"], "y", vec![int("axis", -2)])],
    );
    check(
        "a window larger than the image",
        &[1, 1, 8],
        vec![],
        vec![node("AveragePool", &["x"], "y", vec![ints("kernel_shape", &[5]), ints("dilations", &[2])])],
    );
    check(
        "a scan over more than there is",
        &[1, 4],
        vec![],
        vec![node("Scan", &["x"], "y", vec![int("num_scan_inputs", HUGE)])],
    );
}

/// Every operator with too few and too many inputs and no attribute at all: whatever comes of it, it is an answer.
#[test]
fn operators_without_what_they_need() {
    let text =
        std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/support.rs")).unwrap();
    let listed = text.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\","));
    let names: Vec<&str> = listed.filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric())).collect();
    assert!(names.len() > 150, "only {} operators were found", names.len());
    let error = |model: &ModelProto| compile(&model.encode_to_vec(), &Options::default()).map(drop);
    for name in names {
        for inputs in 0..5 {
            for domain in ["", "ai.onnx.ml"] {
                for shape in [&[0, 4][..], &[2, 3, 4, 4]] {
                    let list = vec!["x"; inputs];
                    let node = NodeProto { domain: domain.into(), ..node(name, &list, "y", vec![]) };
                    if let Err(error) = error(&model(shape, vec![], vec![node])) {
                        let error = error.to_string();
                        assert!(
                            !error.contains("mistake of the compiler"),
                            "{name} with {inputs} inputs of {shape:?}: {error}"
                        );
                    }
                }
            }
        }
    }
}

/// Sizes that are no constants of the file: a graph computes them, in one step or in several.
#[test]
fn sizes_that_are_computed() {
    let vector = |name: &str, data: &[i64]| int64(name, &[data.len() as i64], data);
    // 30000 to the third, as a vector of two and as a number.
    let made = || {
        vec![
            node("Mul", &["a", "a"], "b", vec![]),
            node("Mul", &["b", "a"], "c", vec![]),
            node("Concat", &["c", "c"], "shape", vec![int("axis", 0)]),
            node("Squeeze", &["c"], "number", vec![]),
            node("Cast", &["c"], "pair", vec![int("to", 7)]),
        ]
    };
    let sum = |of: &str| {
        vec![
            node("Cast", &[of], "f", vec![int("to", 1)]),
            node("ReduceSum", &["f"], "d", vec![int("keepdims", 0)]),
            node("Add", &["x", "d"], "y", vec![]),
        ]
    };
    let check = |name: &str, more: Vec<NodeProto>| {
        let constants = vec![
            vector("a", &[30_000]),
            vector("one", &[1]),
            int64("zero", &[], &[0]),
            int64("step", &[], &[1]),
            float("values", &[2], &[0.0, 1.0]),
            float("small", &[1, 1], &[1.0]),
        ];
        refused(name, &model(&[1, 4], constants, [made(), more].concat()));
    };
    check("ConstantOfShape", [vec![node("ConstantOfShape", &["shape"], "h", vec![])], sum("h")].concat());
    check("Expand of a constant", [vec![node("Expand", &["small", "shape"], "h", vec![])], sum("h")].concat());
    check(
        "Expand of an input",
        vec![
            node("Concat", &["c", "c", "one"], "long", vec![int("axis", 0)]),
            node("Expand", &["x", "long"], "y", vec![]),
        ],
    );
    check("Tile of a constant", [vec![node("Tile", &["small", "shape"], "h", vec![])], sum("h")].concat());
    check("Tile of an input", vec![node("Tile", &["x", "shape"], "y", vec![])]);
    check("Range", [vec![node("Range", &["zero", "number", "step"], "h", vec![])], sum("h")].concat());
    check("OneHot", [vec![node("OneHot", &["one", "number", "values"], "h", vec![])], sum("h")].concat());
    check(
        "Pad",
        vec![
            node("Concat", &["shape", "shape"], "pads", vec![int("axis", 0)]),
            node("Pad", &["x", "pads"], "y", vec![]),
        ],
    );
    check(
        "Pad around and around",
        vec![
            node("Concat", &["shape", "shape"], "pads", vec![int("axis", 0)]),
            node("Pad", &["x", "pads"], "y", vec![word("mode", "wrap")]),
        ],
    );
}

/// A constant that grows step by step, each step small beside the one before; and one inside a branch.
#[test]
fn constants_that_grow() {
    let name = |i: usize| if i == 0 { "w".to_owned() } else { format!("v{i}") };
    let mut nodes: Vec<NodeProto> =
        (0..60).map(|i| node("Concat", &[&name(i), &name(i)], &name(i + 1), vec![int("axis", 0)])).collect();
    nodes.push(node("ReduceSum", &[&name(60)], "s", vec![int("keepdims", 0)]));
    nodes.push(node("Add", &["x", "s"], "y", vec![]));
    let weights = || vec![float("w", &[4], &[1.0; 4])];
    refused("doubling", &model(&[1, 4], weights(), nodes));

    let inner = GraphProto {
        name: "b".into(),
        node: vec![
            node("Mul", &["big", "big"], "shape", vec![]),
            node("ConstantOfShape", &["shape"], "h", vec![]),
            node("ReduceSum", &["h"], "out", vec![int("keepdims", 0)]),
        ],
        initializer: vec![int64("big", &[1], &[1 << 15])],
        output: vec![value("out", tract_onnx::pb::tensor_proto::DataType::Float, None)],
        ..Default::default()
    };
    let r#type = attribute_proto::AttributeType::Graph as i32;
    let branch =
        |name: &str| AttributeProto { name: name.into(), r#type, g: Some(inner.clone()), ..Default::default() };
    let nodes = vec![
        node("ReduceMax", &["x"], "m", vec![int("keepdims", 0)]),
        node("Cast", &["m"], "c", vec![int("to", 9)]),
        node("If", &["c"], "i", vec![branch("then_branch"), branch("else_branch")]),
        node("Add", &["x", "i"], "y", vec![]),
    ];
    refused("inside a branch", &model(&[1, 4], vec![], nodes));
}

/// A function that calls itself, and twice sixty times.
#[test]
fn functions_without_an_end() {
    let own = |inputs: &[&str], output: &str| NodeProto { domain: "own".into(), ..node("F", inputs, output, vec![]) };
    let function = tract_onnx::pb::FunctionProto {
        name: Some("F".into()),
        domain: Some("own".into()),
        input: vec!["a".into()],
        output: vec!["b".into()],
        node: vec![own(&["a"], "c"), own(&["c"], "b")],
        ..Default::default()
    };
    let mut calls = model(&[1, 4], vec![], vec![own(&["x"], "y")]);
    calls.functions = vec![function];
    refused("recursion", &calls);
    refused("a sequence of nothing", &model(&[1, 4], vec![], vec![node("SequenceConstruct", &[], "y", vec![])]));
}
