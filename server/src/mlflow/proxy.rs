//! The artifact proxy, `mlflow-artifacts:/`: files through this server, streamed both ways.

use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use contract::mlflow::FileInfo;
use object_store::GetRange;
use serde_json::{Value, json};

use crate::app::App;
use crate::artifacts::Place;
use crate::error::{Code, Error, Result};
use crate::fields::Fields;
use crate::url;

/// How long an address of a file in its bucket is good.
pub const ADDRESS: Duration = Duration::from_secs(900);

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

/// `GET …/artifacts/{path}`, or a range of it.
pub async fn download(State(app): State<App>, headers: HeaderMap, uri: Uri) -> Result<Response> {
    send(place(&app, &uri, "/artifacts/")?, &headers).await
}

/// `PUT …/artifacts/{path}`.
pub async fn upload(State(app): State<App>, request: Request) -> Result<Json<Value>> {
    let place = place(&app, request.uri(), "/artifacts/")?;
    let (body, most) = (request.into_body().into_data_stream(), app.config.artifact_bytes_max);
    // A task of its own: when the sender goes away it still tells the store that nothing will come of it.
    let written = tokio::spawn(async move { place.write(body, most).await }).await;
    written.unwrap_or_else(|_| Err(Error::internal("an upload panicked")))?;
    Ok(Json(json!({})))
}

/// `DELETE …/artifacts/{path}`: a file, or a folder with all in it.
pub async fn delete(State(app): State<App>, uri: Uri) -> Result<Json<Value>> {
    place(&app, &uri, "/artifacts/")?.delete().await?;
    Ok(Json(json!({})))
}

/// `GET …/presigned/{path}`: the address of a file in its bucket; without one the client falls back to a plain GET.
pub async fn presigned(State(app): State<App>, uri: Uri) -> Result<Json<Value>> {
    let place = place(&app, &uri, "/presigned/")?;
    match place.address(Method::GET, ADDRESS).await? {
        Some(url) => Ok(Json(json!({"url": url, "headers": {}, "file_size": place.size().await?}))),
        None => Err(Error::Client(
            Code::NotImplemented,
            "Presigned URLs are not supported for the current artifact repository".into(),
        )),
    }
}

/// Sends a file, or the range of it that is asked for, in a way that no browser runs it.
pub async fn send(place: Place, asked: &HeaderMap) -> Result<Response> {
    let name = place.name();
    let text = |name: HeaderName| asked.get(name).and_then(|value| value.to_str().ok());
    let range = text(header::RANGE).and_then(range);
    let partial = range.is_some();
    let Some(found) = place.read(range, text(header::IF_RANGE).map(|tag| tag.trim_matches('"'))).await? else {
        let size = format!("bytes */{}", place.size().await?);
        return Ok((StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, size)]).into_response());
    };
    let mut response = found.body.into_response();
    let (from, until) = (found.range.start, found.range.end);
    let headers = response.headers_mut();
    if partial && until - from < found.size {
        let value = format!("bytes {from}-{}/{}", until.saturating_sub(1), found.size);
        headers.insert(header::CONTENT_RANGE, value.parse().unwrap_or(HeaderValue::from_static("")));
    }
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(tag) = found.tag.and_then(|tag| format!("\"{}\"", tag.trim_matches('"')).parse().ok()) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(&name)));
    headers.insert(header::CONTENT_LENGTH, (until - from).into());
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    let disposition = format!("attachment; filename*=UTF-8''{}", url::encoded(&name));
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_str(&disposition).unwrap_or(HeaderValue::from_static("attachment")),
    );
    if headers.contains_key(header::CONTENT_RANGE) {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

/// One range of bytes: `bytes=0-9`, `bytes=10-`, `bytes=-5`. Several, or what is none, ask for the whole.
fn range(header: &str) -> Option<GetRange> {
    let (from, until) = header.strip_prefix("bytes=")?.split_once('-')?;
    match (from.trim(), until.trim()) {
        ("", last) => last.parse().ok().map(GetRange::Suffix),
        (from, "") => from.parse().ok().map(GetRange::Offset),
        (from, until) => {
            let (from, until) = (from.parse::<u64>().ok()?, until.parse::<u64>().ok()?);
            (from <= until).then(|| GetRange::Bounded(from..until.saturating_add(1)))
        }
    }
}

/// The path after `route`, from the raw URI, decoded once.
pub fn place(app: &App, uri: &Uri, route: &str) -> Result<Place> {
    let path = uri.path().split_once(route).map_or("", |(_, path)| path);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let check = |header: &str, expected: Option<GetRange>| assert_eq!(range(header), expected, "{header}");
        check("bytes=0-9", Some(GetRange::Bounded(0..10)));
        check("bytes=10-", Some(GetRange::Offset(10)));
        check("bytes=-5", Some(GetRange::Suffix(5)));
        check("bytes=0-18446744073709551615", Some(GetRange::Bounded(0..u64::MAX)));
        for whole in ["bytes=9-0", "bytes=0-1,3-4", "bytes=-", "lines=0-1", "bytes=a-b", ""] {
            check(whole, None);
        }
    }
}
