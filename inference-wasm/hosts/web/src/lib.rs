//! The Rust part of the web host: checks a module, counts what it predicted, writes the flush.
//!
//! JavaScript (`js/`) does what must be quick or belongs to the platform: it writes features straight
//! into the module's memory, reads the answers there, and sends flushes. Each predicted row leaves its
//! numbers in a small ring in this crate's memory; they are counted on the profile's edges in one go.
//! Size is a feature here: every page loads these bytes before its first prediction.

mod golden;
mod host;
mod read;
mod sha256;

pub use host::Host;
pub use sha256::Sha256;
