//! Operators of `ai.onnx` that tract has not, or has in fewer forms, spelled in its core operators.

pub mod attention;
pub mod batch_norm;
pub mod compress;
pub mod cumulate;
pub mod integer_conv;
pub mod lp_pool;
pub mod one_hot;
pub mod p_relu;
pub mod pad;
mod windows;
