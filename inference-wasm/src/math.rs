//! Numbers, described once: a [`Program`] is a straight line of the few operations that both Rust
//! and WebAssembly define bit for bit. The evaluator runs it, the emitter writes it down, and so
//! both give the same bits.
//!
//! Functions of f32 are computed through f64 inside and rounded once at the end; none uses a fused
//! multiply-add or the platform's mathematical library.

pub mod element;
mod erf;
mod exp;
mod half;
mod hyperbolic;
mod integer;
mod log;
mod maker;
mod pow;
pub mod program;
pub mod run;
mod tanh;
mod trig;

pub use maker::Maker;
pub use program::{Bin, Kind, Program, Step, Un, Var};
