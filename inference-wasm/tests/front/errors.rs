//! What is refused, and what is said of it.

use beira_inference_wasm::{Options, Reference, compile, operators};
use prost::Message;
use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto, TypeProto, tensor_shape_proto, type_proto};

use crate::build;
use crate::support::folder;

fn model(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name).with_extension("onnx")).unwrap()
}

/// A model of `tests/models` with a change, and what is said of it.
fn check(name: &str, change: impl FnOnce(&mut ModelProto), expected: &str) {
    let mut proto = ModelProto::decode(&*model(name)).unwrap();
    change(&mut proto);
    let bytes = proto.encode_to_vec();
    let error = compile(&bytes, &Options::default()).map(drop).unwrap_err().to_string();
    assert_eq!(error, expected);
    assert_eq!(Reference::load(&bytes).map(drop).unwrap_err().to_string(), expected);
}

fn node(proto: &mut ModelProto, i: usize) -> &mut NodeProto {
    &mut proto.graph.as_mut().unwrap().node[i]
}

fn tensor(ty: &mut Option<TypeProto>) -> &mut type_proto::Tensor {
    let Some(type_proto::Value::TensorType(tensor)) = &mut ty.as_mut().unwrap().value else { panic!("no tensor") };
    tensor
}

#[test]
fn an_unsupported_operator_is_named_with_its_node() {
    check(
        "mlp",
        |m| node(m, 1).op_type = "Det".into(),
        "node \"MatMul\" (Det): operator Det is not supported; express it with supported operators when exporting",
    );
    check(
        "logistic_binary",
        |m| node(m, 0).op_type = "DictVectorizer".into(),
        "node \"Scaler\" (DictVectorizer): a map that is no input of the model is not supported; \
         feed the map as the model's input",
    );
}

#[test]
fn attributes_are_checked_before_anything_runs() {
    check(
        "logistic_binary",
        |m| node(m, 0).attribute.retain(|a| a.name != "scale"),
        "node \"Scaler\" (Scaler): needs as many `offset` as `scale`, it has 6 and 0",
    );
    check(
        "random_forest_regressor",
        |m| node(m, 0).attribute.iter_mut().find(|a| a.name == "nodes_truenodeids").unwrap().ints[0] = 99,
        "node \"TreeEnsembleRegressor\" (TreeEnsembleRegressor): node 0 of tree 0 has no child 99",
    );
    // The root as its own grandchild: a circle that would never end.
    check(
        "random_forest_regressor",
        |m| node(m, 0).attribute.iter_mut().find(|a| a.name == "nodes_truenodeids").unwrap().ints[1] = 1,
        "node \"TreeEnsembleRegressor\" (TreeEnsembleRegressor): node 1 of tree 0 is the child of two nodes",
    );
}

#[test]
fn names_that_lead_nowhere() {
    check(
        "mlp",
        |m| m.graph.as_mut().unwrap().initializer.retain(|i| i.name != "coefficient"),
        "node \"MatMul\" (MatMul): its input \"coefficient\" is no input, no initializer and no earlier node's output",
    );
    check(
        "mlp",
        |m| m.graph.as_mut().unwrap().output[0].name = "nothing".into(),
        "output \"nothing\" of the model: is made by no node",
    );
}

#[test]
fn constants_are_as_long_as_they_say_and_inside_the_file() {
    check(
        "mlp",
        |m| m.graph.as_mut().unwrap().initializer[0].dims[0] = 7,
        "initializer \"coefficient\": holds 48 elements, but its shape says 56",
    );
    check(
        "mlp",
        |m| m.graph.as_mut().unwrap().initializer[0].dims = vec![1 << 40, 1 << 40],
        "the number of elements of initializer \"coefficient\" is 18446744073709551615, more than the limit of 268435456",
    );
    check(
        "mlp",
        |m| m.graph.as_mut().unwrap().initializer[0].data_location = Some(1),
        "initializer \"coefficient\": data outside the file is not supported; save the model as one file \
         (`onnx.save(model, path, save_as_external_data=False)`)",
    );
}

#[test]
fn data_outside_the_file_inside_a_branch() {
    check(
        "mlp",
        |m| {
            let graph = m.graph.as_mut().unwrap();
            let mut weights = graph.initializer[0].clone();
            weights.data_location = Some(1);
            let branch = GraphProto { initializer: vec![weights], ..GraphProto::default() };
            let attribute = AttributeProto { name: "then_branch".into(), g: Some(branch), ..AttributeProto::default() };
            graph.node[0].attribute.push(attribute);
        },
        "initializer \"coefficient\": data outside the file is not supported; save the model as one file \
         (`onnx.save(model, path, save_as_external_data=False)`)",
    );
}

