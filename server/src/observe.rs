//! What operators see: logs, traces and metrics. It knows neither the store nor any model's rows.
//!
//! `names.rs` is the one list of metrics; `/metrics`, OTLP and the dashboards for Google Cloud are written from it.

pub mod family;
pub mod google;
pub mod http;
pub mod log;
pub mod names;
pub mod otlp;
pub mod prometheus;
pub mod trace;

mod seen;

pub use seen::Seen;
