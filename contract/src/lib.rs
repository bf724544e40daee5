//! The words that Beira's rooms exchange: serde types, and nothing that does I/O.
//!
//! What a room says to another (compiler to host, host to server, server to dashboard) is spelled
//! here once. This crate does not know HTTP, SQL, the DOM or ONNX.

pub mod api;
pub mod check;
pub mod date;
pub mod fault;
pub mod half;
pub mod hex;
pub mod labels;
pub mod manifest;
pub mod mlflow;
pub mod number;
pub mod oip;
pub mod plugin;
pub mod profile;
pub mod telemetry;
pub mod watch;

pub use date::Date;
pub use fault::{Fault, Loc};
pub use manifest::{Datatype, Manifest, Seal, TensorSpec};
pub use profile::Profile;
pub use telemetry::{Counters, Flush, Origin, Snapshot};
