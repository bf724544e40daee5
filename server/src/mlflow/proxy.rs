//! The artifact proxy, `mlflow-artifacts:/`: files through this server, streamed both ways.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use contract::mlflow::FileInfo;
use serde_json::{Value, json};

use crate::app::App;
use crate::artifacts::Place;
use crate::error::{Code, Error, Result};
use crate::fields::Fields;
use crate::url;

/// `GET …/artifacts?path=`: basenames of a folder; a missing one is empty.
pub async fn list(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let entries = app.artifacts.place(&fields.opt_string("path")?.unwrap_or_default())?.list().await?;
    let files: Vec<FileInfo> = entries
        .into_iter()
        .map(|entry| FileInfo {
            path: entry.name,
            is_dir: entry.size.is_none(),
            file_size: entry.size.map(|size| size as i64),
        })
        .collect();
    Ok(Json(if files.is_empty() { json!({}) } else { json!({"files": files}) }))
}

/// `GET …/artifacts/{path}`.
pub async fn download(State(app): State<App>, uri: Uri) -> Result<Response> {
    send(place(&app, &uri)?).await
}

/// `PUT …/artifacts/{path}`.
pub async fn upload(State(app): State<App>, request: Request) -> Result<Json<Value>> {
    place(&app, request.uri())?.write(request.into_body().into_data_stream()).await?;
    Ok(Json(json!({})))
}

/// `DELETE …/artifacts/{path}`: a file, or a folder with all in it.
pub async fn delete(State(app): State<App>, uri: Uri) -> Result<Json<Value>> {
    place(&app, &uri)?.delete().await?;
    Ok(Json(json!({})))
}

/// `POST …/mpu/{action}/{path}`: the client then falls back to one PUT.
pub async fn multipart() -> Error {
    Error::Client(Code::NotImplemented, "Multipart upload is not supported for the current artifact repository".into())
}

/// `GET …/presigned/{path}`: the client then falls back to a plain GET.
pub async fn presigned() -> Error {
    Error::Client(Code::NotImplemented, "Presigned URLs are not supported for the current artifact repository".into())
}

/// Sends a file in a way that no browser runs it.
pub async fn send(place: Place) -> Result<Response> {
    let name = place.name();
    let (size, body) = place.read().await?;
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(&name)));
    headers.insert(header::CONTENT_LENGTH, size.into());
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    let disposition = format!("attachment; filename*=UTF-8''{}", url::encoded(&name));
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_str(&disposition).unwrap_or(HeaderValue::from_static("attachment")),
    );
    Ok(response)
}

/// The path after `/artifacts/`, from the raw URI, decoded once.
fn place(app: &App, uri: &Uri) -> Result<Place> {
    let path = uri.path().split_once("/artifacts/").map_or("", |(_, path)| path);
    app.artifacts.place(&url::decoded(path))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase().as_str() {
        "json" => "application/json",
        "wasm" => "application/wasm",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        "webp" => "image/webp",
        "pdf" => "application/pdf",
        "csv" => "text/csv",
        "html" | "htm" => "text/html",
        "txt" | "log" | "md" | "py" | "yaml" | "yml" | "toml" => "text/plain",
        _ if name == "MLmodel" || name == "MLproject" => "text/plain",
        _ => "application/octet-stream",
    }
}
