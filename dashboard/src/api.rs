//! The server, one async function for each endpoint.

mod beira;
mod client;
mod error;
mod mlflow;

pub use beira::*;
pub use client::{origin, url};
pub use error::Error;
pub use mlflow::*;
