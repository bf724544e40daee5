//! What is refused, and how it is said.

use beira_inference_wasm::Options;
use beira_inference_wasm::backend::build;

use crate::check::{compile, evaluate, f32s, graph, signature, values, wasmi, wasmtime};
use beira_inference_wasm::graph::Type;

const DOUBLE: &str = "%0 = input 0 : f32[2]\n%1 = add %0, %0 : f32[2]\nreturn %1";

#[test]
fn rows_from_one_to_rows_max_and_no_others() {
    let graph = graph(DOUBLE);
    let compiled = compile(&graph, &Options { rows_max: Some(5), ..Options::default() });
    assert_eq!(compiled.manifest.rows_max, 5);
    let inputs = vec![values(Type::F32, 10, 4)];
    for rows in [1, 3, 5] {
        let expected = evaluate(&graph, rows as usize, &inputs);
        assert_eq!(wasmi(&compiled, rows, &inputs), (0, expected.clone()));
        assert_eq!(wasmtime(&compiled, rows, &inputs), (0, expected));
    }
    for rows in [0, 6, -1, i32::MAX, i32::MIN] {
        assert_eq!(wasmi(&compiled, rows, &inputs).0, 1, "{rows}");
    }
}

#[test]
fn nan_comes_out_as_one_pattern() {
    let graph = graph("%0 = input 0 : f32[1]\nreturn %0");
    let compiled = compile(&graph, &Options::default());
    for bits in [0x7fc0_0001u32, 0xffc0_0000, 0x7f80_0001] {
        let (_, y) = wasmtime(&compiled, 1, &vec![bits.to_le_bytes().to_vec()]);
        assert_eq!(y[0], 0x7fc0_0000u32.to_le_bytes());
    }
    assert_eq!(wasmtime(&compiled, 1, &vec![f32s(&[-0.0])]).1[0], f32s(&[-0.0]));
}

#[test]
fn contradictions_name_the_node() {
    let check = |text: &str, expected: &str| {
        let graph = graph(text);
        let error = build(graph.clone(), signature(&graph), &Options::default()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(
        "%0 = input 0 : f32[2]\n%1 = add %0, %0 : f32[3] ; sum\nreturn %1",
        "node %1 (add \"sum\"): its operands do not broadcast",
    );
    check("%0 = input 0 : f32[2]\n%1 = sqrt %2 : f32[2]\nreturn %1", "does not come before it");
    check("%0 = input 0 : f32[2]\n%1 = softmax %0 axis=4 : f32[2]\nreturn %1", "wrong type or axis");
}

#[test]
fn rows_max_of_zero_and_too_much_memory() {
    let graph = graph(DOUBLE);
    let fails = |rows: u32| {
        let options = Options { rows_max: Some(rows), ..Options::default() };
        build(graph.clone(), signature(&graph), &options).unwrap_err().to_string()
    };
    assert!(fails(0).contains("rows_max"), "{}", fails(0));
    assert!(fails(1 << 30).contains("memory"), "{}", fails(1 << 30));
}
