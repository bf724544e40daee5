//! Rows of the registry from MLflow's JSON: models, versions, aliases.

use serde_json::Value;

use super::super::source::{number, text};
use super::opt;
use crate::error::Result as Answer;
use crate::fields::Fields;
use crate::store::{self, Connection};

/// A registered model without its versions.
pub async fn model(tx: &mut Connection, given: &Value) -> Answer<()> {
    let name = text(&given["name"]);
    store::query(
        "INSERT INTO registered_models (name, creation_timestamp, last_updated_timestamp, description)
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(&name)
    .bind(number(&given["creation_timestamp"]))
    .bind(number(&given["last_updated_timestamp"]))
    .bind(opt(&given["description"]))
    .execute(&mut *tx)
    .await?;
    for (key, value) in Fields::of(given).pairs("tags")? {
        store::query("INSERT INTO registered_model_tags (name, key, value) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(&name)
            .bind(key)
            .bind(value)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// A version, whose files are at `storage`.
pub async fn version(tx: &mut Connection, given: &Value, storage: &str) -> Answer<()> {
    let (name, version) = (text(&given["name"]), number(&given["version"]));
    let source = text(&given["source"]);
    let model = opt(&given["model_id"])
        .or_else(|| source.strip_prefix("models:/").filter(|id| id.starts_with("m-")).map(str::to_owned));
    let made = store::query(
        "INSERT INTO model_versions (name, version, creation_timestamp, last_updated_timestamp, user_id, current_stage,
             description, source, storage_location, run_id, run_link, model_id, deleted)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0) ON CONFLICT DO NOTHING",
    )
    .bind(&name)
    .bind(version)
    .bind(number(&given["creation_timestamp"]))
    .bind(number(&given["last_updated_timestamp"]))
    .bind(opt(&given["user_id"]))
    .bind(opt(&given["current_stage"]).unwrap_or_else(|| "None".to_owned()))
    .bind(opt(&given["description"]))
    .bind(source)
    .bind(storage)
    .bind(opt(&given["run_id"]))
    .bind(opt(&given["run_link"]))
    .bind(model)
    .execute(&mut *tx)
    .await?;
    for (key, value) in Fields::of(given).pairs("tags")? {
        store::query(
            "INSERT INTO model_version_tags (name, version, key, value) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind(&name)
        .bind(version)
        .bind(key)
        .bind(value)
        .execute(&mut *tx)
        .await?;
    }
    if made > 0 {
        // The server compiles it when it looks for those that wait.
        store::query("INSERT INTO modules (name, version, state) VALUES ($1, $2, 'waiting') ON CONFLICT DO NOTHING")
            .bind(&name)
            .bind(version)
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// The aliases of a model, once its versions are there.
pub async fn aliases(tx: &mut Connection, given: &Value) -> Answer<()> {
    for alias in Fields::of(given).objects("aliases")? {
        store::query("INSERT INTO aliases (name, alias, version) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(text(&given["name"]))
            .bind(alias.string("alias")?)
            .bind(alias.int("version")?)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}
