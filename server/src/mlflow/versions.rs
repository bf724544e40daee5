//! Versions of registered models.

use axum::Json;
use axum::extract::State;
use contract::mlflow::{KeyValue, ModelVersion};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::app::App;
use crate::artifacts::location;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::{logged_models, names, registered_models, runs};
use crate::store::{self, Connection, Executor, Reader};

/// A version as its row.
#[derive(Clone)]
#[allow(missing_docs)]
pub struct Row {
    pub name: String,
    pub version: i64,
    pub creation_timestamp: i64,
    pub last_updated_timestamp: i64,
    pub user_id: Option<String>,
    pub current_stage: String,
    pub description: Option<String>,
    pub source: String,
    /// `source` with `runs:/` and `models:/` resolved.
    pub storage_location: String,
    pub run_id: Option<String>,
    pub model_id: Option<String>,
}

store::columns! {
    Row { name, version, creation_timestamp, last_updated_timestamp, user_id, current_stage, description, source, storage_location, run_id, model_id }
}

/// `POST model-versions/create`; its module is then compiled in the background.
pub async fn create(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (name, source) = (fields.string("name")?, fields.string("source")?);
    let optional =
        |field: &str| -> Result<Option<String>> { Ok(fields.opt_string(field)?.filter(|text| !text.is_empty())) };
    let (run_id, run_link, description, model_id) =
        (optional("run_id")?, optional("run_link")?, optional("description")?, optional("model_id")?);
    let tags = fields.pairs("tags")?;
    tags.iter().try_for_each(|(key, value)| registered_models::check_tag(key, value))?;
    if run_link.as_deref().is_some_and(|link| !link.starts_with("http://") && !link.starts_with("https://")) {
        return Err(Error::invalid("Invalid run_link: it must be an http or https address."));
    }
    let config = app.config.clone();
    let row = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                registered_models::touch(tx, &name).await?;
                let (storage, model) = resolve(tx, &source, run_id.as_deref(), &config).await?;
                let version: i64 =
                    store::query_scalar("SELECT coalesce(max(version), 0) + 1 FROM model_versions WHERE name = $1")
                        .bind(&name)
                        .fetch_one(&mut *tx)
                        .await?;
                store::query(
                    "INSERT INTO model_versions (name, version, creation_timestamp, last_updated_timestamp, current_stage,
                         description, source, storage_location, run_id, run_link, model_id, deleted)
                     VALUES ($1, $2, $3, $3, 'None', $4, $5, $6,
                         coalesce($7, (SELECT source_run_id FROM logged_models WHERE model_id = $9)), $8, $9, 0)",
                )
                .bind(&name)
                .bind(version)
                .bind(now_ms())
                .bind(description)
                .bind(&source)
                .bind(storage)
                .bind(&run_id)
                .bind(run_link)
                .bind(model_id.or(model))
                .execute(&mut *tx)
                .await?;
                for (key, value) in tags {
                    write_tag(tx, &name, version, &key, &value).await?;
                }
                store::query("INSERT INTO modules (name, version, state) VALUES ($1, $2, 'waiting')")
                    .bind(&name)
                    .bind(version)
                    .execute(&mut *tx)
                    .await?;
                registered_models::event(tx, &name, version, "registered", &format!("version {version} registered")).await?;
                find(&mut *tx, &name, &version.to_string()).await
            })
        })
        .await?;
    app.modules.wanted(&row.name, row.version);
    Ok(Json(json!({"model_version": load(app.store.read(), row).await?})))
}

/// Where the files of `source` lie, and the logged model they belong to.
async fn resolve(
    tx: &mut Connection,
    source: &str,
    run: Option<&str>,
    config: &crate::Config,
) -> Result<(String, Option<String>)> {
    if let Some(rest) = source.strip_prefix("models:/") {
        if rest.starts_with("m-") && !rest.contains('/') {
            let model = logged_models::find(tx, rest).await?;
            return Ok((model.artifact_location, Some(model.model_id)));
        }
        let (name, version) =
            rest.split_once('/').ok_or_else(|| Error::invalid("Invalid source: models:/NAME/VERSION is expected."))?;
        registered_models::exists(tx, name).await?;
        let row = find(tx, name, version).await?;
        return Ok((row.storage_location, row.model_id));
    }
    if let Some(rest) = source.strip_prefix("runs:/") {
        let (id, path) = rest.split_once('/').unwrap_or((rest, ""));
        if run.is_some_and(|run| run != id) {
            return Err(Error::invalid("Invalid model version source: it belongs to another run than run_id."));
        }
        location::clean(path)?;
        let found = runs::find(tx, id).await?;
        return Ok((format!("{}/{}", found.artifact_uri, path.trim_matches('/')), None));
    }
    location::check_client_location(source, config)?;
    Ok((source.trim_end_matches('/').to_owned(), None))
}

