//! Modules that let engines fuse products and sums.

use beira_inference_wasm::{Options, link};

use crate::check::{compile, evaluate, f32s, graph, to_f32s, wasmtime};

const LAYER: &str = "%0 = input 0 : f32[1, 3] ; x
    %1 = const [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.1, 1.2, 1.3] : f32[3, 4]
    %2 = matmul %0, %1 : f32[1, 4]
    return %2";
const SUM: &str = "%0 = input 0 : f32[4] ; x
    %1 = add %0, %0 : f32[4]
    return %1";

#[test]
fn fused_sums_are_close_and_declared() {
    let layer = graph(LAYER);
    let relaxed = compile(&layer, &Options { relaxed: true, ..Options::default() });
    assert!(relaxed.manifest.relaxed);
    let wat = wasmprinter::print_bytes(&relaxed.wasm).unwrap();
    assert!(wat.contains("f32x4.relaxed_madd") && !wat.contains("f32x4.mul"), "{wat}");
    let inputs = vec![f32s(&[1.5, -0.25, 3.0])];
    let (code, answers) = wasmtime(&relaxed, 1, &inputs);
    assert_eq!(code, 0);
    for (got, exact) in to_f32s(&answers[0]).into_iter().zip(to_f32s(&evaluate(&layer, 1, &inputs)[0])) {
        assert!((got - exact).abs() <= 1e-6 * exact.abs(), "{got}, not {exact}");
    }
}

/// Where there is nothing to fuse, the module is the other one, and stays bit-identical.
#[test]
fn nothing_to_fuse_is_not_relaxed() {
    let relaxed = compile(&graph(SUM), &Options { relaxed: true, ..Options::default() });
    assert!(!relaxed.manifest.relaxed);
    assert_eq!(relaxed.wasm, compile(&graph(SUM), &Options::default()).wasm);
    let scalar = compile(&graph(LAYER), &Options { relaxed: true, simd: false, ..Options::default() });
    assert!(!scalar.manifest.relaxed);
}

/// A plugin runs in engines that one does not choose.
#[test]
fn a_plugin_takes_no_relaxed_module() {
    let relaxed = compile(&graph(LAYER), &Options { relaxed: true, ..Options::default() });
    let error = link(&[], &relaxed.wasm, &[]).unwrap_err().to_string();
    assert!(error.starts_with("model module: relaxed SIMD support is not enabled"), "{error}");
}
