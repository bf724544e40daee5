//! Beira's own endpoints.

use contract::api::{Caller, CompileReport, ModelDetail, Overview, Production};
use serde_json::{Map, Value};

use super::Error;
use super::client::{get, post, post_bytes};
use crate::routes::encode;

/// Who is signed in.
pub async fn caller() -> Result<Caller, Error> {
    get("/api/beira/caller").await
}

/// The first page.
pub async fn overview() -> Result<Overview, Error> {
    get("/api/beira/overview").await
}

/// A registered model with its modules.
pub async fn model(name: &str) -> Result<ModelDetail, Error> {
    get(&format!("/api/beira/models/{}", encode(name))).await
}

/// What a model did in production during the last `minutes`.
pub async fn production(name: &str, minutes: u32) -> Result<Production, Error> {
    get(&format!("/api/beira/models/{}/production?minutes={minutes}", encode(name))).await
}

/// Compiles an ONNX file.
pub async fn compile(onnx: js_sys::Uint8Array) -> Result<CompileReport, Error> {
    post_bytes("/api/beira/compile", onnx).await
}

/// One prediction of the server.
pub async fn predict(name: &str, record: &Map<String, Value>) -> Result<Value, Error> {
    post(&format!("/predict/{}", encode(name)), record).await
}
