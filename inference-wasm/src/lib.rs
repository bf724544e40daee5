//! ONNX in, WebAssembly out.
pub mod api;
pub mod error;
pub mod graph;

pub use api::{Compiled, Options, Signature};
pub use error::Error;
