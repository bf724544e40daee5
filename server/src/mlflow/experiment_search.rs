//! Search of experiments.

use axum::Json;
use axum::extract::State;
use contract::mlflow::KeyValue;
use serde_json::{Value, json};

use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::experiments::{COLUMNS, Row, tags_of};
use crate::mlflow::filter::{self, Comparison};
use crate::mlflow::keyset::List;
use crate::mlflow::page::{self, Kind, Page};
use crate::mlflow::{order, sql};

/// Most experiments of one page.
const MOST: i64 = 50_000;

/// `POST experiments/search`, also by GET.
pub async fn search(caller: Caller, State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let limit = page::limit(&fields, 1000, i64::MAX)?;
    if limit > MOST {
        return Err(Error::invalid(format!(
            "Invalid value {limit} for parameter 'max_results' supplied. It must be at most {MOST}"
        )));
    }
    let page = Page::of(&fields, limit, "experiments", &["filter", "order_by", "view_type"])?;
    let mut list = List::of(COLUMNS);
    order_by(&mut list, &fields.strings("order_by")?)?;
    let query = list.from("experiments e WHERE 1 = 1");
    view(query, "e.lifecycle_stage", &fields, "view_type")?;
    if let Some(grants) = caller.grants() {
        query.push(" AND ");
        sql::among(query, "e.experiment_id", &grants.experiments);
    }
    query.push(" AND ");
    sql::filter(query, &filter::of(&fields)?, &mut condition)?;
    let (rows, token) = list.page::<Row>(&page, app.store.read()).await?;
    let mut experiments = Vec::with_capacity(rows.len());
    for row in rows {
        let tags: Vec<KeyValue> = tags_of(app.store.read(), row.id()).await?;
        experiments.push(row.answer(tags));
    }
    let mut answer = json!({});
    if !experiments.is_empty() {
        answer["experiments"] = json!(experiments);
    }
    if let Some(token) = token {
        answer["next_page_token"] = token.into();
    }
    Ok(Json(answer))
}

/// `AND column = …` for a field that holds a view type, by name or number.
pub fn view(query: &mut sql::Query, column: &str, fields: &Fields, name: &str) -> Result<()> {
    let given = match fields.get(name)? {
        Some(Value::Number(number)) => number.to_string(),
        _ => fields.opt_string(name)?.unwrap_or_default(),
    };
    let stage = match given.as_str() {
        "" | "ACTIVE_ONLY" | "1" => "active",
        "DELETED_ONLY" | "2" => "deleted",
        "ALL" | "3" => return Ok(()),
        _ => {
            return Err(Error::invalid(format!(
                "Invalid value for parameter '{name}' supplied: it must be ACTIVE_ONLY, DELETED_ONLY or ALL."
            )));
        }
    };
    query.push(" AND ").push(column).push(" = ").push_bind(stage);
    Ok(())
}

fn condition(query: &mut sql::Query, comparison: &Comparison) -> Result<()> {
    match comparison.entity.as_str() {
        "tag" | "tags" => {
            sql::key_value(query, "experiment_tags t WHERE t.experiment_id = e.experiment_id", comparison)
        }
        "" | "attribute" | "attributes" | "attr" => match comparison.key.as_str() {
            "name" => sql::text(query, "e.name", comparison, false),
            "experiment_id" => sql::text(query, "CAST(e.experiment_id AS TEXT)", comparison, true),
            "creation_time" => sql::number(query, "e.creation_time", comparison, false),
            "last_update_time" => sql::number(query, "e.last_update_time", comparison, false),
            _ => Err(sql::unknown_key(comparison)),
        },
        _ => Err(sql::unknown_entity(comparison)),
    }
}

fn order_by(list: &mut List, entries: &[String]) -> Result<()> {
    let orders = order::parse_all(entries)?;
    for order in &orders {
        let (column, kind) = match (order.entity.as_str(), order.key.as_str()) {
            ("" | "attribute" | "attributes" | "attr", "name") => ("e.name", Kind::Text),
            ("" | "attribute" | "attributes" | "attr", "experiment_id") => ("e.experiment_id", Kind::Integer),
            ("" | "attribute" | "attributes" | "attr", "creation_time") => ("e.creation_time", Kind::Integer),
            ("" | "attribute" | "attributes" | "attr", "last_update_time") => ("e.last_update_time", Kind::Integer),
            _ => {
                return Err(Error::invalid(
                    "Invalid order_by clause: experiments are ordered by name, experiment_id, creation_time or last_update_time.",
                ));
            }
        };
        list.by(column, kind, order.ascending);
    }
    if orders.is_empty() {
        list.by("e.creation_time", Kind::Integer, false);
    }
    list.by("e.experiment_id", Kind::Integer, orders.is_empty());
    Ok(())
}
