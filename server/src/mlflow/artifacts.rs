//! Artifacts of runs, logged models and versions: list and read.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use contract::mlflow::FileInfo;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::Result;
use crate::fields::Fields;
use crate::mlflow::{logged_models, proxy, runs, versions};

/// `GET artifacts/list?run_id&path`: paths from the run's root.
pub async fn list(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let run = runs::find(app.store.read(), &runs::id_of(&fields)?).await?;
    listing(&app, &run.artifact_uri, &fields.opt_string("path")?.unwrap_or_default()).await
}

/// `GET logged-models/{model_id}/artifacts/directories?artifact_directory_path`.
pub async fn list_logged_model(State(app): State<App>, Path(id): Path<String>, fields: Fields) -> Result<Json<Value>> {
    let model = logged_models::find(app.store.read(), &id).await?;
    listing(&app, &model.artifact_location, &fields.opt_string("artifact_directory_path")?.unwrap_or_default()).await
}

/// `GET /get-artifact?run_uuid&path`.
pub async fn get_of_run(State(app): State<App>, fields: Fields) -> Result<Response> {
    let run = runs::find(app.store.read(), &runs::id_of(&fields)?).await?;
    proxy::send(app.artifacts.resolve(&run.artifact_uri)?.below(&fields.string("path")?)?).await
}

/// `GET /model-versions/get-artifact?name&version&path`.
pub async fn get_of_version(State(app): State<App>, fields: Fields) -> Result<Response> {
    let version = versions::find(app.store.read(), &fields.string("name")?, &fields.string("version")?).await?;
    proxy::send(app.artifacts.resolve(&version.storage_location)?.below(&fields.string("path")?)?).await
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
