//! `--model`: a module, an ONNX file, or a registered model.

#[cfg(feature = "full")]
mod version;

use std::path::{Path, PathBuf};

use anyhow::Context;
use server::ModelUri;
#[cfg(feature = "full")]
pub use version::{ModelRef, Resolved};

/// What `--model` may say.
#[derive(Clone, Debug)]
pub enum Model {
    /// `FILE.wasm` or `FILE.onnx`.
    File(PathBuf),
    /// `models:/NAME@ALIAS` or `models:/NAME/VERSION`.
    Registered(ModelUri),
}

impl std::fmt::Display for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Model::File(path) => path.display().fmt(f),
            Model::Registered(uri) => uri.fmt(f),
        }
    }
}

/// Reads the argument.
pub fn parse(text: &str) -> Result<Model, String> {
    if text.starts_with("models:") { text.parse().map(Model::Registered) } else { Ok(Model::File(text.into())) }
}

/// The sealed module in a file, and its name: that of the file. An ONNX file is compiled.
pub fn read(path: &Path) -> anyhow::Result<(String, Vec<u8>)> {
    let shown = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx")) {
        return Ok((name, compile(&bytes).with_context(|| shown.to_string())?));
    }
    Ok((name, bytes))
}

#[cfg(feature = "full")]
fn compile(onnx: &[u8]) -> anyhow::Result<Vec<u8>> {
    Ok(crate::compile::sealed(onnx, &Default::default())?.1)
}

#[cfg(not(feature = "full"))]
fn compile(_: &[u8]) -> anyhow::Result<Vec<u8>> {
    anyhow::bail!(
        "this beira serves modules and has no compiler; make one first: beira compile model.onnx -o model.wasm"
    )
}
