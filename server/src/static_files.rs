//! The dashboard and the web package: embedded in a release build, read from `dist/` in a debug build.

mod page;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::accounts::signin;
use crate::app::App;
use crate::auth::Permission;
use crate::error::{Code, Error};
use crate::url::decoded;

#[derive(RustEmbed)]
#[folder = "../dist/dashboard"]
struct Dashboard;

#[derive(RustEmbed)]
#[folder = "../dist/npm"]
struct Package;

/// Paths of the API: what is not found there is no page.
const API: [&str; 9] =
    ["/api/", "/ajax-api/", "/v1/", "/v2/", "/predict/", "/modules/", "/compiled/", "/telemetry/", "/graphql"];

const NOT_BUILT: &str = "<!doctype html><meta charset=utf-8><title>Beira</title>\
    <p>The server runs; the dashboard has not been built yet. <code>cargo xtask up</code> builds it.</p>";

/// `GET /npm/{*path}`: the web package, for pages of any origin.
pub async fn package(request: Request) -> Response {
    let path = decoded(request.uri().path().trim_start_matches("/npm/"));
    match Package::get(&path) {
        Some(file) => send(&path, file, request.headers()),
        None => (StatusCode::NOT_FOUND, "There is no such file in the web package.\n").into_response(),
    }
}

/// Everything else: a file of the dashboard, or its one page for a path that is no file.
pub async fn dashboard(State(app): State<App>, request: Request) -> Response {
    let path = decoded(request.uri().path().trim_start_matches('/'));
    let api = API.iter().any(|prefix| request.uri().path().starts_with(prefix));
    if api || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Error::Client(Code::EndpointNotFound, "There is no such endpoint.".to_owned()).into_response();
    }
    if let Some(file) = Dashboard::get(&path).filter(|_| path != "index.html") {
        return send(&path, file, request.headers());
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    let html =
        request.headers().get(header::ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("text/html"));
    if !path.is_empty() && !html && last.contains('.') {
        return (StatusCode::NOT_FOUND, "There is no such file.\n").into_response();
    }
    if let Some(porter) = &app.serving.porter
        && let Err(Error::Client(Code::Unauthenticated, _)) =
            porter.who(request.headers(), None, Permission::Read).await
    {
        return Redirect::to(signin::PAGE).into_response();
    }
    match Dashboard::get("index.html") {
        Some(file) => page::send(&file.data),
        None => Html(NOT_BUILT).into_response(),
    }
}

/// A file with its type; names that carry a hash never change.
fn send(path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let tag = contract::hex::encode(&file.metadata.sha256_hash());
    let unchanged =
        headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok()).is_some_and(|value| value.contains(&tag));
    let mut response =
        if unchanged { StatusCode::NOT_MODIFIED.into_response() } else { file.data.into_owned().into_response() };
    let own = response.headers_mut();
    own.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    own.insert(header::ETAG, HeaderValue::from_str(&format!("\"{tag}\"")).unwrap_or(HeaderValue::from_static("\"\"")));
    let cache = if is_hashed(path) { "public, max-age=31536000, immutable" } else { "no-cache" };
    own.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

/// Trunk's names: `beira-dashboard-0123456789abcdef_bg.wasm`.
fn is_hashed(path: &str) -> bool {
    path.split(['-', '_', '.', '/']).any(|part| part.len() >= 16 && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        "txt" | "ts" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
