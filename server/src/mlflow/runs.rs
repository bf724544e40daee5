//! Runs: create, read, update, delete, restore.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::App;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::{experiments, log, names, run_load};
use crate::store::{self, Connection, Executor, Lock};

/// The tag that is the run's name.
pub const RUN_NAME: &str = "mlflow.runName";

/// A run as its row.
#[derive(Clone)]
#[allow(missing_docs)]
pub struct Row {
    pub id: i64,
    pub run_uuid: String,
    pub experiment_id: i64,
    pub name: String,
    pub user_id: String,
    pub status: String,
    pub start_time: i64,
    pub end_time: Option<i64>,
    pub artifact_uri: String,
    pub lifecycle_stage: String,
}

store::columns! {
    Row { id, run_uuid, experiment_id, name, user_id, status, start_time, end_time, artifact_uri, lifecycle_stage }
}

/// Columns of [`Row`].
pub const COLUMNS: &str = "r.id, r.run_uuid, r.experiment_id, r.name, r.user_id, r.status, r.start_time, r.end_time, r.artifact_uri, r.lifecycle_stage";

/// `POST runs/create`.
pub async fn create(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let experiment = fields.opt_string("experiment_id")?.filter(|id| !id.is_empty()).unwrap_or_else(|| "0".to_owned());
    let user = fields.opt_string("user_id")?.unwrap_or_default();
    let start = fields.opt_int("start_time")?.unwrap_or_else(now_ms);
    let given = fields.opt_string("run_name")?.filter(|name| !name.is_empty());
    let mut tags = fields.pairs("tags")?;
    tags.iter().try_for_each(|(key, _)| names::key("tag", "key", key))?;
    let tagged = tags.iter().find(|(key, _)| key == RUN_NAME).map(|(_, value)| value.clone());
    let id = Uuid::new_v4();
    let name = match (given, tagged) {
        (Some(a), Some(b)) if a != b => {
            return Err(Error::invalid(
                "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values.",
            ));
        }
        (Some(name), _) | (None, Some(name)) => name,
        (None, None) => random_name(id),
    };
    tags.retain(|(key, _)| key != RUN_NAME);
    tags.push((RUN_NAME.to_owned(), name.clone()));
    let uuid = id.simple().to_string();
    let run = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let (experiment, location) = experiments::active_location(tx, &experiment).await?;
                let run: i64 = store::query_scalar(
                    "INSERT INTO runs (run_uuid, experiment_id, name, user_id, status, start_time, artifact_uri, lifecycle_stage)
                     VALUES ($1, $2, $3, $4, 'RUNNING', $5, $6, 'active') RETURNING id",
                )
                .bind(&uuid)
                .bind(experiment)
                .bind(&name)
                .bind(&user)
                .bind(start)
                .bind(format!("{}/{uuid}/artifacts", location.trim_end_matches('/')))
                .fetch_one(&mut *tx)
                .await?;
                for (key, value) in tags {
                    log::write_tag(tx, run, &key, value).await?;
                }
                let row = find(&mut *tx, &uuid).await?;
                Ok(run_load::fresh(row, &log::tags_of(tx, run).await?))
            })
        })
        .await?;
    Ok(Json(json!({"run": run})))
}

/// `GET runs/get`; a deleted one too.
pub async fn get(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let id = id_of(&fields)?;
    let runs = app
        .store
        .view(move |tx| {
            Box::pin(async move {
                let row = find(&mut *tx, &id).await?;
                run_load::load(tx, vec![row]).await
            })
        })
        .await?;
    Ok(Json(json!({"run": runs.iter().next()})))
}

/// `POST runs/update`: status, end time, name.
pub async fn update(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let id = id_of(&fields)?;
    let status = status_of(&fields)?;
    let end = fields.opt_int("end_time")?;
    let name = fields.opt_string("run_name")?.filter(|name| !name.is_empty());
    let row = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let run = active(tx, &id).await?;
                store::query(
                    "UPDATE runs SET status = coalesce($1, status), end_time = coalesce($2, end_time) WHERE id = $3",
                )
                .bind(status)
                .bind(end)
                .bind(run.id)
                .execute(&mut *tx)
                .await?;
                if let Some(name) = name {
                    log::write_tag(tx, run.id, RUN_NAME, name).await?;
                }
                find(&mut *tx, &id).await
            })
        })
        .await?;
    Ok(Json(json!({"run_info": run_load::info(row)})))
}

/// `POST runs/delete`: marks it deleted; once more is nothing.
pub async fn delete(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let id = fields.string("run_id")?;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let run = find(&mut *tx, &id).await?;
                set_stage(tx, run.id, "deleted", Some(now_ms())).await
            })
        })
        .await?;
    Ok(Json(json!({})))
}

