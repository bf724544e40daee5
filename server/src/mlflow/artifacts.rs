//! Artifacts of runs, logged models and versions: list and read.

use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use contract::mlflow::FileInfo;
use serde_json::{Value, json};

use crate::app::App;
use crate::artifacts::location;
use crate::body;
use crate::error::{Code, Error, Result};
use crate::fields::Fields;
use crate::mlflow::{logged_models, proxy, runs, versions};
use crate::path::Path;

/// `GET artifacts/list?run_id&path`: paths from the run's root.
pub async fn list(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (id, path) = (runs::id_of(&fields)?, fields.opt_string("path")?.unwrap_or_default());
    location::clean(&path)?;
    let run = runs::find(app.store.read(), &id).await?;
    listing(&app, &run.artifact_uri, &path).await
}

/// `GET logged-models/{model_id}/artifacts/directories?artifact_directory_path`.
pub async fn list_logged_model(State(app): State<App>, Path(id): Path<String>, fields: Fields) -> Result<Json<Value>> {
    let path = fields.opt_string("artifact_directory_path")?.unwrap_or_default();
    location::clean(&path)?;
    let model = logged_models::find(app.store.read(), &id).await?;
    listing(&app, &model.artifact_location, &path).await
}

/// `GET /get-artifact?run_uuid&path`.
pub async fn get_of_run(State(app): State<App>, headers: HeaderMap, fields: Fields) -> Result<Response> {
    let (id, path) = (runs::id_of(&fields)?, path_of(&fields, "path")?);
    let run = runs::find(app.store.read(), &id).await?;
    proxy::send(app.artifacts.resolve(&run.artifact_uri)?.below(&path)?, &headers).await
}

/// `GET /model-versions/get-artifact?name&version&path`.
pub async fn get_of_version(State(app): State<App>, headers: HeaderMap, fields: Fields) -> Result<Response> {
    let path = path_of(&fields, "path")?;
    let version = versions::find(app.store.read(), &fields.string("name")?, &fields.string("version")?).await?;
    proxy::send(app.artifacts.resolve(&version.storage_location)?.below(&path)?, &headers).await
}

/// `GET logged-models/{model_id}/artifacts/files?artifact_file_path`, of the user interface.
pub async fn get_of_logged_model(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response> {
    if fields.opt_string("artifact_file_path")?.unwrap_or_default().is_empty() {
        return Err(Error::bad_request("Request must include the \"artifact_file_path\" query parameter."));
    }
    let path = path_of(&fields, "artifact_file_path")?;
    let model = logged_models::find(app.store.read(), &id).await?;
    proxy::send(app.artifacts.resolve(&model.artifact_location)?.below(&path)?, &headers).await
}

/// `POST upload-artifact?run_uuid&path`, of the user interface: a small file as the body.
pub async fn upload(State(app): State<App>, request: Request) -> Result<Json<Value>> {
    const MOST: usize = 10 << 20;
    let fields = Fields::from_query(request.uri().query().unwrap_or_default());
    let given = |name: &str| {
        let text = fields.opt_string(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| Error::invalid(format!("Request must specify {name}.")))
    };
    let (id, path) = (given("run_uuid")?, given("path")?);
    location::clean(&path)?;
    let body = body::read(request.into_body(), MOST).await.map_err(|error| match error {
        Error::Client(Code::TooLarge, _) => Error::invalid("Artifact size is too large. Max size is 10MB."),
        other => other,
    })?;
    if body.is_empty() {
        return Err(Error::invalid("Request must specify data."));
    }
    let run = runs::find(app.store.read(), &id).await?;
    app.artifacts.resolve(&run.artifact_uri)?.below(&path)?.put(body).await?;
    Ok(Json(json!({})))
}

/// `POST artifacts/presigned-upload-url`: for roots that clients write to themselves, when they are in a bucket.
pub async fn presigned_upload(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    presigned(&app, &fields, Method::PUT).await
}

/// `POST artifacts/presigned-download-url`.
pub async fn presigned_download(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    presigned(&app, &fields, Method::GET).await
}

async fn presigned(app: &App, fields: &Fields, method: Method) -> Result<Json<Value>> {
    let path = path_of(fields, "path")?;
    let root = match (fields.opt_string("run_id")?, fields.opt_string("model_id")?) {
        (Some(run), None) => runs::find(app.store.read(), &run).await?.artifact_uri,
        (None, Some(model)) => logged_models::find(app.store.read(), &model).await?.artifact_location,
        _ => return Err(Error::invalid("Exactly one of run_id and model_id must be provided.")),
    };
    let seconds = fields.opt_int("expiration")?.unwrap_or(proxy::ADDRESS.as_secs() as i64);
    let seconds = u64::try_from(seconds).ok().filter(|seconds| (1..=604_800).contains(seconds));
    let Some(seconds) = seconds else {
        return Err(Error::invalid("expiration must be between 1 and 604800 seconds."));
    };
    if root.starts_with("mlflow-artifacts:") {
        return Err(Error::invalid(format!("{path} lies behind this server, for which there are no presigned URLs.")));
    }
    let place = app.artifacts.resolve(&root)?.below(&path)?;
    let download = method == Method::GET;
    let Some(url) = place.address(method, Duration::from_secs(seconds)).await? else {
        return Err(Error::Client(Code::NotImplemented, "This artifact store has no presigned URLs.".to_owned()));
    };
    let mut answer = json!({"presigned_url": url, "headers": {}});
    if download {
        answer["file_size"] = place.size().await?.into();
    }
    Ok(Json(answer))
}

/// A path in the request, checked before anything is looked up.
fn path_of(fields: &Fields, name: &str) -> Result<String> {
    let path = fields.string(name)?;
    location::clean(&path)?;
    Ok(path)
}

async fn listing(app: &App, root: &str, path: &str) -> Result<Json<Value>> {
    let folder = path.trim_matches('/');
    let entries = app.artifacts.resolve(root)?.below(folder)?.list().await?;
    let files: Vec<FileInfo> = entries
        .into_iter()
        .map(|entry| FileInfo {
            path: if folder.is_empty() { entry.name } else { format!("{folder}/{}", entry.name) },
            is_dir: entry.size.is_none(),
            file_size: entry.size.map(|size| size as i64),
        })
        .collect();
    let mut answer = json!({"root_uri": root});
    if !files.is_empty() {
        answer["files"] = json!(files);
    }
    Ok(Json(answer))
}
