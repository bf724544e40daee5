//! Search of registered models and of their versions.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::filter::{self, Comparison, Operator};
use crate::mlflow::keyset::List;
use crate::mlflow::order;
use crate::mlflow::page::{self, Kind, Page};
use crate::mlflow::sql::{self, Query};
use crate::mlflow::{registered_models, versions};

/// Prompts are registered models with this tag; a search for what is no prompt also finds models without it.
const IS_PROMPT: &str = "mlflow.prompt.is_prompt";

/// `GET registered-models/search`.
pub async fn models(caller: Caller, State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let limit = page::limit(&fields, 100, 1000)?;
    let page = Page::of(&fields, limit, "registered_models", &["filter", "order_by"])?;
    let mut list = List::of("m.name");
    for order in order::parse_all(&fields.strings("order_by")?)? {
        let (column, kind) = match order.key.as_str() {
            "name" => ("m.name", Kind::Text),
            "timestamp" | "last_updated_timestamp" => ("m.last_updated_timestamp", Kind::Integer),
            "creation_timestamp" => ("m.creation_timestamp", Kind::Integer),
            _ => {
                return Err(Error::invalid(
                    "Invalid order_by clause: models are ordered by name or last_updated_timestamp.",
                ));
            }
        };
        list.by(column, kind, order.ascending);
    }
    list.by("m.name", Kind::Text, true);
    let query = list.from("registered_models m WHERE ");
    granted(query, &caller, "m.name");
    sql::filter(query, &filter::of(&fields)?, &mut model)?;
    let (names, token) = list.page::<(String,)>(&page, app.store.read()).await?;
    let mut models = Vec::with_capacity(names.len());
    for (name,) in names {
        models.push(registered_models::load(app.store.read(), &name).await?);
    }
    Ok(answer("registered_models", json!(models), token))
}

/// `GET model-versions/search`; deleted ones are never found.
pub async fn versions(caller: Caller, State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let limit = page::limit(&fields, 10_000, 200_000)?;
    let page = Page::of(&fields, limit, "model_versions", &["filter", "order_by"])?;
    let mut list = List::of("v.*");
    let orders = order::parse_all(&fields.strings("order_by")?)?;
    for order in &orders {
        let (column, kind) = match order.key.as_str() {
            "name" => ("v.name", Kind::Text),
            "version_number" | "version" => ("v.version", Kind::Integer),
            "creation_timestamp" => ("v.creation_timestamp", Kind::Integer),
            "last_updated_timestamp" | "timestamp" => ("v.last_updated_timestamp", Kind::Integer),
            _ => {
                return Err(Error::invalid(
                    "Invalid order_by clause: versions are ordered by name, version_number, creation_timestamp or last_updated_timestamp.",
                ));
            }
        };
        list.by(column, kind, order.ascending);
    }
    if orders.is_empty() {
        list.by("v.last_updated_timestamp", Kind::Integer, false);
    }
    list.by("v.name", Kind::Text, true);
    list.by("v.version", Kind::Integer, false);
    let query = list.from("model_versions v WHERE v.deleted = 0 AND ");
    granted(query, &caller, "v.name");
    sql::filter(query, &filter::of(&fields)?, &mut version)?;
    let (rows, token) = list.page::<versions::Row>(&page, app.store.read()).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        found.push(versions::listed(app.store.read(), row).await?);
    }
    Ok(answer("model_versions", json!(found), token))
}

/// `… AND`, of a token that is limited to certain models.
fn granted(query: &mut Query, caller: &Caller, column: &str) {
    if let Some(grants) = caller.grants() {
        sql::among(query, column, &grants.models);
        query.push(" AND ");
    }
}

fn model(query: &mut Query, comparison: &Comparison) -> Result<()> {
    match (comparison.entity.as_str(), comparison.key.as_str()) {
        ("tag" | "tags", _) => tag(query, "registered_model_tags t WHERE t.name = m.name", comparison),
        ("" | "attribute" | "attributes", "name") => sql::text(query, "m.name", comparison, true),
        ("" | "attribute" | "attributes", _) => Err(sql::unknown_key(comparison)),
        _ => Err(sql::unknown_entity(comparison)),
    }
}

fn version(query: &mut Query, comparison: &Comparison) -> Result<()> {
    match (comparison.entity.as_str(), comparison.key.as_str()) {
        ("tag" | "tags", _) => {
            tag(query, "model_version_tags t WHERE t.name = v.name AND t.version = v.version", comparison)
        }
        ("" | "attribute" | "attributes", key @ ("name" | "run_id")) => {
            sql::text(query, &format!("v.{key}"), comparison, true)
        }
        ("" | "attribute" | "attributes", "source_path" | "source") => sql::text(query, "v.source", comparison, false),
        ("" | "attribute" | "attributes", "version_number" | "version") => {
            sql::number(query, "v.version", comparison, true)
        }
        ("" | "attribute" | "attributes", _) => Err(sql::unknown_key(comparison)),
        _ => Err(sql::unknown_entity(comparison)),
    }
}

fn tag(query: &mut Query, from: &str, comparison: &Comparison) -> Result<()> {
    let text = |wanted: &str| matches!(&comparison.value, filter::Value::Text(text) if text == wanted);
    let not_a_prompt = comparison.key == IS_PROMPT
        && ((comparison.operator == Operator::NotEqual && text("true"))
            || (comparison.operator == Operator::Equal && text("false")));
    if not_a_prompt {
        query.push("NOT EXISTS (SELECT 1 FROM ").push(from).push(" AND t.key = ").push_bind(IS_PROMPT);
        query.push(" AND t.value = 'true')");
        return Ok(());
    }
    sql::key_value(query, from, comparison)
}

fn answer(name: &str, list: Value, token: Option<String>) -> Json<Value> {
    let mut answer = json!({});
    if list.as_array().is_some_and(|list| !list.is_empty()) {
        answer[name] = list;
    }
    if let Some(token) = token {
        answer["next_page_token"] = token.into();
    }
    Json(answer)
}
