//! Exact, mergeable monitoring: counters on edges fixed by the training data, and what follows from them.
//!
//! Pure arithmetic. This crate does not know clocks, files, sockets or anyone's JSON; it gives the
//! same counts on every host, because a count is an integer and an edge is a number in the module.

pub mod alarm;
pub mod chi_squared;
pub mod count;
pub mod drift;
pub mod hmac;
pub mod latency;
pub mod merge;
pub mod performance;
pub mod prediction;
pub mod reference;
