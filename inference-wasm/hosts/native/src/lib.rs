//! Runs model modules natively, on wasmtime: the server, the command line and the tests use it.
//!
//! ```text
//! bytes → sections (manifest, seal, identity) → Module::load (checked, golden rows run) → run(Batch)
//! records / oip: JSON → Batch, regions → JSON          count: Batch → counters          seal: once per module
//! ```
//!
//! A module is import-free, so it can reach nothing; its memory is bounded, and a run that does not
//! end is stopped. What comes in is untrusted to the last byte: damage is an [`Error`], never a panic.
//! This crate does not know the compiler, HTTP or files.

mod engine;
mod error;
mod instance;
mod module;
pub mod oip;
pub mod profile;
pub mod seal;
pub mod sections;

pub use error::Error;
pub use host_rows::{Batch, count, outcome, records};
pub use module::Module;
