//! Logged models: MLflow 3's entity for the files of one model.

use axum::Json;
use axum::extract::State;
use contract::mlflow::KeyValue;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::App;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::log::Point;
use crate::mlflow::{experiments, names, run_load};
use crate::path::Path;
use crate::store::{self, Connection, Executor};

/// A logged model as its row.
#[derive(Clone)]
#[allow(missing_docs)]
pub struct Row {
    pub model_id: String,
    pub experiment_id: i64,
    pub name: String,
    pub artifact_location: String,
    pub creation_time: i64,
    pub last_updated_time: i64,
    pub status: String,
    pub status_message: Option<String>,
    pub model_type: Option<String>,
    pub source_run_id: Option<String>,
    pub lifecycle_stage: String,
}

store::columns! {
    Row { model_id, experiment_id, name, artifact_location, creation_time, last_updated_time, status, status_message, model_type, source_run_id, lifecycle_stage }
}

/// `POST logged-models`.
pub async fn create(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let experiment = fields.string("experiment_id")?;
    let id = format!("m-{}", Uuid::new_v4().simple());
    let name = fields.opt_string("name")?.filter(|name| !name.is_empty()).unwrap_or_else(|| id.clone());
    names::logged_model(&name)?;
    let model_type = fields.opt_string("model_type")?;
    let source_run = fields.opt_string("source_run_id")?;
    let (params, tags) = (fields.pairs("params")?, fields.pairs("tags")?);
    let created = id.clone();
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let (experiment, location) = experiments::active_location(tx, &experiment).await?;
                let now = now_ms();
                store::query(
                    "INSERT INTO logged_models (model_id, experiment_id, name, artifact_location, creation_time,
                         last_updated_time, status, model_type, source_run_id, lifecycle_stage)
                     VALUES ($1, $2, $3, $4, $5, $5, 'LOGGED_MODEL_PENDING', $6, $7, 'active')",
                )
                .bind(&id)
                .bind(experiment)
                .bind(name)
                .bind(format!("{}/models/{id}/artifacts", location.trim_end_matches('/')))
                .bind(now)
                .bind(model_type)
                .bind(source_run)
                .execute(&mut *tx)
                .await?;
                write_params(tx, &id, params).await?;
                write_tags(tx, &id, tags).await
            })
        })
        .await?;
    answer(&app, &created).await
}

/// `GET logged-models/{model_id}`; a deleted one with `allow_deleted=true`.
pub async fn get(State(app): State<App>, Path(id): Path<String>, fields: Fields) -> Result<Json<Value>> {
    if fields.opt_bool("allow_deleted")? == Some(true) {
        return Ok(Json(json!({"model": load(&app, find_any(app.store.read(), &id).await?).await?})));
    }
    answer(&app, &id).await
}

async fn answer(app: &App, id: &str) -> Result<Json<Value>> {
    let row = find(app.store.read(), id).await?;
    Ok(Json(json!({"model": load(app, row).await?})))
}

/// `PATCH logged-models/{model_id}`: sets the status.
pub async fn finalize(State(app): State<App>, Path(id): Path<String>, fields: Fields) -> Result<Json<Value>> {
    let status = match fields.get("status")? {
        Some(Value::Number(number)) => number.to_string(),
        _ => fields.string("status")?,
    };
    let status = match status.as_str() {
        "LOGGED_MODEL_PENDING" | "PENDING" | "1" => "LOGGED_MODEL_PENDING",
        "LOGGED_MODEL_READY" | "READY" | "2" => "LOGGED_MODEL_READY",
        "LOGGED_MODEL_UPLOAD_FAILED" | "FAILED" | "3" => "LOGGED_MODEL_UPLOAD_FAILED",
        _ => {
            return Err(Error::invalid(
                "Invalid model status. Expected LOGGED_MODEL_READY or LOGGED_MODEL_UPLOAD_FAILED.",
            ));
        }
    };
    let written = id.clone();
    app.store
        .write(move |tx| {
            Box::pin(async move {
                find(&mut *tx, &written).await?;
                store::query("UPDATE logged_models SET status = $1, last_updated_time = $2 WHERE model_id = $3")
                    .bind(status)
                    .bind(now_ms())
                    .bind(written)
                    .execute(&mut *tx)
                    .await?;
                Ok(())
            })
        })
        .await?;
    answer(&app, &id).await
}

