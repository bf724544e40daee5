//! Search of traces.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::filter::{self, Comparison, Operator, Value as Right};
use crate::mlflow::keyset::List;
use crate::mlflow::names;
use crate::mlflow::order::{self, Order};
use crate::mlflow::page::{self, Kind, Page};
use crate::mlflow::sql::{self, Query};
use crate::mlflow::traces::info::{self, COLUMNS, Row};
use crate::mlflow::traces::{NAME, SOURCE_RUN};

/// `POST traces/search`.
pub async fn search(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    if fields.get("locations")?.is_none() {
        return Err(fields.required("locations"));
    }
    let limit = page::limit(&fields, 100, 500)?;
    let page = Page::of(&fields, limit, "traces", &["filter", "order_by", "locations"])?;
    let mut experiments = BTreeSet::new();
    for location in fields.objects("locations")? {
        let experiment = location.object("mlflow_experiment")?.string("experiment_id")?;
        experiments.insert(names::experiment_id(&experiment)?);
    }
    let filter = filter::of(&fields)?;
    let orders = order::parse_all(&fields.strings("order_by")?)?;
    let mut list = List::of(COLUMNS);
    for order in &orders {
        order_by(&mut list, order)?;
    }
    list.by("c.request_time", Kind::Integer, false);
    list.by("c.trace_id", Kind::Text, true);
    let query = list.from("traces c WHERE ");
    sql::among(query, "c.experiment_id", &experiments);
    query.push(" AND ");
    sql::filter(query, &filter, &mut condition)?;
    let (rows, token) = list.page::<Row>(&page, app.store.read()).await?;
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

fn order_by(list: &mut List, order: &Order) -> Result<()> {
    let (value, kind) = match (order.entity.as_str(), order.key.as_str()) {
        ("" | "attribute" | "attributes" | "trace", key) => match key {
            "timestamp" | "timestamp_ms" => ("c.request_time".into(), Kind::Integer),
            "execution_time" | "execution_time_ms" => ("c.execution_duration".into(), Kind::Integer),
            "end_time" | "end_time_ms" => ("(c.request_time + c.execution_duration)".into(), Kind::Integer),
            "status" => ("c.state".into(), Kind::Text),
            "request_id" => ("c.trace_id".into(), Kind::Text),
            "experiment_id" => ("c.experiment_id".into(), Kind::Integer),
            "name" => (pair("trace_tags", NAME), Kind::Text),
            "run_id" => (pair("trace_metadata", SOURCE_RUN), Kind::Text),
            _ => return Err(Error::invalid("Invalid order_by clause: there is no such attribute of a trace.")),
        },
        ("tag" | "tags", key) => (pair("trace_tags", key), Kind::Text),
        ("metadata" | "request_metadata", key) => (pair("trace_metadata", key), Kind::Text),
        _ => return Err(Error::invalid("Invalid order_by clause: traces have attributes, tags and metadata.")),
    };
    list.by_maybe(value, kind, order.ascending);
    Ok(())
}

fn pair(table: &str, key: &str) -> Query {
    let mut value = Query::new(format!("(SELECT t.value FROM {table} t WHERE t.trace_id = c.trace_id AND t.key = "));
    value.push_bind(key).push(")");
    value
}
