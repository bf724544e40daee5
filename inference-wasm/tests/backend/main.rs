//! The compiler's back: each graph gives the same bits from the evaluator and from two engines, with
//! and without vectors.

mod check;
mod golden;
mod link;
mod math;
mod operators;
mod random;
mod refusals;
mod relaxed;
mod trees;