/// `DELETE logged-models/{model_id}`: marks it deleted; once more is nothing.
pub async fn delete(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>> {
    app.store
        .write(move |tx| {
            Box::pin(async move {
                find_any(&mut *tx, &id).await?;
                store::query(
                    "UPDATE logged_models SET lifecycle_stage = 'deleted', last_updated_time = $1 WHERE model_id = $2",
                )
                .bind(now_ms())
                .bind(id)
                .execute(&mut *tx)
                .await?;
                Ok(())
            })
        })
        .await?;
    Ok(Json(json!({})))
}

/// `PATCH logged-models/{model_id}/tags`.
pub async fn set_tags(State(app): State<App>, Path(id): Path<String>, fields: Fields) -> Result<Json<Value>> {
    let tags = fields.pairs("tags")?;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                find(&mut *tx, &id).await?;
                write_tags(tx, &id, tags).await
            })
        })
        .await?;
    Ok(Json(json!({})))
}

/// `DELETE logged-models/{model_id}/tags/{key}`.
pub async fn delete_tag(State(app): State<App>, Path((id, key)): Path<(String, String)>) -> Result<Json<Value>> {
    app.store
        .write(move |tx| {
            Box::pin(async move {
                find(&mut *tx, &id).await?;
                let gone = store::query("DELETE FROM logged_model_tags WHERE model_id = $1 AND key = $2")
                    .bind(&id)
                    .bind(&key)
                    .execute(&mut *tx)
                    .await?;
                if gone == 0 {
                    return Err(Error::missing(format!("No tag with key '{key}' found for model with ID '{id}'.")));
                }
                Ok(())
            })
        })
        .await?;
    Ok(Json(json!({})))
}

/// `POST logged-models/{model_id}/params`.
pub async fn log_params(State(app): State<App>, Path(id): Path<String>, fields: Fields) -> Result<Json<Value>> {
    let params = fields.pairs("params")?;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                find(&mut *tx, &id).await?;
                write_params(tx, &id, params).await
            })
        })
        .await?;
    Ok(Json(json!({})))
}

/// The model, unless it is deleted.
pub async fn find(executor: impl Executor<'_>, id: &str) -> Result<Row> {
    find_any(executor, id)
        .await
        .and_then(|row| if row.lifecycle_stage == "active" { Ok(row) } else { Err(not_found(id)) })
}

/// The model, deleted or not.
async fn find_any(executor: impl Executor<'_>, id: &str) -> Result<Row> {
    store::query_as("SELECT * FROM logged_models WHERE model_id = $1")
        .bind(id)
        .fetch_optional(executor)
        .await?
        .ok_or_else(|| not_found(id))
}

fn not_found(id: &str) -> Error {
    let shown =
        if id.len() <= 64 && id.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)) { id } else { "…" };
    Error::missing(format!("Logged model with ID '{shown}' not found."))
}

