//! Operators of `ai.onnx` that tract has not, or has in fewer forms, spelled in its core operators.

pub mod affine_grid;
pub mod attention;
pub mod batch_norm;
pub mod bit_cast;
pub mod causal_conv;
pub mod center_crop_pad;
pub mod col2im;
pub mod compress;
pub mod cumulate;
pub mod fourier;
pub mod integer_conv;
pub mod linear_attention;
pub mod lp_pool;
pub mod one_hot;
pub mod p_relu;
pub mod pad;
pub mod reverse_sequence;
mod windows;
