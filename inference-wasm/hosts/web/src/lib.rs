//! The Rust part of the web host: checks a module, counts what it predicted, writes the flush.
//!
//! JavaScript (`js/`) does what must be quick or belongs to the platform: it compares a module with its
//! seal, writes features straight into the module's memory, reads the answers there, and sends flushes.
//! Each predicted row leaves its numbers in a small ring; they are counted here, on the profile's edges,
//! many rows in one go. Nothing of this stands before a sealed module's first prediction.
//! Size is a feature here: a page that counts loads these bytes.

mod host;
mod read;

pub use host::Host;
