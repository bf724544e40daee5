//! Predictions inside a proxy: a Proxy-Wasm plugin for Envoy and for Google's edge, with the model
//! linked into the same module.
//!
//! This crate is built once, as a template; `inference_wasm::link` puts a model's code and memory
//! into it. A request for `/predict` is answered where the proxy stands, any other passes untouched.
//!
//! ```text
//! GET /predict?a=1   → header callback → Service::get                counters → snapshot → a log line
//! POST /predict      → body callback, its chunks gathered → Service::post
//! ```
//!
//! A plugin that panics takes its VM along, so nothing here does; one that is not sure of its answers
//! (golden rows, configuration) says 503. Only `linked` and `plugin` know that there is a proxy.

mod config;
mod counting;
#[cfg(target_arch = "wasm32")]
mod linked;
mod model;
#[cfg(target_arch = "wasm32")]
mod plugin;
mod route;
mod service;

pub use config::Config;
pub use counting::Counting;
pub use model::{Engine, Model};
pub use route::{Route, route};
pub use service::{BODY_BYTES, Response, Service};
