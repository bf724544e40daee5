//! `--model` and `--server` of the commands that take a model to production: the module itself.

use std::time::{Duration, Instant};

use anyhow::Context;
use server::{FetchError, Registry};

use super::{Model, parse, read};
use crate::process;

/// How long a version that is being compiled is waited for.
const COMPILING: Duration = Duration::from_secs(60);

/// Which model, and where it is registered.
#[derive(clap::Args, Clone, Debug)]
pub struct ModelRef {
    /// FILE.wasm, FILE.onnx, models:/NAME@ALIAS or models:/NAME/VERSION.
    #[arg(long, value_parser = parse)]
    pub model: Model,
    /// Where `models:/…` is registered.
    #[arg(long, value_name = "URL", env = "MLFLOW_TRACKING_URI", default_value = "http://127.0.0.1:8080")]
    server: String,
}

/// A sealed module, and what it is called.
pub struct Resolved {
    /// Registered name, or the file's.
    pub name: String,
    /// The module.
    pub wasm: Vec<u8>,
}

impl ModelRef {
    /// Reads, compiles or fetches the module. Whether it is a good one is for the host to say.
    pub fn resolve(&self) -> anyhow::Result<Resolved> {
        let uri = match &self.model {
            Model::File(path) => {
                let (name, wasm) = read(path)?;
                return Ok(Resolved { name, wasm });
            }
            Model::Registered(uri) => uri,
        };
        let registry = Registry { server: self.server.clone(), token: process::token() };
        let start = Instant::now();
        loop {
            match registry.fetch(uri, None) {
                Ok(fetched) => {
                    let wasm = fetched.with_context(|| format!("{} sent nothing for {uri}", self.server))?.bytes;
                    return Ok(Resolved { name: uri.name.clone(), wasm });
                }
                Err(FetchError::Compiling(_)) if start.elapsed() < COMPILING => {
                    std::thread::sleep(Duration::from_millis(500));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
