//! Search of traces.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::filter::{self, Comparison, Operator, Value as Right};
use crate::mlflow::names;
use crate::mlflow::order::{self, Order};
use crate::mlflow::page::{self, Page};
use crate::mlflow::sql::{self, Query};
use crate::mlflow::traces::info::{self, COLUMNS, Row};
use crate::mlflow::traces::{NAME, SOURCE_RUN};

/// `POST traces/search`.
pub async fn search(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    if fields.get("locations")?.is_none() {
        return Err(fields.required("locations"));
    }
    let limit = page::limit(&fields, 100, 500)?;
    let page = Page::of(&fields, limit, &["filter", "order_by", "locations"])?;
    let mut experiments = Vec::new();
    for location in fields.objects("locations")? {
        let experiment = location.object("mlflow_experiment")?.string("experiment_id")?;
        experiments.push(names::experiment_id(&experiment)?);
    }
    let filter = filter::of(&fields)?;
    let orders = order::parse_all(&fields.strings("order_by")?)?;
    if experiments.is_empty() {
        return Ok(Json(json!({})));
    }
    let mut query = Query::new("SELECT ");
    query.push(COLUMNS).push(" FROM traces c WHERE c.experiment_id IN (");
    let mut ids = query.separated(", ");
    for id in experiments {
        ids.push_bind(id);
    }
    query.push(") AND ");
    sql::filter(&mut query, &filter, &mut condition)?;
    query.push(" ORDER BY ");
    for order in &orders {
        order_by(&mut query, order)?;
    }
    query
        .push("c.request_time DESC, c.trace_id ASC LIMIT ")
        .push_bind(page.fetch())
        .push(" OFFSET ")
        .push_bind(page.offset);
    let mut rows: Vec<Row> = query.build_as().fetch_all(app.store.read()).await?;
    let token = page.cut(&mut rows);
    let mut answer = json!({});
    if !rows.is_empty() {
        answer["traces"] = info::load(app.store.read(), rows).await?.into();
    }
    if let Some(token) = token {
        answer["next_page_token"] = token.into();
    }
    Ok(Json(answer))
}

fn condition(query: &mut Query, comparison: &Comparison) -> Result<()> {
    match comparison.entity.as_str() {
        "tag" | "tags" => sql::key_value(query, "trace_tags t WHERE t.trace_id = c.trace_id", comparison),
        "metadata" | "request_metadata" if comparison.key == SOURCE_RUN => of_run(query, comparison),
        "metadata" | "request_metadata" => {
            sql::key_value(query, "trace_metadata t WHERE t.trace_id = c.trace_id", comparison)
        }
        "span" => {
            let column = match comparison.key.as_str() {
                key @ ("name" | "type" | "status") => format!("s.{key}"),
                "content" => return text(query, comparison),
                _ => return Err(sql::unknown_key(comparison)),
            };
            query.push("EXISTS (SELECT 1 FROM spans s WHERE s.trace_id = c.trace_id AND ");
            sql::text(query, &column, comparison, true)?;
            query.push(")");
            Ok(())
        }
        "" | "attribute" | "attributes" | "trace" => match comparison.key.to_ascii_lowercase().as_str() {
            "request_id" | "trace_id" => sql::text(query, "c.trace_id", comparison, true),
            "status" => sql::text(query, "c.state", comparison, true),
            "client_request_id" => sql::text(query, "c.client_request_id", comparison, true),
            "name" => {
                query.push("EXISTS (SELECT 1 FROM trace_tags t WHERE t.trace_id = c.trace_id AND t.key = ");
                query.push_bind(NAME).push(" AND ");
                sql::text(query, "t.value", comparison, true)?;
                query.push(")");
                Ok(())
            }
            "run_id" => of_run(query, comparison),
            "text" => text(query, comparison),
            "timestamp" | "timestamp_ms" => sql::number(query, "c.request_time", comparison, false),
            "execution_time" | "execution_time_ms" => sql::number(query, "c.execution_duration", comparison, false),
            "end_time" | "end_time_ms" => {
                sql::number(query, "(c.request_time + c.execution_duration)", comparison, false)
            }
            _ => Err(sql::unknown_key(comparison)),
        },
        _ => Err(sql::unknown_entity(comparison)),
    }
}

/// The run in which a trace began, or one that it was linked to later.
fn of_run(query: &mut Query, comparison: &Comparison) -> Result<()> {
    query.push("(EXISTS (SELECT 1 FROM trace_metadata t WHERE t.trace_id = c.trace_id AND t.key = ");
    query.push_bind(SOURCE_RUN).push(" AND ");
    sql::text(query, "t.value", comparison, true)?;
    query.push(") OR EXISTS (SELECT 1 FROM trace_runs l WHERE l.trace_id = c.trace_id AND ");
    sql::text(query, "l.run_uuid", comparison, true)?;
    query.push("))");
    Ok(())
}

/// Anything in any span.
fn text(query: &mut Query, comparison: &Comparison) -> Result<()> {
    if !matches!((comparison.operator, &comparison.value), (Operator::Like | Operator::Ilike, Right::Text(_))) {
        return Err(filter::invalid(&format!("'{}' is searched by LIKE or ILIKE alone", comparison.key)));
    }
    query.push("EXISTS (SELECT 1 FROM spans s WHERE s.trace_id = c.trace_id AND ");
    sql::text(query, "s.content", comparison, false)?;
    query.push(")");
    Ok(())
}

fn order_by(query: &mut Query, order: &Order) -> Result<()> {
    let direction = if order.ascending { "ASC" } else { "DESC" };
    let value = match (order.entity.as_str(), order.key.as_str()) {
        ("" | "attribute" | "attributes" | "trace", key) => match key {
            "timestamp" | "timestamp_ms" => "c.request_time",
            "execution_time" | "execution_time_ms" => "c.execution_duration",
            "end_time" | "end_time_ms" => "(c.request_time + c.execution_duration)",
            "status" => "c.state",
            "request_id" => "c.trace_id",
            "experiment_id" => "c.experiment_id",
            "name" => return pair(query, "trace_tags", NAME, direction),
            "run_id" => return pair(query, "trace_metadata", SOURCE_RUN, direction),
            _ => return Err(Error::invalid("Invalid order_by clause: there is no such attribute of a trace.")),
        },
        ("tag" | "tags", key) => return pair(query, "trace_tags", key, direction),
        ("metadata" | "request_metadata", key) => return pair(query, "trace_metadata", key, direction),
        _ => return Err(Error::invalid("Invalid order_by clause: traces have attributes, tags and metadata.")),
    };
    query.push(format!("{value} IS NULL, {value} {direction}, "));
    Ok(())
}

fn pair(query: &mut Query, table: &str, key: &str, direction: &str) -> Result<()> {
    for part in ["IS NULL", direction] {
        query.push(format!("(SELECT t.value FROM {table} t WHERE t.trace_id = c.trace_id AND t.key = "));
        query.push_bind(key).push(") ").push(part).push(", ");
    }
    Ok(())
}
