//! The binary seen from outside: serving without a store, and deploying.

#[cfg(unix)]
mod deploy;
#[cfg(unix)]
mod infer;
#[cfg(unix)]
mod support;
