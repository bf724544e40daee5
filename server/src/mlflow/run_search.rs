//! Search of runs.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::app::App;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::experiment_search::view;
use crate::mlflow::filter::{self, Comparison, Operator};
use crate::mlflow::keyset::List;
use crate::mlflow::order::{self, Order};
use crate::mlflow::page::{self, Kind, Page};
use crate::mlflow::run_load::FullRun;
use crate::mlflow::runs::{COLUMNS, Row};
use crate::mlflow::sql::{self, Query};
use crate::mlflow::{names, run_load};

/// A page of runs.
#[derive(Default, Serialize)]
pub struct Found {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    runs: Vec<FullRun>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// `POST runs/search`.
pub async fn search(State(app): State<App>, fields: Fields) -> Result<Json<Found>> {
    let limit = page::limit(&fields, 1000, 50_000)?;
    let page = Page::of(&fields, limit, "runs", &["filter", "order_by", "experiment_ids", "run_view_type"])?;
    let experiments =
        fields.strings("experiment_ids")?.iter().map(|id| names::experiment_id(id)).collect::<Result<BTreeSet<_>>>()?;
    let filter = filter::of(&fields)?;
    let orders = order::parse_all(&fields.strings("order_by")?)?;
    let mut list = List::of(COLUMNS);
    for (i, order) in orders.iter().enumerate() {
        order_by(&mut list, i, order)?;
    }
    if !orders.iter().any(|order| attribute(order) == Some("start_time")) {
        list.by("r.start_time", Kind::Integer, false);
    }
    list.by("r.run_uuid", Kind::Text, true);
    let query = list.from("runs r");
    for (i, order) in orders.iter().enumerate() {
        join(query, i, order);
    }
    query.push(" WHERE ");
    sql::among(query, "r.experiment_id", &experiments);
    view(query, "r.lifecycle_stage", &fields, "run_view_type")?;
    query.push(" AND ");
    sql::filter(query, &filter, &mut condition)?;
    let (rows, token) = list.page::<Row>(&page, app.store.read()).await?;
    let runs = run_load::load(app.store.read(), rows).await?;
    Ok(Json(Found { runs, next_page_token: token }))
}

fn condition(query: &mut Query, comparison: &Comparison) -> Result<()> {
    match comparison.entity.as_str() {
        "metric" | "metrics" => metric(query, comparison),
        "param" | "params" | "parameter" | "parameters" => {
            sql::key_value(query, "params t WHERE t.run = r.id", comparison)
        }
        "tag" | "tags" => sql::key_value(query, "tags t WHERE t.run = r.id", comparison),
        "dataset" | "datasets" => dataset(query, comparison),
        "" | "attribute" | "attributes" | "attr" | "run" => match canonical(&comparison.key) {
            "run_id" => sql::text(query, "r.run_uuid", comparison, true),
            "run_name" => sql::text(query, "r.name", comparison, false),
            key @ ("user_id" | "status" | "artifact_uri") => sql::text(query, &format!("r.{key}"), comparison, false),
            key @ ("start_time" | "end_time") => sql::number(query, &format!("r.{key}"), comparison, false),
            _ => Err(sql::unknown_key(comparison)),
        },
        _ => Err(sql::unknown_entity(comparison)),
    }
}

/// By the latest value; NaN satisfies only `!=`. The subquery reads the index by value.
fn metric(query: &mut Query, comparison: &Comparison) -> Result<()> {
    let value = sql::numeric(comparison, false)?;
    query
        .push(
            "r.id IN (SELECT m.run FROM latest_metrics m WHERE m.key = (SELECT k.id FROM metric_keys k WHERE k.key = ",
        )
        .push_bind(comparison.key.clone())
        .push(if comparison.operator == Operator::NotEqual {
            ") AND (m.is_nan = 1 OR m.value "
        } else {
            ") AND (m.is_nan = 0 AND m.value "
        })
        .push(comparison.operator.name())
        .push(" ")
        .push_bind(value)
        .push("))");
    Ok(())
}

fn dataset(query: &mut Query, comparison: &Comparison) -> Result<()> {
    let column = match comparison.key.as_str() {
        "name" => "d.name",
        "digest" => "d.digest",
        "context" => "c.value",
        _ => return Err(sql::unknown_key(comparison)),
    };
    query.push(
        "EXISTS (SELECT 1 FROM run_datasets l JOIN datasets d ON d.id = l.dataset LEFT JOIN run_dataset_tags c
         ON c.run = l.run AND c.dataset = l.dataset AND c.key = 'mlflow.data.context' WHERE l.run = r.id AND ",
    );
    sql::text(query, column, comparison, true)?;
    query.push(")");
    Ok(())
}

/// The table that holds what is ordered by, of which a run may have nothing.
fn join(query: &mut Query, i: usize, order: &Order) {
    match order.entity.as_str() {
        "metric" | "metrics" => {
            query
                .push(format!(
                    " LEFT JOIN latest_metrics o{i} ON o{i}.run = r.id AND o{i}.key = (SELECT k.id FROM metric_keys k WHERE k.key = "
                ))
                .push_bind(order.key.clone())
                .push(")");
        }
        "param" | "params" | "parameter" | "parameters" => {
            query
                .push(format!(" LEFT JOIN params o{i} ON o{i}.run = r.id AND o{i}.key = "))
                .push_bind(order.key.clone());
        }
        "tag" | "tags" => {
            query.push(format!(" LEFT JOIN tags o{i} ON o{i}.run = r.id AND o{i}.key = ")).push_bind(order.key.clone());
        }
        _ => {}
    }
}

fn order_by(list: &mut List, i: usize, order: &Order) -> Result<()> {
    match (order.entity.as_str(), attribute(order)) {
        (_, Some("end_time")) => list.by_maybe("r.end_time", Kind::Integer, order.ascending),
        (_, Some(column @ ("start_time" | "experiment_id"))) => {
            list.by(format!("r.{column}"), Kind::Integer, order.ascending);
        }
        (_, Some(column)) => list.by(format!("r.{column}"), Kind::Text, order.ascending),
        ("metric" | "metrics", _) => {
            // In both directions: numbers, NaN, none.
            list.by(format!("CASE WHEN o{i}.run IS NULL THEN 2 ELSE o{i}.is_nan END"), Kind::Integer, true);
            list.by_maybe(format!("o{i}.value"), Kind::Real, order.ascending);
        }
        ("param" | "params" | "parameter" | "parameters" | "tag" | "tags", _) => {
            list.by_maybe(format!("o{i}.value"), Kind::Text, order.ascending);
        }
        _ => return Err(Error::invalid("Invalid order_by clause: there is no such attribute of a run.")),
    }
    Ok(())
}

/// Column of an ordering by attribute.
fn attribute(order: &Order) -> Option<&'static str> {
    if !matches!(order.entity.as_str(), "" | "attribute" | "attributes" | "attr" | "run") {
        return None;
    }
    match canonical(&order.key) {
        "run_id" => Some("run_uuid"),
        "run_name" => Some("name"),
        key => ["user_id", "status", "artifact_uri", "start_time", "end_time", "experiment_id"]
            .into_iter()
            .find(|c| *c == key),
    }
}

fn canonical(key: &str) -> &str {
    match key {
        "created" | "Created" => "start_time",
        "run name" | "Run name" | "Run Name" => "run_name",
        other => other,
    }
}