/// `GET model-versions/get`.
pub async fn get(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (name, version) = key_of(&fields)?;
    answer(&app, &name, &version).await
}

async fn answer(app: &App, name: &str, version: &str) -> Result<Json<Value>> {
    let row = find(app.store.read(), name, version).await?;
    Ok(Json(json!({"model_version": load(app.store.read(), row).await?})))
}

/// `PATCH model-versions/update`: the description.
pub async fn update(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (name, version) = key_of(&fields)?;
    let description = fields.opt_string("description")?;
    change(&app, &name, &version, move |tx, row| {
        Box::pin(async move {
            store::query("UPDATE model_versions SET description = $1 WHERE name = $2 AND version = $3")
                .bind(description)
                .bind(row.name)
                .bind(row.version)
                .execute(tx)
                .await?;
            Ok(())
        })
    })
    .await?;
    answer(&app, &name, &version).await
}

/// `POST model-versions/transition-stage`.
pub async fn transition_stage(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (name, version) = key_of(&fields)?;
    let stage = names::stage(&fields.string("stage")?)?;
    let archive = fields.opt_bool("archive_existing_versions")?.unwrap_or(false);
    if archive && !matches!(stage, "Staging" | "Production") {
        return Err(Error::invalid("archive_existing_versions goes with the stages Staging and Production alone."));
    }
    change(&app, &name, &version, move |tx, row| {
        Box::pin(async move {
            if archive {
                store::query(
                    "UPDATE model_versions SET current_stage = 'Archived', last_updated_timestamp = $1
                     WHERE name = $2 AND current_stage = $3 AND version <> $4 AND deleted = 0",
                )
                .bind(now_ms())
                .bind(&row.name)
                .bind(stage)
                .bind(row.version)
                .execute(&mut *tx)
                .await?;
            }
            store::query("UPDATE model_versions SET current_stage = $1 WHERE name = $2 AND version = $3")
                .bind(stage)
                .bind(row.name)
                .bind(row.version)
                .execute(tx)
                .await?;
            Ok(())
        })
    })
    .await?;
    answer(&app, &name, &version).await
}

/// `DELETE model-versions/delete`: the row is emptied and keeps its number.
pub async fn delete(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (name, version) = key_of(&fields)?;
    change(&app, &name, &version, move |tx, row| {
        Box::pin(async move {
            store::query(
                "UPDATE model_versions SET deleted = 1, user_id = NULL, current_stage = 'Deleted_Internal', description = NULL,
                     source = '', storage_location = '', run_id = NULL, run_link = NULL, model_id = NULL
                 WHERE name = $1 AND version = $2",
            )
            .bind(&row.name)
            .bind(row.version)
            .execute(&mut *tx)
            .await?;
            store::query("DELETE FROM aliases WHERE name = $1 AND version = $2")
                .bind(&row.name)
                .bind(row.version)
                .execute(&mut *tx)
                .await?;
            store::query("DELETE FROM model_version_tags WHERE name = $1 AND version = $2")
                .bind(&row.name)
                .bind(row.version)
                .execute(&mut *tx)
                .await?;
            store::query("DELETE FROM modules WHERE name = $1 AND version = $2")
                .bind(&row.name)
                .bind(row.version)
                .execute(tx)
                .await?;
            Ok(())
        })
    })
    .await?;
    app.modules.forget();
    Ok(Json(json!({})))
}

/// `GET model-versions/get-download-uri`.
pub async fn download_uri(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (name, version) = key_of(&fields)?;
    let row = find(app.store.read(), &name, &version).await?;
    Ok(Json(json!({"artifact_uri": row.storage_location})))
}

/// `POST model-versions/set-tag`.
pub async fn set_tag(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (name, version) = key_of(&fields)?;
    let (key, value) = (fields.string("key")?, fields.opt_string("value")?.unwrap_or_default());
    registered_models::check_tag(&key, &value)?;
    within(&app, &name, &version, move |tx, row| {
        Box::pin(async move { write_tag(tx, &row.name, row.version, &key, &value).await })
    })
    .await?;
    Ok(Json(json!({})))
}

/// `DELETE model-versions/delete-tag`; one that is not there is no error.
pub async fn delete_tag(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (name, version) = key_of(&fields)?;
    let key = fields.string("key")?;
    within(&app, &name, &version, move |tx, row| {
        Box::pin(async move {
            store::query("DELETE FROM model_version_tags WHERE name = $1 AND version = $2 AND key = $3")
                .bind(row.name)
                .bind(row.version)
                .bind(key)
                .execute(tx)
                .await?;
            Ok(())
        })
    })
    .await?;
    Ok(Json(json!({})))
}

