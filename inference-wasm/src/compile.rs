//! The recipe.

use crate::front::Front;
use crate::{Compiled, Error, Options};

/// Compiles an ONNX file to a WebAssembly module.
///
/// # Errors
/// [`Error::Damaged`] for bytes that are no ONNX file, [`Error::Invalid`] for a model that cannot
/// be right, [`Error::Unsupported`] for one that needs what the compiler does not have, and
/// [`Error::TooLarge`] for one beyond a limit; each names the node or input.
pub fn compile(onnx: &[u8], options: &Options) -> Result<Compiled, Error> {
    let Front { graph, signature, .. } = Front::load(onnx, options)?;
    crate::backend::build(graph, signature, options)
}
