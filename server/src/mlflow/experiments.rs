//! Experiments: create, read, rename, delete, restore, tag.

use axum::Json;
use axum::extract::State;
use contract::mlflow::{Experiment, KeyValue};
use serde_json::{Value, json};

use crate::app::App;
use crate::artifacts::location;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::names;
use crate::store::{self, Connection, Executor};

/// An experiment as its row.
pub struct Row {
    experiment_id: i64,
    name: String,
    artifact_location: String,
    lifecycle_stage: String,
    creation_time: i64,
    last_update_time: i64,
}

store::columns! {
    Row { experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time }
}

/// Columns of [`Row`].
pub const COLUMNS: &str =
    "e.experiment_id, e.name, e.artifact_location, e.lifecycle_stage, e.creation_time, e.last_update_time";

impl Row {
    /// Its id.
    pub fn id(&self) -> i64 {
        self.experiment_id
    }

    /// As the API spells it.
    pub fn answer(self, tags: Vec<KeyValue>) -> Experiment {
        Experiment {
            experiment_id: self.experiment_id.to_string(),
            name: self.name,
            artifact_location: self.artifact_location,
            lifecycle_stage: self.lifecycle_stage,
            last_update_time: self.last_update_time,
            creation_time: self.creation_time,
            tags,
        }
    }
}

/// `POST experiments/create`.
pub async fn create(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let name = fields.string("name")?;
    if name.chars().count() > 500 || name.trim().is_empty() {
        return Err(Error::invalid("Experiment name must have between 1 and 500 characters."));
    }
    let location = fields.opt_string("artifact_location")?.filter(|location| !location.is_empty());
    if let Some(location) = &location {
        location::check_client_location(location, &app.config)?;
    }
    let tags = fields.pairs("tags")?;
    tags.iter().try_for_each(|(key, value)| check_tag(key, value))?;
    let root = app.config.artifact_root().to_owned();
    let id = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let now = now_ms();
                let id: Option<i64> = store::query_scalar(
                    "INSERT INTO experiments (name, artifact_location, lifecycle_stage, creation_time, last_update_time)
                     VALUES ($1, '', 'active', $2, $2) ON CONFLICT (name) DO NOTHING RETURNING experiment_id",
                )
                .bind(&name)
                .bind(now)
                .fetch_optional(&mut *tx)
                .await?;
                let Some(id) = id else { return Err(taken(tx, &name).await?) };
                let location = location.unwrap_or_else(|| format!("{root}/{id}"));
                store::query("UPDATE experiments SET artifact_location = $1 WHERE experiment_id = $2")
                    .bind(location)
                    .bind(id)
                    .execute(&mut *tx)
                    .await?;
                for (key, value) in tags {
                    write_tag(tx, id, &key, &value).await?;
                }
                Ok(id)
            })
        })
        .await?;
    Ok(Json(json!({"experiment_id": id.to_string()})))
}

/// The name belongs to another experiment. A deleted one keeps it, and may be given up for good.
async fn taken(tx: &mut Connection, name: &str) -> Result<Error> {
    let deleted: Option<i64> =
        store::query_scalar("SELECT experiment_id FROM experiments WHERE name = $1 AND lifecycle_stage = 'deleted'")
            .bind(name)
            .fetch_optional(tx)
            .await?;
    let text = format!("Experiment(name={name}) already exists.");
    Ok(Error::exists(match deleted {
        None => text,
        Some(id) => format!(
            "{text} It is deleted, with the id {id}: restore it, or free its name with `beira gc --experiment-ids {id}`."
        ),
    }))
}

/// `GET experiments/get`; a deleted one too.
pub async fn get(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let row = find(app.store.read(), &fields.string("experiment_id")?).await?;
    answer(&app, row).await
}

/// `GET experiments/get-by-name`; a deleted one too.
pub async fn get_by_name(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let name = fields.string("experiment_name")?;
    let row: Option<Row> = store::query_as(
        "SELECT e.experiment_id, e.name, e.artifact_location, e.lifecycle_stage, e.creation_time, e.last_update_time
         FROM experiments e WHERE e.name = $1",
    )
    .bind(&name)
    .fetch_optional(app.store.read())
    .await?;
    let row = row.ok_or_else(|| Error::missing(format!("Could not find experiment with name '{name}'")))?;
    answer(&app, row).await
}

async fn answer(app: &App, row: Row) -> Result<Json<Value>> {
    let tags = tags_of(app.store.read(), row.id()).await?;
    Ok(Json(json!({"experiment": row.answer(tags)})))
}

/// `POST experiments/update`: renames.
pub async fn update(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (id, name) = (fields.string("experiment_id")?, fields.string("new_name")?);
    if name.chars().count() > 500 {
        return Err(Error::invalid("Experiment name must have between 1 and 500 characters."));
    }
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let row = find(&mut *tx, &id).await?;
                if row.lifecycle_stage != "active" {
                    return Err(Error::state("Cannot rename a non-active experiment."));
                }
                let other: Option<i64> = store::query_scalar(
                    "SELECT experiment_id FROM experiments WHERE name = $1 AND experiment_id <> $2",
                )
                .bind(&name)
                .bind(row.id())
                .fetch_optional(&mut *tx)
                .await?;
                if other.is_some() {
                    return Err(taken(tx, &name).await?);
                }
                store::query("UPDATE experiments SET name = $1, last_update_time = $2 WHERE experiment_id = $3")
                    .bind(&name)
                    .bind(now_ms())
                    .bind(row.id())
                    .execute(&mut *tx)
                    .await?;
                Ok(())
            })
        })
        .await?;
    Ok(Json(json!({})))
}

