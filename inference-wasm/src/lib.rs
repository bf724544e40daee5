//! ONNX in, WebAssembly out.
//!
//! [`compile`] makes one import-free module of one model; [`operators`] says beforehand what of a file
//! compiles; [`Reference`] evaluates the same file with tract, to compare a module with. onnxruntime
//! is the yardstick for the answers, to 1e-5.
//!
//! Not done: text features, long recurrences, models whose shapes depend on values. A
//! OneHotEncoder that should refuse an unknown category (`zeros = 0`) answers zeros.
pub mod api;
pub mod backend;
mod compile;
mod emit;
pub mod error;
mod front;
pub mod graph;
mod link;
mod lower;
pub mod math;
mod passes;
mod plan;
mod reference;
mod support;

pub use api::{Compiled, Options, Signature, Step};
pub use compile::compile;
pub use error::Error;
pub use link::{link, memory_bytes};
pub use reference::Reference;
pub use support::operators;
