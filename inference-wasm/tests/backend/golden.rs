//! A graph's text in, the text after the passes and the module's WAT below. `INSTA_UPDATE=always` blesses.

use beira_inference_wasm::Options;

use crate::check::{compile, graph};

fn golden(name: &str, text: &str) {
    let before = graph(text);
    assert_eq!(graph(&before.to_string()).to_string(), before.to_string(), "the text form reads back");
    let compiled = compile(&before, &Options { rows_max: Some(4), ..Options::default() });
    // Custom sections are the manifest's and the graph's own text: left out.
    let wat = wasmprinter::print_bytes(&compiled.wasm).unwrap();
    let wat: Vec<&str> = wat.lines().filter(|line| !line.contains("(@custom")).collect();
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, format!("{before}\n{}\n{}", compiled.graph, wat.join("\n")));
    });
}

#[test]
fn logistic_regression() {
    golden(
        "logistic_regression",
        "%0 = input 0 : f32[3] ; x
         %1 = const [0.5, 1, 2] : f32[3]
         %2 = sub %0, %1 : f32[3] ; scaler
         %3 = const [2, 4, 8] : f32[3]
         %4 = div %2, %3 : f32[3] ; scaler
         %5 = reshape %4 : f32[1, 3]
         %6 = const [0.25, -0.5, 0.75] : f32[3, 1]
         %7 = matmul %5, %6 : f32[1, 1]
         %8 = const [0.125] : f32[1]
         %9 = add %7, %8 : f32[1, 1]
         %10 = sigmoid %9 : f32[1, 1] ; probability
         %11 = const [0.5] : f32[1, 1]
         %12 = lessequal %11, %10 : bool[1, 1]
         return %12, %10",
    );
}

#[test]
fn columns_side_by_side() {
    golden(
        "columns_side_by_side",
        "%0 = input 0 : f32[1] ; a
         %1 = input 1 : f32[1] ; b
         %2 = input 2 : i32[1] ; c
         %3 = onehot %2 categories=i32 [0, 1] : f32[1, 2]
         %4 = reshape %3 : f32[2]
         %5 = concat %0, %1, %4 axis=0 : f32[4]
         return %5",
    );
}

#[test]
fn hidden_layer() {
    golden(
        "hidden_layer",
        "%0 = input 0 : f32[1, 2]
         %1 = const [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] : f32[2, 5]
         %2 = matmul %0, %1 : f32[1, 5]
         %3 = const [1, 2, 3, 4, 5] : f32[5]
         %4 = add %2, %3 : f32[1, 5]
         %5 = relu %4 : f32[1, 5]
         return %5",
    );
}

#[test]
fn small_forest() {
    golden(
        "small_forest",
        "%0 = input 0 : f32[2]
         %1 = trees %0 sum features=2 targets=1 base=[0.5] { (x0 <= 1.5 ? [0: 1] : (x1 >= 2 ? [0: 2] : [0: 4])), (x1 <= 0 ? [0: 10] : [0: 20]) } : f32[1]
         return %1",
    );
}

#[test]
fn constants_are_folded_and_equal_work_done_once() {
    golden(
        "folding",
        "%0 = input 0 : f32[2]
         %1 = const [2] : f32
         %2 = const [3] : f32
         %3 = mul %1, %2 : f32
         %4 = mul %0, %3 : f32[2]
         %5 = mul %0, %3 : f32[2]
         %6 = add %4, %5 : f32[2]
         %7 = const [1, 1] : f32[2]
         %8 = mul %6, %7 : f32[2]
         %9 = transpose %8 perm=[0] : f32[2]
         return %9",
    );
}

#[test]
fn greatest_of_a_row() {
    golden(
        "greatest_of_a_row",
        "%0 = input 0 : f32[3]
         %1 = reducemax %0 axes=[0] : f32[1]
         %2 = arg %0 axis=0 greatest first : i64[1]
         %3 = const [10, 20, 30] : i64[3]
         %4 = gather %3, %2 axis=0 : i64[1]
         return %1, %4",
    );
}

#[test]
fn labels_by_id() {
    golden(
        "labels_by_id",
        "%0 = input 0 : i64[2]
         %1 = lookup %0 i64 [5, 1, 3] [50, 10, 30] -1 : i32[2]
         return %1",
    );
}

#[test]
fn strides() {
    golden(
        "strides",
        "%0 = input 0 : f32[2, 6]
         %1 = transpose %0 perm=[1, 0] : f32[6, 2]
         %2 = slice %1 axis=0 start=5 step=-2 : f32[3, 2]
         return %2",
    );
}
