//! From a table to a registered model: data, features, fit, evaluation, export, and the log of it all.
//!
//! ```text
//! pipeline.yaml → source (CSV, Parquet, URL, Kaggle) → schema (checks, report) → data (typed columns, target)
//!   → split by row hash → encoder (features) → learners → the better one
//!   → export (ONNX, features inside) → package (compile, seal, check) → store (Parquet, lineage, plots)
//!   → tracking (MLflow's REST API; kept on disk while the server is away)
//! ```
//!
//! Everything from ingestion on is f32 (dates alone are whole f64 numbers), so that a threshold that training chose and a value that is
//! served are the same numbers. The same pipeline on the same rows gives the same ONNX bytes.
//! This crate speaks to the server over HTTP only.

mod data;
mod encoder;
mod error;
mod export;
mod fit;
pub mod gate;
mod heldout;
mod init;
mod learner;
pub mod metrics;
mod outcome;
mod package;
pub mod pipeline;
mod plots;
mod profile;
mod progress;
mod read;
mod sample;
mod schema;
mod source;
mod split;
mod store;
mod tracking;
mod train;
mod trial;

pub use error::Error;
pub use fit::{Trained, fit};
pub use init::init;
pub use outcome::Outcome;
pub use package::{Package, package};
pub use pipeline::Pipeline;
pub use progress::{Progress, Silent};
pub use sample::example;
pub use schema::Report;
pub use tracking::{Sent, sync};
pub use train::{TrainArgs, train};
pub use trial::{Comment, GateArgs, Judged, comment, gate as judge, roll_back};