/// `POST runs/restore`; of a run that is not deleted nothing.
pub async fn restore(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let id = fields.string("run_id")?;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let run = find(&mut *tx, &id).await?;
                set_stage(tx, run.id, "active", None).await
            })
        })
        .await?;
    Ok(Json(json!({})))
}

async fn set_stage(tx: &mut Connection, run: i64, stage: &str, deleted: Option<i64>) -> Result<()> {
    store::query("UPDATE runs SET lifecycle_stage = $1, deleted_time = $2 WHERE id = $3")
        .bind(stage)
        .bind(deleted)
        .bind(run)
        .execute(tx)
        .await?;
    Ok(())
}

/// The run's id: `run_id`, or `run_uuid` as old clients say.
pub fn id_of(fields: &Fields) -> Result<String> {
    match fields.opt_string("run_id")?.filter(|id| !id.is_empty()) {
        Some(id) => Ok(id),
        None => fields.opt_string("run_uuid")?.filter(|id| !id.is_empty()).map_or_else(|| fields.string("run_id"), Ok),
    }
}

/// The run, deleted or not.
pub async fn find(executor: impl Executor<'_>, id: &str) -> Result<Row> {
    store::query_as(FIND).bind(id).fetch_optional(executor).await?.ok_or_else(|| not_found(id))
}

const FIND: &str = "SELECT r.id, r.run_uuid, r.experiment_id, r.name, r.user_id, r.status, r.start_time, r.end_time,
        r.artifact_uri, r.lifecycle_stage
     FROM runs r WHERE r.run_uuid = $1";

fn not_found(id: &str) -> Error {
    let plain = id.len() <= 256 && !id.contains(char::is_control);
    Error::missing(format!("Run with id={} not found", if plain { id } else { "…" }))
}

/// The run, when it can be written to.
///
/// Until the transaction ends nobody else writes to it.
pub async fn active(tx: &mut Connection, id: &str) -> Result<Row> {
    let query = store::query_as(FIND).bind(id).locked(Lock::Alone);
    writable(query.fetch_optional(tx).await?, id)
}

/// The same for adding to it; others may add at the same time, and nobody deletes it meanwhile.
pub async fn open(tx: &mut Connection, id: &str) -> Result<Row> {
    let query = store::query_as(FIND).bind(id).locked(Lock::Shared);
    writable(query.fetch_optional(tx).await?, id)
}

fn writable(found: Option<Row>, id: &str) -> Result<Row> {
    let run = found.ok_or_else(|| not_found(id))?;
    if run.lifecycle_stage == "active" {
        return Ok(run);
    }
    let (id, stage) = (run.run_uuid, run.lifecycle_stage);
    Err(Error::invalid(format!("The run {id} must be in the 'active' state. Current state is {stage}.")))
}

fn status_of(fields: &Fields) -> Result<Option<&'static str>> {
    const NAMES: [&str; 5] = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"];
    let wrong = || {
        Error::invalid(format!(
            "Invalid value for parameter 'status' supplied: it must be one of {}.",
            NAMES.join(", ")
        ))
    };
    match fields.get("status")? {
        None => Ok(None),
        Some(Value::Number(number)) => {
            let index = number.as_u64().and_then(|n| usize::try_from(n).ok()).and_then(|n| n.checked_sub(1));
            index.and_then(|i| NAMES.get(i).copied()).map(Some).ok_or_else(wrong)
        }
        _ => {
            let given = fields.opt_string("status")?.unwrap_or_default();
            NAMES.into_iter().find(|name| *name == given).map(Some).ok_or_else(wrong)
        }
    }
}

/// `adjective-noun-NNN` from the bits of a fresh id.
fn random_name(id: Uuid) -> String {
    const ADJECTIVES: [&str; 16] = [
        "amber", "bold", "calm", "clever", "coastal", "deft", "eager", "gentle", "keen", "lively", "nimble", "quiet",
        "salty", "steady", "sunny", "windy",
    ];
    const NOUNS: [&str; 16] = [
        "anchor", "bay", "buoy", "cove", "dune", "gull", "harbour", "lagoon", "mast", "pier", "quay", "reef", "sail",
        "shore", "tide", "wave",
    ];
    let bytes = id.as_bytes();
    let number = u16::from_le_bytes([bytes[2], bytes[3]]) % 1000;
    format!("{}-{}-{number}", ADJECTIVES[usize::from(bytes[0] % 16)], NOUNS[usize::from(bytes[1] % 16)])
}
