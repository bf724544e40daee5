//! Registered models: create, read, rename, delete, tags, aliases.

use axum::Json;
use axum::extract::State;
use contract::mlflow::{Alias, KeyValue, RegisteredModel};
use serde_json::{Value, json};

use crate::app::App;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::{names, versions};
use crate::store::{self, Connection, Lock, Reader};

/// `POST registered-models/create`.
pub async fn create(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let name = fields.string("name")?;
    names::registered_model(&name)?;
    let description = fields.opt_string("description")?;
    let tags = fields.pairs("tags")?;
    tags.iter().try_for_each(|(key, value)| check_tag(key, value))?;
    let created = name.clone();
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let added = store::query(
                    "INSERT INTO registered_models (name, creation_timestamp, last_updated_timestamp, description)
                     VALUES ($1, $2, $2, $3) ON CONFLICT (name) DO NOTHING",
                )
                .bind(&name)
                .bind(now_ms())
                .bind(description)
                .execute(&mut *tx)
                .await?;
                if added == 0 {
                    return Err(Error::exists(format!("Registered Model (name={name}) already exists.")));
                }
                for (key, value) in tags {
                    write_tag(tx, &name, &key, &value).await?;
                }
                Ok(())
            })
        })
        .await?;
    answer(&app, &created).await
}

/// `GET registered-models/get`.
pub async fn get(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    answer(&app, &name_of(&fields)?).await
}

async fn answer(app: &App, name: &str) -> Result<Json<Value>> {
    Ok(Json(json!({"registered_model": load(app.store.read(), name).await?})))
}

/// `PATCH registered-models/update`: the description.
pub async fn update(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (name, description) = (name_of(&fields)?, fields.opt_string("description")?);
    let written = name.clone();
    app.store
        .write(move |tx| {
            Box::pin(async move {
                touch(tx, &written).await?;
                store::query("UPDATE registered_models SET description = $1 WHERE name = $2")
                    .bind(description)
                    .bind(written)
                    .execute(&mut *tx)
                    .await?;
                Ok(())
            })
        })
        .await?;
    answer(&app, &name).await
}

/// `POST registered-models/rename`.
pub async fn rename(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (name, new) = (name_of(&fields)?, fields.string("new_name")?);
    names::registered_model(&new)?;
    let renamed = new.clone();
    app.store
        .write(move |tx| {
            Box::pin(async move {
                touch(tx, &name).await?;
                let taken: Option<i64> =
                    store::query_scalar("SELECT CAST(1 AS BIGINT) FROM registered_models WHERE name = $1")
                        .bind(&new)
                        .fetch_optional(&mut *tx)
                        .await?;
                if taken.is_some() {
                    return Err(Error::exists(format!("Registered Model (name={new}) already exists.")));
                }
                // Versions, tags, aliases and windows follow (ON UPDATE CASCADE).
                store::query("UPDATE registered_models SET name = $1 WHERE name = $2")
                    .bind(&new)
                    .bind(&name)
                    .execute(&mut *tx)
                    .await?;
                Ok(())
            })
        })
        .await?;
    app.modules.forget();
    answer(&app, &renamed).await
}

/// `DELETE registered-models/delete`: with all versions.
pub async fn delete(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let name = name_of(&fields)?;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                touch(tx, &name).await?;
                store::query("DELETE FROM registered_models WHERE name = $1").bind(&name).execute(&mut *tx).await?;
                Ok(())
            })
        })
        .await?;
    app.modules.forget();
    Ok(Json(json!({})))
}

/// `POST registered-models/set-tag`.
pub async fn set_tag(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (name, key, value) =
        (name_of(&fields)?, fields.string("key")?, fields.opt_string("value")?.unwrap_or_default());
    check_tag(&key, &value)?;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                exists(&mut *tx, &name).await?;
                write_tag(tx, &name, &key, &value).await
            })
        })
        .await?;
    Ok(Json(json!({})))
}

/// `DELETE registered-models/delete-tag`; one that is not there is no error.
pub async fn delete_tag(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (name, key) = (name_of(&fields)?, fields.string("key")?);
    app.store
        .write(move |tx| {
            Box::pin(async move {
                exists(&mut *tx, &name).await?;
                store::query("DELETE FROM registered_model_tags WHERE name = $1 AND key = $2")
                    .bind(name)
                    .bind(key)
                    .execute(&mut *tx)
                    .await?;
                Ok(())
            })
        })
        .await?;
    Ok(Json(json!({})))
}

/// `POST registered-models/alias`: sets or moves an alias.
pub async fn set_alias(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (name, alias, version) = (name_of(&fields)?, fields.string("alias")?, fields.string("version")?);
    names::alias(&alias)?;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                lock(tx, &name).await?;
                let row = versions::find(&mut *tx, &name, &version).await?;
                store::query(
                    "INSERT INTO aliases (name, alias, version) VALUES ($1, $2, $3)
                     ON CONFLICT (name, alias) DO UPDATE SET version = excluded.version",
                )
                .bind(&name)
                .bind(&alias)
                .bind(row.version)
                .execute(&mut *tx)
                .await?;
                event(tx, &name, row.version, "alias", &format!("{alias} → version {}", row.version)).await
            })
        })
        .await?;
    app.modules.forget();
    Ok(Json(json!({})))
}

/// `GET registered-models/alias`: the version it points to.
pub async fn get_alias(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (name, alias) = (name_of(&fields)?, fields.string("alias")?);
    let row = versions::by_alias(app.store.read(), &name, &alias).await?;
    match row {
        Some(row) => Ok(Json(json!({"model_version": versions::load(app.store.read(), row).await?}))),
        None => {
            load(app.store.read(), &name).await?;
            Err(Error::invalid(format!("Registered model alias {alias} not found.")))
        }
    }
}

