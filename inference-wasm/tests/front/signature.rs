//! What a model says of itself.

use beira_inference_wasm::Reference;
use contract::TensorSpec;

use crate::support::folder;

/// Name, datatype, shape, strings and columns of each tensor, a line each.
fn check(model: &str, expected: &str) {
    let bytes = std::fs::read(folder().join(model).with_extension("onnx")).unwrap();
    let reference = Reference::load(&bytes).unwrap();
    let signature = reference.signature();
    let line = |way: &str, spec: &TensorSpec| {
        let list = |word: &str, list: &Option<Vec<String>>| {
            list.as_ref().map_or(String::new(), |list| format!(" {word} {}", list.join(",")))
        };
        let (strings, columns) = (list("strings", &spec.strings), list("columns", &spec.columns));
        format!("{way} {} {} {:?}{strings}{columns}", spec.name, spec.datatype, spec.shape)
    };
    let lines: Vec<String> = signature
        .inputs
        .iter()
        .map(|spec| line("in", spec))
        .chain(signature.outputs.iter().map(|spec| line("out", spec)))
        .collect();
    assert_eq!(lines.join("\n"), expected);
}

#[test]
fn strings_labels_and_zip_map() {
    check(
        "mixed_columns",
        "in colour BYTES [-1, 1] strings blue,green,red\n\
         in size BYTES [-1, 1] strings L,M,S,XL\n\
         in weight FP32 [-1, 1]\n\
         in price FP32 [-1, 1]\n\
         out output_label BYTES [-1] strings no,yes\n\
         out output_probability FP32 [-1, 2] columns no,yes",
    );
}

#[test]
fn probabilities_have_the_names_of_their_classes() {
    check(
        "logistic_three_classes",
        "in X FP32 [-1, 6]\nout label INT64 [-1]\nout probabilities FP32 [-1, 3] columns 0,1,2",
    );
}

#[test]
fn rows_that_depend_on_each_other_keep_their_shape() {
    check("rows_mixed", "in X FP32 [4, 6]\nout centred FP32 [4, 6]");
}

#[test]
fn a_value_outside_the_table_has_a_string_too() {
    check("strings_to_strings", "in code BYTES [-1, 1] strings a,b\nout word BYTES [-1, 1] strings alpha,beta,other");
}
