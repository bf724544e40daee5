//! ONNX in, WebAssembly out.
pub mod api;
pub mod backend;
mod compile;
mod emit;
pub mod error;
mod front;
pub mod graph;
mod lower;
pub mod math;
mod passes;
mod plan;
mod reference;
mod support;

pub use api::{Compiled, Options, Signature};
pub use compile::compile;
pub use error::Error;
pub use reference::Reference;
pub use support::operators;
