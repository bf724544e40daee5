//! What the hosts written in Rust share: rows of named features to regions of a module's memory and
//! back, and counting them. Pure; this crate knows neither an engine nor HTTP.

pub mod batch;
pub mod count;
pub mod element;
pub mod golden;
pub mod outcome;
pub mod query;
pub mod records;

pub use batch::Batch;
