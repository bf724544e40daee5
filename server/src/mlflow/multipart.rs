//! Uploads in parts: `mpu/create`, `mpu/complete`, `mpu/abort`, and the parts themselves where there is no bucket.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::app::App;
use crate::artifacts::Place;
use crate::artifacts::multipart::{PARTS, Part};
use crate::error::{Code, Error, Result};
use crate::fields::Fields;
use crate::mlflow::proxy;
use crate::path::Path;

/// `POST …/mpu/create/{path}`: an id, and an address for each part.
pub async fn create(State(app): State<App>, headers: HeaderMap, uri: Uri, fields: Fields) -> Result<Json<Value>> {
    let place = target(&app, &uri, "/create", &fields)?;
    let parts = fields.opt_int("num_parts")?.unwrap_or(1);
    if !(1..=PARTS).contains(&parts) {
        return Err(Error::invalid(format!("An upload has between 1 and {PARTS} parts.")));
    }
    let Some(upload) = app.artifacts.begin(&place, parts).await? else {
        let text = "Multipart upload is not supported for the current artifact repository";
        return Err(Error::Client(Code::NotImplemented, text.into()));
    };
    let addresses = match upload.addresses {
        Some(addresses) => addresses,
        None => {
            let server = address(&headers, &uri)?;
            let of = |number| format!("{server}/api/2.0/mlflow-artifacts/mpu/parts/{}/{number}", upload.id);
            (1..=parts).map(of).collect()
        }
    };
    let credentials: Vec<Value> = addresses
        .into_iter()
        .zip(1..)
        .map(|(url, number)| json!({"url": url, "part_number": number, "headers": {}}))
        .collect();
    Ok(Json(json!({"upload_id": upload.id, "credentials": credentials})))
}

/// `PUT …/mpu/parts/{upload_id}/{number}`: a part of an upload to a folder. Who knows the id may send it.
pub async fn part(
    State(app): State<App>,
    Path((id, number)): Path<(String, i64)>,
    request: Request,
) -> Result<Response> {
    let body = request.into_body().into_data_stream();
    let tag = app.artifacts.part(&id, number, body, app.config.artifact_bytes_max).await?;
    Ok(([(header::ETAG, format!("\"{tag}\""))], Json(json!({}))).into_response())
}

/// `POST …/mpu/complete/{path}`.
pub async fn complete(State(app): State<App>, uri: Uri, fields: Fields) -> Result<Json<Value>> {
    let place = target(&app, &uri, "/complete", &fields)?;
    let id = fields.string("upload_id")?;
    let parts = fields.objects("parts")?;
    if parts.is_empty() {
        return Err(fields.required("parts"));
    }
    let parts = parts
        .iter()
        .map(|part| Ok(Part { number: part.int("part_number")?, etag: part.opt_string("etag")?.unwrap_or_default() }))
        .collect::<Result<Vec<_>>>()?;
    // A task of its own, so that it is done whole when the client goes away.
    let done =
        tokio::spawn(async move { app.artifacts.finish(&place, &id, parts, app.config.artifact_bytes_max).await })
            .await;
    done.unwrap_or_else(|_| Err(Error::internal("the end of an upload panicked")))?;
    Ok(Json(json!({})))
}

/// `POST …/mpu/abort/{path}`.
pub async fn abort(State(app): State<App>, uri: Uri, fields: Fields) -> Result<Json<Value>> {
    let place = target(&app, &uri, "/abort", &fields)?;
    app.artifacts.abort(&place, &fields.string("upload_id")?).await?;
    Ok(Json(json!({})))
}

/// The file: the folder of the address, and the last part of the client's own path.
fn target(app: &App, uri: &Uri, route: &str, fields: &Fields) -> Result<Place> {
    let local = fields.string("path")?;
    let name = local.rsplit(['/', '\\']).next().unwrap_or_default();
    if name.is_empty() || name == "." || name == ".." {
        return Err(Error::invalid("Invalid path"));
    }
    let path = format!("/mpu{route}");
    let folder = match uri.path().ends_with(&path) {
        true => app.artifacts.place("")?,
        false => proxy::place(app, uri, &format!("{path}/"))?,
    };
    folder.below(name)
}

/// How the client reaches this server: what it asked for, through whatever stands in front.
fn address(headers: &HeaderMap, uri: &Uri) -> Result<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text("host").or_else(|| uri.authority().map(|authority| authority.as_str()));
    let host = host.ok_or_else(|| Error::bad_request("The request names no host."))?;
    let https = text("x-forwarded-proto").is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
    Ok(format!("{}://{host}", if https { "https" } else { "http" }))
}
