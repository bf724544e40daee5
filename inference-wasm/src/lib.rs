//! ONNX in, WebAssembly out.
pub mod api;
pub mod backend;
mod plan;
mod passes;
mod lower;
mod emit;
mod compile;
pub mod error;
mod front;
pub mod graph;
pub mod math;
mod reference;
mod support;

pub use api::{Compiled, Options, Signature};
pub use compile::compile;
pub use error::Error;
pub use reference::Reference;
pub use support::operators;
