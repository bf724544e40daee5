//! ONNX in, WebAssembly out.
pub mod api;
pub mod error;
mod front;
pub mod graph;
pub mod math;
mod reference;
mod support;

pub use api::{Compiled, Options, Signature};
pub use error::Error;
pub use reference::Reference;
pub use support::operators;
