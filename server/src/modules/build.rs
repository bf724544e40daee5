//! From a version's folder to its module: `model.wasm` as it is, else its ONNX file compiled and sealed.

use std::sync::Arc;

use axum::body::Bytes;
use contract::{Manifest, Profile};
use host_native::Module;

use super::record::{self, Record};
use super::{MODULE_BYTES, Modules, lock};
use crate::artifacts::Place;
use crate::error::{Error, Result};
use crate::mlflow::versions;

/// Longest ONNX file compiled in the background.
const ONNX_BYTES: u64 = 512 << 20;
/// Golden rows of a model that comes without data.
const GOLDEN_ROWS: usize = 4;
/// How the compiler of this build names itself.
const COMPILER: &str = concat!("beira ", env!("CARGO_PKG_VERSION"));

/// Makes the module of a version and records it, or why there is none.
pub async fn version(modules: &Modules, name: &str, version: i64) -> Result<()> {
    let row = match versions::find(modules.0.store.read(), name, &version.to_string()).await {
        Ok(row) => row,
        Err(Error::Client(..)) => return Ok(()), // deleted meanwhile
        Err(error) => return Err(error),
    };
    let outcome = match make(modules, &row.storage_location).await {
        Ok((sha256, bytes, manifest, profile)) => Ok(Record {
            name: name.to_owned(),
            version,
            sha256,
            edges_sha256: profile.as_ref().map(|profile| profile.edges_sha256.clone()).unwrap_or_default(),
            bytes,
            manifest,
            profile,
        }),
        Err(error) => {
            Err(error.parts().2.to_owned()).inspect_err(|_| tracing::warn!(%error, model = name, version, "no module"))
        }
    };
    record::finish(&modules.0.store, name, version, outcome).await
}

type Made = (String, u64, Manifest, Option<Profile>);

async fn make(modules: &Modules, location: &str) -> Result<Made> {
    let folder = modules.0.artifacts.resolve(location)?;
    let _turn = modules.0.turn.acquire().await.map_err(|error| Error::internal(error.to_string()))?;
    let bytes = match folder.below("model.wasm")?.bytes(MODULE_BYTES).await {
        Ok(bytes) => bytes,
        Err(Error::Client(crate::error::Code::ResourceDoesNotExist, _)) => {
            let onnx = onnx(&folder).await?;
            let sha256 = host_native::sections::sha256(&onnx);
            match record::compiled_before(modules.0.store.read(), &sha256, COMPILER).await? {
                Some(module) => modules.0.artifacts.module(&module).bytes(MODULE_BYTES).await?,
                None => blocking(move || compile(&onnx)).await?.into(),
            }
        }
        Err(error) => return Err(error),
    };
    let copy = bytes.clone();
    let module = blocking(move || Module::load(&copy).map_err(|error| Error::invalid(error.to_string()))).await?;
    let module = Arc::new(module);
    let (sha256, manifest) = (module.sha256().to_owned(), module.manifest().clone());
    let profile = module.seal().and_then(|seal| seal.profile.clone());
    modules.0.artifacts.module(&sha256).put(bytes.clone()).await?;
    lock(&modules.0.loaded).insert(sha256.clone(), module);
    Ok((sha256, bytes.len() as u64, manifest, profile))
}

/// `model.onnx`, or the file that the folder's MLmodel names.
async fn onnx(folder: &Place) -> Result<Bytes> {
    let missing = |error: &Error| matches!(error, Error::Client(crate::error::Code::ResourceDoesNotExist, _));
    match folder.below("model.onnx")?.bytes(ONNX_BYTES).await {
        Err(error) if missing(&error) => {}
        other => return other,
    }
    let nothing = "the version's folder holds neither model.wasm nor an ONNX model; log one with mlflow.onnx.log_model";
    let mlmodel = match folder.below("MLmodel")?.bytes(1 << 20).await {
        Err(error) if missing(&error) => return Err(Error::missing(nothing)),
        other => other?,
    };
    let mlmodel: serde_json::Value =
        serde_norway::from_slice(&mlmodel).map_err(|_| Error::invalid("the version's MLmodel is not YAML"))?;
    let file = mlmodel["flavors"]["onnx"]["data"].as_str().ok_or_else(|| Error::missing(nothing))?;
    folder.below(file)?.bytes(ONNX_BYTES).await
}

/// Compiles an ONNX file and seals the module with rows made up from its signature.
pub fn compile(onnx: &[u8]) -> Result<Vec<u8>> {
    let compiled = inference_wasm::compile(onnx, &inference_wasm::Options::default())
        .map_err(|error| Error::invalid(error.to_string()))?;
    let golden = host_native::seal::pseudo_rows(&compiled.manifest, GOLDEN_ROWS);
    host_native::seal::seal(&compiled.wasm, &golden, None).map_err(|error| Error::invalid(error.to_string()))
}

/// Runs `job` off the async threads; a panic in it is an error.
pub async fn blocking<T: Send + 'static>(job: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(job)
        .await
        .unwrap_or_else(|_| Err(Error::invalid("the compiler stopped unexpectedly on this file; please report it")))
}
