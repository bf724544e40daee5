//! ONNX in, WebAssembly out.
pub mod graph;
