//! Modules over HTTP: download by version or alias, and compiling a file on request.

use std::time::Instant;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use contract::api::{CompileReport, ModuleInfo};
use host_native::Module;

use super::MODULE_BYTES;
use super::build::{blocking, compile};
use crate::app::App;
use crate::body;
use crate::error::{Error, Result};
use crate::serving::Unserved;
use crate::url::encoded;

/// `GET /modules/{name}/{version or @alias}`.
pub async fn get(
    State(app): State<App>,
    Path((name, reference)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    match found(&app, &name, &reference, &headers).await {
        Ok(response) => response,
        Err(Unserved(status, message)) => (status, Json(serde_json::json!({"detail": message}))).into_response(),
    }
}

async fn found(app: &App, name: &str, reference: &str, headers: &HeaderMap) -> Result<Response, Unserved> {
    let record = app.modules.record(name, reference).await?;
    let version = HeaderValue::from(record.version);
    // Names may hold what a header must not.
    let encoded = encoded(name);
    let mut response = if matches(headers, &record.sha256) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let bytes = app.artifacts.module(&record.sha256).bytes(MODULE_BYTES).await.map_err(super::internal)?;
        wasm(bytes)
    };
    let own = response.headers_mut();
    own.insert(header::ETAG, etag(&record.sha256));
    own.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    own.insert(
        HeaderName::from_static("x-beira-model"),
        HeaderValue::from_str(&encoded).unwrap_or(HeaderValue::from_static("")),
    );
    own.insert(HeaderName::from_static("x-beira-version"), version);
    Ok(response)
}

/// `GET /compiled/{sha256}`: a module from [`report`], kept for a while.
pub async fn compiled(State(app): State<App>, Path(sha256): Path<String>, headers: HeaderMap) -> Response {
    let Some(bytes) = app.modules.kept(&sha256) else {
        let detail = "There is no such module, or it was dropped to make room; compile the file again.";
        return (StatusCode::NOT_FOUND, Json(serde_json::json!({"detail": detail}))).into_response();
    };
    let mut response = if matches(&headers, &sha256) { StatusCode::NOT_MODIFIED.into_response() } else { wasm(bytes) };
    response.headers_mut().insert(header::ETAG, etag(&sha256));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// `POST /api/beira/compile`: what compiles of an ONNX file, and the module when all does.
pub async fn report(State(app): State<App>, request: Request) -> Result<Json<CompileReport>> {
    let onnx = body::read(request.into_body(), app.config.onnx_bytes_max).await?;
    let _turn = app.modules.0.turn.acquire().await.map_err(|error| Error::internal(error.to_string()))?;
    let onnx_bytes = onnx.len() as u64;
    let start = Instant::now();
    let file = onnx.clone();
    let operators =
        blocking(move || inference_wasm::operators(&file).map_err(|error| Error::invalid(error.to_string()))).await;
    let made = match &operators {
        Err(error) => Err(error.parts().2.to_owned()),
        Ok(_) => {
            let made = blocking(move || {
                let bytes = compile(&onnx)?;
                let module = Module::load(&bytes).map_err(|error| Error::invalid(error.to_string()))?;
                Ok((module, bytes))
            });
            made.await.map_err(|error| error.parts().2.to_owned())
        }
    };
    let compile_ms = start.elapsed().as_secs_f64() * 1e3;
    let (module, error) = match made {
        Ok((module, bytes)) => {
            let info = ModuleInfo {
                sha256: module.sha256().to_owned(),
                edges_sha256: String::new(),
                bytes: bytes.len() as u64,
                url: format!("/compiled/{}", module.sha256()),
                manifest: module.manifest().clone(),
            };
            app.modules.keep(module.sha256(), bytes.into());
            (Some(info), None)
        }
        Err(error) => (None, Some(error)),
    };
    Ok(Json(CompileReport { operators: operators.unwrap_or_default(), module, error, compile_ms, onnx_bytes }))
}

fn wasm(bytes: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/wasm")], bytes).into_response()
}

fn etag(sha256: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{sha256}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

fn matches(headers: &HeaderMap, sha256: &str) -> bool {
    headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(sha256))
}