#[test]
fn only_rows_may_be_free() {
    check(
        "mlp",
        |m| {
            let input = tensor(&mut m.graph.as_mut().unwrap().input[0].r#type);
            input.shape.as_mut().unwrap().dim[1].value =
                Some(tensor_shape_proto::dimension::Value::DimParam("k".into()));
        },
        "input \"X\": a free dimension at axis 1 is not supported; give the size: --shape X=n,k; \
         only the first axis may stay free, it counts rows",
    );
}

/// Wherever a file is cut or a byte is turned: an error or a model, never a panic.
#[test]
fn damaged_files() {
    let whole = model("mixed_columns");
    let error = |bytes: &[u8]| compile(bytes, &Options::default()).map(drop).map_err(|e| e.to_string());
    assert_eq!(error(b"").unwrap_err(), "not a readable ONNX file: the file is empty");
    assert!(error(b"PK\x03\x04 this is a zip").unwrap_err().starts_with("not a readable ONNX file: "));
    for cut in (1..whole.len()).step_by(37) {
        assert!(error(&whole[..cut]).is_err(), "cut at {cut}");
    }
    for at in (0..whole.len()).step_by(23) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x15;
        let _ = error(&damaged);
    }
}

#[test]
fn names_of_columns_fit_the_input() {
    let columns = |name: &str, names: &[&str]| Options {
        columns: [(name.to_owned(), names.iter().map(|n| n.to_string()).collect())].into(),
        ..Options::default()
    };
    let error = |options| compile(&model("mlp"), &options).map(drop).unwrap_err().to_string();
    assert_eq!(error(columns("Y", &[])), "columns of input \"Y\": the model has no such input");
    assert_eq!(error(columns("X", &["a", "b"])), "columns of input \"X\": 2 names for 6 elements of a row");
    let compiled = compile(&model("mlp"), &columns("X", &["a", "b", "c", "d", "e", "f"])).unwrap();
    assert_eq!(compiled.manifest.inputs[0].element_names(), ["a", "b", "c", "d", "e", "f"]);
}

#[test]
fn shapes_given_fix_what_the_file_leaves_free() {
    let shaped =
        |dims: &[Option<usize>]| Options { shapes: [("X".to_owned(), dims.to_vec())].into(), ..Options::default() };
    let shape = |options: &Options| compile(&model("mlp"), options).unwrap().manifest.inputs[0].shape.clone();
    assert_eq!(shape(&shaped(&[None, Some(6)])), [-1, 6]);
    assert_eq!(shape(&shaped(&[Some(4), Some(6)])), [4, 6]);
    assert_eq!(shape(&Options { batch: Some(3), ..Options::default() }), [3, 6]);
    let error = |dims: &[Option<usize>]| compile(&model("mlp"), &shaped(dims)).unwrap_err().to_string();
    assert_eq!(error(&[None, Some(7)]), "input \"X\": has size 6 at axis 1, the shape given differs");
    assert_eq!(error(&[None]), "input \"X\": has 2 axes, the shape given has 1");
}

#[test]
fn a_region_of_the_wrong_size_is_refused() {
    let reference = Reference::load(&model("mlp")).unwrap();
    let error = reference.run(2, &[vec![0; 24]]).unwrap_err().to_string();
    assert_eq!(error, "input \"X\": the region has 24 bytes, 2 rows have 48");
}

#[test]
fn the_report_counts_operators_and_says_what_is_missing() {
    let mut proto = ModelProto::decode(&*model("mlp")).unwrap();
    node(&mut proto, 0).op_type = "RandomNormal".into();
    let report = operators(&proto.encode_to_vec()).unwrap();
    assert_eq!((report[0].op.as_str(), report[0].supported, report[0].nodes), ("RandomNormal", false, 1));
    let help = "export the model in inference mode: a module gives the same answer every time";
    assert_eq!(report[0].help.as_deref(), Some(help));
    let matmul = report.iter().find(|r| r.op == "MatMul").unwrap();
    assert_eq!(
        (matmul.supported, matmul.nodes, &matmul.examples[..]),
        (true, 3, &["MatMul".to_owned(), "MatMul1".into(), "MatMul2".into()][..])
    );
}

#[test]
fn strings_are_not_compared_with_numbers() {
    let twice = |m: &mut ModelProto| {
        let graph = m.graph.as_mut().unwrap();
        let strings = graph.input.iter().find(|i| i.name == "colour").unwrap().name.clone();
        let input = vec![strings, "weight".into()];
        let node = NodeProto { op_type: "Equal".into(), input, output: vec!["same".into()], ..Default::default() };
        graph.node.insert(0, node);
    };
    check("mixed_columns", twice, "node \"same\" (Equal): brings strings together with numbers");
}

#[test]
fn positions_are_integers() {
    for op in ["Gather", "GatherElements"] {
        let nodes =
            vec![build::node("Sigmoid", &["x"], "share", vec![]), build::node(op, &["x", "share"], "y", vec![])];
        let bytes = build::model(&[2, 4], Vec::new(), nodes).encode_to_vec();
        let error = compile(&bytes, &Options::default()).map(drop).unwrap_err().to_string();
        assert!(error.contains(&format!("{op}\"")) && error.contains("positions that are no integers"), "{error}");
    }
}