/// The model as the API spells it.
pub async fn load(app: &App, row: Row) -> Result<Value> {
    let pool = app.store.read();
    let pairs = |rows: Vec<(String, String)>| -> Vec<KeyValue> {
        rows.into_iter().map(|(key, value)| KeyValue { key, value }).collect()
    };
    let tags = store::query_as("SELECT key, value FROM logged_model_tags WHERE model_id = $1 ORDER BY key")
        .bind(&row.model_id)
        .fetch_all(pool)
        .await?;
    let params = store::query_as("SELECT key, value FROM logged_model_params WHERE model_id = $1 ORDER BY key")
        .bind(&row.model_id)
        .fetch_all(pool)
        .await?;
    let metrics: Vec<(String, f64, i64, i64, i64, String, String, String)> = store::query_as(
        "SELECT key, value, is_nan, timestamp, step, run_id, dataset_name, dataset_digest
         FROM logged_model_metrics WHERE model_id = $1 ORDER BY key, timestamp",
    )
    .bind(&row.model_id)
    .fetch_all(pool)
    .await?;
    let registrations: Vec<(String, i64)> = store::query_as(
        "SELECT name, version FROM model_versions WHERE model_id = $1 AND deleted = 0 ORDER BY name, version",
    )
    .bind(&row.model_id)
    .fetch_all(pool)
    .await?;
    let mut info = json!({
        "model_id": row.model_id,
        "experiment_id": row.experiment_id.to_string(),
        "name": row.name,
        "creation_timestamp_ms": row.creation_time,
        "last_updated_timestamp_ms": row.last_updated_time,
        "artifact_uri": row.artifact_location,
        "status": row.status,
    });
    let optional =
        [("model_type", row.model_type), ("source_run_id", row.source_run_id), ("status_message", row.status_message)];
    for (key, value) in optional {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            info[key] = value.into();
        }
    }
    info["tags"] = json!(pairs(tags));
    info["registrations"] = registrations
        .into_iter()
        .map(|(name, version)| json!({"name": name, "version": version.to_string()}))
        .collect();
    let metrics: Vec<Value> = metrics
        .into_iter()
        .map(|(key, value, is_nan, timestamp, step, run, name, digest)| {
            let mut point = json!(run_load::metric(key, value, is_nan, timestamp, step));
            point["model_id"] = info["model_id"].clone();
            point["run_id"] = run.into();
            if !name.is_empty() {
                point["dataset_name"] = name.into();
                point["dataset_digest"] = digest.into();
            }
            point
        })
        .collect();
    Ok(json!({"info": info, "data": {"params": pairs(params), "metrics": metrics}}))
}

/// Keeps the last value of a metric that a run logged for a model.
pub async fn write_metric(tx: &mut Connection, model: &str, run: &str, point: &Point) -> Result<()> {
    let (value, is_nan) = if point.value.is_nan() { (0.0, 1i64) } else { (point.value, 0) };
    store::query(
        "INSERT INTO logged_model_metrics
             (model_id, key, run_id, dataset_name, dataset_digest, value, is_nan, timestamp, step)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (model_id, key, run_id, dataset_name, dataset_digest) DO UPDATE
         SET value = excluded.value, is_nan = excluded.is_nan, timestamp = excluded.timestamp, step = excluded.step
         WHERE (excluded.step, excluded.timestamp) >= (logged_model_metrics.step, logged_model_metrics.timestamp)",
    )
    .bind(model)
    .bind(&*point.key)
    .bind(run)
    .bind(&point.dataset.0)
    .bind(&point.dataset.1)
    .bind(value)
    .bind(is_nan)
    .bind(point.timestamp)
    .bind(point.step)
    .execute(tx)
    .await?;
    Ok(())
}

async fn write_tags(tx: &mut Connection, id: &str, tags: Vec<(String, String)>) -> Result<()> {
    for (key, value) in tags {
        store::query(
            "INSERT INTO logged_model_tags (model_id, key, value) VALUES ($1, $2, $3)
             ON CONFLICT (model_id, key) DO UPDATE SET value = excluded.value",
        )
        .bind(id)
        .bind(key)
        .bind(value)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

async fn write_params(tx: &mut Connection, id: &str, params: Vec<(String, String)>) -> Result<()> {
    for (key, value) in params {
        names::key("parameter", "key", &key)?;
        store::query(
            "INSERT INTO logged_model_params (model_id, key, value) VALUES ($1, $2, $3) ON CONFLICT (model_id, key) DO NOTHING",
        )
        .bind(id)
        .bind(key)
        .bind(names::truncate(value, 6000))
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}