/// Does `job` and marks version and model as changed now.
async fn change<F>(app: &App, name: &str, version: &str, job: F) -> Result<()>
where
    F: for<'c> FnOnce(&'c mut Connection, Row) -> BoxFuture<'c, Result<()>> + Clone + Send + 'static,
{
    within(app, name, version, move |tx, row| {
        Box::pin(async move {
            let (name, number) = (row.name.clone(), row.version);
            job(&mut *tx, row).await?;
            store::query("UPDATE model_versions SET last_updated_timestamp = $1 WHERE name = $2 AND version = $3")
                .bind(now_ms())
                .bind(&name)
                .bind(number)
                .execute(&mut *tx)
                .await?;
            registered_models::touch(tx, &name).await
        })
    })
    .await
}

/// Does `job` in one transaction with the look-up of the version.
async fn within<F>(app: &App, name: &str, version: &str, job: F) -> Result<()>
where
    F: for<'c> FnOnce(&'c mut Connection, Row) -> BoxFuture<'c, Result<()>> + Clone + Send + 'static,
{
    let (name, version) = (name.to_owned(), version.to_owned());
    app.store
        .write(move |tx| {
            Box::pin(async move {
                registered_models::lock(tx, &name).await?;
                let row = find(&mut *tx, &name, &version).await?;
                job(tx, row).await
            })
        })
        .await
}

/// The version, unless it is deleted.
pub async fn find(executor: impl Executor<'_>, name: &str, version: &str) -> Result<Row> {
    let number: i64 = version
        .parse()
        .map_err(|_| Error::invalid("Invalid value for parameter 'version' supplied: it must be an integer."))?;
    store::query_as("SELECT * FROM model_versions WHERE name = $1 AND version = $2 AND deleted = 0")
        .bind(name)
        .bind(number)
        .fetch_optional(executor)
        .await?
        .ok_or_else(|| Error::missing(format!("Model Version (name={name}, version={number}) not found")))
}

/// The version that an alias points to.
pub async fn by_alias(executor: impl Executor<'_>, name: &str, alias: &str) -> Result<Option<Row>> {
    store::query_as(
        "SELECT v.* FROM model_versions v JOIN aliases a ON a.name = v.name AND a.version = v.version
         WHERE a.name = $1 AND a.alias = $2 AND v.deleted = 0",
    )
    .bind(name)
    .bind(alias)
    .fetch_optional(executor)
    .await
}

/// The version as lists spell it: without aliases, which the model has.
pub async fn listed(pool: &Reader, row: Row) -> Result<ModelVersion> {
    Ok(ModelVersion { aliases: Vec::new(), ..load(pool, row).await? })
}

/// The version as the API spells it.
pub async fn load(pool: &Reader, row: Row) -> Result<ModelVersion> {
    let tags: Vec<(String, String)> =
        store::query_as("SELECT key, value FROM model_version_tags WHERE name = $1 AND version = $2 ORDER BY key")
            .bind(&row.name)
            .bind(row.version)
            .fetch_all(pool)
            .await?;
    let aliases: Vec<(String,)> =
        store::query_as("SELECT alias FROM aliases WHERE name = $1 AND version = $2 ORDER BY alias")
            .bind(&row.name)
            .bind(row.version)
            .fetch_all(pool)
            .await?;
    Ok(ModelVersion {
        name: row.name,
        version: row.version.to_string(),
        creation_timestamp: row.creation_timestamp,
        last_updated_timestamp: row.last_updated_timestamp,
        user_id: row.user_id,
        current_stage: row.current_stage,
        description: row.description.filter(|text| !text.is_empty()),
        source: row.source,
        run_id: row.run_id,
        status: "READY".to_owned(),
        model_id: row.model_id,
        tags: tags.into_iter().map(|(key, value)| KeyValue { key, value }).collect(),
        aliases: aliases.into_iter().map(|(alias,)| alias).collect(),
    })
}

async fn write_tag(tx: &mut Connection, name: &str, version: i64, key: &str, value: &str) -> Result<()> {
    store::query(
        "INSERT INTO model_version_tags (name, version, key, value) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name, version, key) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(version)
    .bind(key)
    .bind(value)
    .execute(tx)
    .await?;
    Ok(())
}

fn key_of(fields: &Fields) -> Result<(String, String)> {
    let version = match fields.get("version")? {
        Some(Value::Number(number)) => number.to_string(),
        _ => fields.string("version")?,
    };
    Ok((fields.string("name")?, version))
}
