//! The log of a run, over MLflow's REST API: experiment, run, parameters, metrics, artifacts, registry.

mod artifacts;
mod client;
mod mlmodel;
mod outbox;
mod registry;
mod run;
mod stored;
mod stream;

pub(crate) use artifacts::encode;
pub(crate) use client::Client;
pub(crate) use mlmodel::{mlmodel, requirements};
pub use outbox::{Sent, sync};
pub(crate) use registry::{At, Version, folder, move_alias, version};
pub(crate) use run::{Run, now};
pub(crate) use stored::StoredRun;