/// `POST experiments/delete`: its runs go with it.
pub async fn delete(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    set_stage(&app, fields.string("experiment_id")?, "active", "deleted").await
}

/// `POST experiments/restore`: its runs come back.
pub async fn restore(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    set_stage(&app, fields.string("experiment_id")?, "deleted", "active").await
}

async fn set_stage(app: &App, id: String, from: &'static str, to: &'static str) -> Result<Json<Value>> {
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let row = find(&mut *tx, &id).await?;
                if row.lifecycle_stage != from {
                    return Err(Error::missing(format!("No Experiment with id={} exists", row.id())));
                }
                let now = now_ms();
                store::query(
                    "UPDATE experiments SET lifecycle_stage = $1, last_update_time = $2 WHERE experiment_id = $3",
                )
                .bind(to)
                .bind(now)
                .bind(row.id())
                .execute(&mut *tx)
                .await?;
                store::query("UPDATE runs SET lifecycle_stage = $1, deleted_time = $2 WHERE experiment_id = $3")
                    .bind(to)
                    .bind((to == "deleted").then_some(now))
                    .bind(row.id())
                    .execute(&mut *tx)
                    .await?;
                Ok(())
            })
        })
        .await?;
    Ok(Json(json!({})))
}

/// `POST experiments/set-experiment-tag`.
pub async fn set_tag(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (id, key, value) =
        (fields.string("experiment_id")?, fields.string("key")?, fields.opt_string("value")?.unwrap_or_default());
    check_tag(&key, &value)?;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let id = active(tx, &id).await?;
                write_tag(tx, id, &key, &value).await?;
                touch(tx, id).await
            })
        })
        .await?;
    Ok(Json(json!({})))
}

/// `POST experiments/delete-experiment-tag`.
pub async fn delete_tag(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (id, key) = (fields.string("experiment_id")?, fields.string("key")?);
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let id = active(tx, &id).await?;
                let gone = store::query("DELETE FROM experiment_tags WHERE experiment_id = $1 AND key = $2")
                    .bind(id)
                    .bind(&key)
                    .execute(&mut *tx)
                    .await?;
                if gone == 0 {
                    return Err(Error::missing(format!("No tag with name: {key} in experiment with id {id}")));
                }
                touch(tx, id).await
            })
        })
        .await?;
    Ok(Json(json!({})))
}

/// The experiment, deleted or not.
pub async fn find(executor: impl Executor<'_>, id: &str) -> Result<Row> {
    let id = names::experiment_id(id)?;
    store::query_as(
        "SELECT e.experiment_id, e.name, e.artifact_location, e.lifecycle_stage, e.creation_time, e.last_update_time
         FROM experiments e WHERE e.experiment_id = $1",
    )
    .bind(id)
    .fetch_optional(executor)
    .await?
    .ok_or_else(|| Error::missing(format!("No Experiment with id={id} exists")))
}

/// Id of an experiment that can be written to.
pub async fn active(tx: &mut Connection, id: &str) -> Result<i64> {
    Ok(active_row(tx, id).await?.id())
}

/// Id and artifact location of an experiment that can be written to.
pub async fn active_location(tx: &mut Connection, id: &str) -> Result<(i64, String)> {
    let row = active_row(tx, id).await?;
    Ok((row.id(), row.artifact_location))
}

async fn active_row(tx: &mut Connection, id: &str) -> Result<Row> {
    let row = find(tx, id).await?;
    if row.lifecycle_stage == "active" {
        return Ok(row);
    }
    Err(Error::invalid(format!(
        "The experiment {} must be in the 'active' state. Current state is {}.",
        row.experiment_id, row.lifecycle_stage
    )))
}

/// The tags of an experiment.
pub async fn tags_of(executor: impl Executor<'_>, id: i64) -> Result<Vec<KeyValue>> {
    let rows: Vec<(String, String)> =
        store::query_as("SELECT key, value FROM experiment_tags WHERE experiment_id = $1 ORDER BY key")
            .bind(id)
            .fetch_all(executor)
            .await?;
    Ok(rows.into_iter().map(|(key, value)| KeyValue { key, value }).collect())
}

async fn write_tag(tx: &mut Connection, id: i64, key: &str, value: &str) -> Result<()> {
    store::query(
        "INSERT INTO experiment_tags (experiment_id, key, value) VALUES ($1, $2, $3)
         ON CONFLICT (experiment_id, key) DO UPDATE SET value = excluded.value",
    )
    .bind(id)
    .bind(key)
    .bind(value)
    .execute(tx)
    .await?;
    Ok(())
}

async fn touch(tx: &mut Connection, id: i64) -> Result<()> {
    store::query("UPDATE experiments SET last_update_time = $1 WHERE experiment_id = $2")
        .bind(now_ms())
        .bind(id)
        .execute(tx)
        .await?;
    Ok(())
}

fn check_tag(key: &str, value: &str) -> Result<()> {
    names::key("tag", "key", key)?;
    if value.chars().count() > 20_000 {
        return Err(Error::invalid("Tag value exceeds the maximum length of 20000 characters."));
    }
    Ok(())
}