/// `DELETE registered-models/alias`; one that is not there is no error.
pub async fn delete_alias(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (name, alias) = (name_of(&fields)?, fields.string("alias")?);
    app.store
        .write(move |tx| {
            Box::pin(async move {
                exists(&mut *tx, &name).await?;
                store::query("DELETE FROM aliases WHERE name = $1 AND alias = $2")
                    .bind(name)
                    .bind(alias)
                    .execute(&mut *tx)
                    .await?;
                Ok(())
            })
        })
        .await?;
    app.modules.forget();
    Ok(Json(json!({})))
}

/// `registered-models/get-latest-versions`: the newest of each stage, or of the `stages` asked for.
pub async fn latest_versions(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let name = name_of(&fields)?;
    let stages = fields.strings("stages")?.iter().map(|stage| names::stage(stage)).collect::<Result<Vec<_>>>()?;
    let model = load(app.store.read(), &name).await?;
    let mut latest = model.latest_versions;
    for version in &mut latest {
        let of = |alias: &&Alias| alias.version == version.version;
        version.aliases = model.aliases.iter().filter(of).map(|alias| alias.alias.clone()).collect();
    }
    latest.retain(|version| stages.is_empty() || stages.contains(&version.current_stage.as_str()));
    Ok(Json(if latest.is_empty() { json!({}) } else { json!({"model_versions": latest}) }))
}

/// The model as the API spells it.
pub async fn load(pool: &Reader, name: &str) -> Result<RegisteredModel> {
    let row: Option<(i64, i64, Option<String>)> = store::query_as(
        "SELECT creation_timestamp, last_updated_timestamp, description FROM registered_models WHERE name = $1",
    )
    .bind(name)
    .fetch_optional(pool)
    .await?;
    let (creation_timestamp, last_updated_timestamp, description) = row.ok_or_else(|| not_found(name))?;
    let tags: Vec<(String, String)> =
        store::query_as("SELECT key, value FROM registered_model_tags WHERE name = $1 ORDER BY key")
            .bind(name)
            .fetch_all(pool)
            .await?;
    let aliases: Vec<(String, i64)> =
        store::query_as("SELECT alias, version FROM aliases WHERE name = $1 ORDER BY alias")
            .bind(name)
            .fetch_all(pool)
            .await?;
    let newest: Vec<versions::Row> = store::query_as(
        "SELECT v.* FROM model_versions v WHERE v.name = $1 AND v.deleted = 0 AND v.version =
             (SELECT max(o.version) FROM model_versions o
              WHERE o.name = v.name AND o.current_stage = v.current_stage AND o.deleted = 0)
         ORDER BY v.version",
    )
    .bind(name)
    .fetch_all(pool)
    .await?;
    let mut latest_versions = Vec::with_capacity(newest.len());
    for row in newest {
        latest_versions.push(versions::listed(pool, row).await?);
    }
    Ok(RegisteredModel {
        name: name.to_owned(),
        creation_timestamp,
        last_updated_timestamp,
        description: description.filter(|text| !text.is_empty()),
        latest_versions,
        tags: tags.into_iter().map(|(key, value)| KeyValue { key, value }).collect(),
        aliases: aliases.into_iter().map(|(alias, version)| Alias { alias, version: version.to_string() }).collect(),
    })
}

/// Lets nobody else change the model or its versions until the transaction ends.
pub async fn lock(tx: &mut Connection, name: &str) -> Result<()> {
    let found = store::query_as::<(String,)>("SELECT name FROM registered_models WHERE name = $1").bind(name);
    found.locked(Lock::Alone).fetch_optional(tx).await?;
    Ok(())
}

/// The model must exist.
pub async fn exists(tx: &mut Connection, name: &str) -> Result<()> {
    let found: Option<String> =
        store::query_scalar("SELECT name FROM registered_models WHERE name = $1").bind(name).fetch_optional(tx).await?;
    found.map(drop).ok_or_else(|| not_found(name))
}

/// Marks the model as changed now; it must exist.
pub async fn touch(tx: &mut Connection, name: &str) -> Result<()> {
    let found = store::query("UPDATE registered_models SET last_updated_timestamp = $1 WHERE name = $2")
        .bind(now_ms())
        .bind(name)
        .execute(tx)
        .await?;
    if found == 0 { Err(not_found(name)) } else { Ok(()) }
}

/// Puts a mark on the model's time line.
pub async fn event(tx: &mut Connection, name: &str, version: i64, kind: &str, text: &str) -> Result<()> {
    store::query("INSERT INTO model_events (name, version, at, kind, text) VALUES ($1, $2, $3, $4, $5)")
        .bind(name)
        .bind(version)
        .bind(now_ms())
        .bind(kind)
        .bind(text)
        .execute(tx)
        .await?;
    Ok(())
}

async fn write_tag(tx: &mut Connection, name: &str, key: &str, value: &str) -> Result<()> {
    store::query(
        "INSERT INTO registered_model_tags (name, key, value) VALUES ($1, $2, $3)
         ON CONFLICT (name, key) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(key)
    .bind(value)
    .execute(tx)
    .await?;
    Ok(())
}

/// Checks a tag of a model or version.
pub fn check_tag(key: &str, value: &str) -> Result<()> {
    names::key("tag", "key", key)?;
    if value.chars().count() > 100_000 {
        return Err(Error::invalid("Tag value exceeds the maximum length of 100000 characters."));
    }
    Ok(())
}

fn name_of(fields: &Fields) -> Result<String> {
    let name = fields.string("name")?;
    names::registered_model(&name)?;
    Ok(name)
}

/// MLflow's text.
pub fn not_found(name: &str) -> Error {
    Error::missing(format!("Registered Model with name={name} not found"))
}
