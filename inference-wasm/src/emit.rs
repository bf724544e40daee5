//! Writes WebAssembly: a function's body with its locals, loops over strided memory, programs in
//! one lane or four, and the module around them.

pub mod code;
pub mod module;
pub mod nest;
mod relax;
pub mod scalar;
pub mod vector;

pub use code::{Address, Code};
