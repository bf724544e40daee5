//! Search of runs.

use std::collections::BTreeSet;
use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::Value;

use crate::app::App;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::experiment_search::view;
use crate::mlflow::filter::{self, Comparison, Filter, Operator};
use crate::mlflow::keyset::{self, List};
use crate::mlflow::order::{self, Order};
use crate::mlflow::page::{self, Kind, Page};
use crate::mlflow::runs::{COLUMNS, Row};
use crate::mlflow::sql::{self, Query};
use crate::mlflow::{names, run_load};
use crate::store::{self, Connection, Keyed};

/// Up to how many latest metrics are all looked at, where the alternative is to ask each run for its own.
const FEW: i64 = 2000;

/// Runs that are loaded at once, and bytes that are written into one piece: however long the page is, what it needs in memory
/// finds room where others have been.
const PART: usize = 100;
const PIECE: usize = 64 * 1024;

/// `POST runs/search`.
pub async fn search(State(app): State<App>, fields: Fields) -> Result<Response> {
    let search = Search::of(fields)?;
    let pieces = app.store.view(move |tx| Box::pin(async move { search.answer(tx).await })).await?;
    let length: usize = pieces.iter().map(Bytes::len).sum();
    let head =
        [(header::CONTENT_TYPE, HeaderValue::from_static("application/json")), (header::CONTENT_LENGTH, length.into())];
    Ok((head, Body::from_stream(stream::iter(pieces.into_iter().map(Ok::<_, Infallible>)))).into_response())
}

/// What is searched for.
#[derive(Clone)]
struct Search {
    fields: Fields,
    page: Page,
    experiments: BTreeSet<i64>,
    filter: Filter,
    orders: Vec<Order>,
}

/// A part of what is found, when it is ordered by a metric first.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    All,
    /// Runs with a number: the index by value has them in their order, and few of them are looked at.
    Numbers,
    /// Then those with NaN, and those without.
    Rest,
}

impl Search {
    fn of(fields: Fields) -> Result<Search> {
        let limit = page::limit(&fields, 1000, 50_000)?;
        let page = Page::of(&fields, limit, "runs", &["filter", "order_by", "experiment_ids", "run_view_type"])?;
        let experiments = fields.strings("experiment_ids")?;
        let experiments = experiments.iter().map(|id| names::experiment_id(id)).collect::<Result<_>>()?;
        let filter = filter::of(&fields)?;
        let orders = order::parse_all(&fields.strings("order_by")?)?;
        Ok(Search { fields, page, experiments, filter, orders })
    }

    /// The answer's text, in pieces.
    async fn answer(&self, tx: &mut Connection) -> Result<Vec<Bytes>> {
        let few = self.few(tx).await?;
        let by_index = match self.orders.first() {
            Some(order) if is_metric(&order.entity) && few.is_empty() => {
                how_many(tx, |query| is_number(query, "m", &order.key)).await?.is_none()
            }
            _ => false,
        };
        let rows = if by_index {
            self.numbers_first(tx).await?
        } else {
            self.list(Part::All, &few)?.rows(&self.page, &mut *tx).await?
        };
        let (rows, next_page_token) = keyset::cut(rows, &self.page);
        if rows.is_empty() {
            return Ok(vec![Bytes::from_static(b"{}")]);
        }
        let (mut rows, mut pieces, mut text) = (rows.into_iter(), Vec::new(), Vec::with_capacity(PIECE));
        while rows.len() > 0 {
            let runs = run_load::load(tx, rows.by_ref().take(PART).collect()).await?;
            for run in runs.iter() {
                let first = pieces.is_empty() && text.is_empty();
                if text.len() > PIECE - PIECE / 8 {
                    pieces.push(std::mem::replace(&mut text, Vec::with_capacity(PIECE)).into());
                }
                text.extend_from_slice(if first { b"{\"runs\":[" } else { b"," });
                serde_json::to_writer(&mut text, &run).map_err(|error| Error::internal(error.to_string()))?;
            }
        }
        text.extend_from_slice(b"]");
        if let Some(token) = next_page_token {
            text.extend_from_slice(format!(",\"next_page_token\":{}", Value::from(token)).as_bytes());
        }
        text.extend_from_slice(b"}");
        pieces.push(text.into());
        Ok(pieces)
    }

    /// Metric comparisons that so few runs satisfy that these are best looked up first; the one with the fewest leads.
    async fn few(&self, tx: &mut Connection) -> Result<Vec<&Comparison>> {
        let all = match &self.filter {
            Filter::All(parts) => parts.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut few = Vec::new();
        for part in all {
            let Filter::One(comparison) = part else { continue };
            let sought = is_metric(&comparison.entity) && comparison.operator != Operator::NotEqual;
            if !sought {
                continue;
            }
            if let Some(count) = how_many(tx, |query| satisfying(query, "m", comparison)).await? {
                few.push((count, comparison));
            }
        }
        few.sort_by_key(|(count, _)| *count);
        Ok(few.into_iter().map(|(_, comparison)| comparison).collect())
    }

    /// A page of runs with a number, then of the rest.
    async fn numbers_first(&self, tx: &mut Connection) -> Result<Vec<Keyed<Row>>> {
        let numbers = self.list(Part::Numbers, &[])?;
        let rest = self.list(Part::Rest, &[])?;
        let first = numbers.after(&self.page)?.as_ref().and_then(|after| after.first().cloned());
        if first.is_some_and(|first| !matches!(first, store::Value::Integer(Some(0)))) {
            return rest.rows(&self.page, tx).await;
        }
        let mut rows = numbers.rows(&self.page, &mut *tx).await?;
        let wanted = self.page.limit - rows.len() as i64;
        if wanted >= 0 {
            rows.extend(rest.rows(&self.page.first(wanted), tx).await?);
        }
        Ok(rows)
    }

    fn list(&self, part: Part, few: &[&Comparison]) -> Result<List> {
        let mut list = List::of(COLUMNS);
        for (i, order) in self.orders.iter().enumerate() {
            if i == 0 && part == Part::Numbers {
                list.alike("CAST(0 AS BIGINT)", Kind::Integer);
                list.by("o0.value", Kind::Real, order.ascending);
            } else {
                order_by(&mut list, i, order)?;
            }
        }
        if !self.orders.iter().any(|order| attribute(order) == Some("start_time")) {
            list.by("r.start_time", Kind::Integer, false);
        }
        list.by("r.run_uuid", Kind::Text, true);
        let lead = few.first();
        // Where metrics lead, a run is looked up when what it logged has been found to satisfy the filter.
        let (tables, run) = match (part, lead) {
            (Part::Numbers, _) => ("latest_metrics o0 CROSS JOIN runs r", "o0.run"),
            (_, Some(_)) => ("latest_metrics lead CROSS JOIN runs r", "lead.run"),
            _ => ("runs r", "r.id"),
        };
        let query = list.from(tables);
        for (i, order) in self.orders.iter().enumerate().skip(usize::from(part == Part::Numbers)) {
            join(query, i, order);
        }
        query.push(" WHERE ");
        match (part, self.orders.first()) {
            (Part::Numbers, Some(order)) => {
                query.push("r.id = o0.run AND ");
                is_number(query, "o0", &order.key)?;
                query.push(" AND ");
            }
            (Part::Rest, Some(order)) => {
                query.push("NOT EXISTS (SELECT 1 FROM latest_metrics m WHERE m.run = r.id AND ");
                is_number(query, "m", &order.key)?;
                query.push(") AND ");
            }
            _ => {}
        }
        if let Some(lead) = lead {
            query.push("r.id = lead.run AND ");
            satisfying(query, "lead", lead)?;
            query.push(" AND ");
        }
        sql::among(query, "r.experiment_id", &self.experiments);
        view(query, "r.lifecycle_stage", &self.fields, "run_view_type")?;
        query.push(" AND ");
        sql::filter(query, &self.filter, &mut |query: &mut Query, comparison: &Comparison| {
            condition(query, comparison, run, few)
        })?;
        Ok(list)
    }
}

/// How many latest metrics `m` satisfy a condition that the index by value answers, if at most [`FEW`] do.
async fn how_many(tx: &mut Connection, condition: impl FnOnce(&mut Query) -> Result<()>) -> Result<Option<i64>> {
    let mut query = Query::new("SELECT count(*) FROM (SELECT 1 FROM latest_metrics m WHERE ");
    condition(&mut query)?;
    query.push(" LIMIT ").push_bind(FEW + 1).push(") q");
    let found: Vec<(i64,)> = query.build_as().fetch_all(tx).await?;
    Ok(found.first().map(|(count,)| *count).filter(|count| *count <= FEW))
}

fn is_metric(entity: &str) -> bool {
    matches!(entity, "metric" | "metrics")
}

fn condition(query: &mut Query, comparison: &Comparison, run: &str, few: &[&Comparison]) -> Result<()> {
    match comparison.entity.as_str() {
        // The runs that are asked are those that satisfy the leading comparison.
        "metric" | "metrics" if few.first() == Some(&comparison) => {
            query.push("TRUE");
            Ok(())
        }
        "metric" | "metrics" => metric(query, comparison, run, few.contains(&comparison)),
        "param" | "params" | "parameter" | "parameters" => {
            sql::key_value(query, &format!("params t WHERE t.run = {run}"), comparison)
        }
        "tag" | "tags" => sql::key_value(query, &format!("tags t WHERE t.run = {run}"), comparison),
        "dataset" | "datasets" => dataset(query, comparison, run),
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

/// By the latest value. Where `few` have one the index by value gives them, else each run is asked for its own.
fn metric(query: &mut Query, comparison: &Comparison, run: &str, few: bool) -> Result<()> {
    if few {
        query.push(run).push(" IN (SELECT m.run FROM latest_metrics m WHERE ");
        satisfying(query, "m", comparison)?;
        query.push(")");
    } else {
        query.push(format!("(SELECT 1 FROM latest_metrics m WHERE m.run = {run} AND "));
        satisfying(query, "m", comparison)?;
        query.push(") = 1");
    }
    Ok(())
}

/// That a metric of `table` satisfies a comparison; NaN satisfies only `!=`.
fn satisfying(query: &mut Query, table: &str, comparison: &Comparison) -> Result<()> {
    let value = sql::numeric(comparison, false)?;
    query.push(format!("{table}.key = "));
    key_id(query, &comparison.key);
    let nan = if comparison.operator == Operator::NotEqual { "1 OR" } else { "0 AND" };
    query.push(format!(" AND ({table}.is_nan = {nan} {table}.value "));
    query.push(comparison.operator.name()).push(" ").push_bind(value).push(")");
    Ok(())
}

/// That a metric of this name is a number.
fn is_number(query: &mut Query, table: &str, key: &str) -> Result<()> {
    query.push(format!("{table}.is_nan = 0 AND {table}.key = "));
    key_id(query, key);
    Ok(())
}

fn key_id(query: &mut Query, key: &str) {
    query.push("(SELECT k.id FROM metric_keys k WHERE k.key = ").push_bind(key).push(")");
}

fn dataset(query: &mut Query, comparison: &Comparison, run: &str) -> Result<()> {
    let column = match comparison.key.as_str() {
        "name" => "d.name",
        "digest" => "d.digest",
        "context" => "c.value",
        _ => return Err(sql::unknown_key(comparison)),
    };
    query.push(format!(
        "EXISTS (SELECT 1 FROM run_datasets l JOIN datasets d ON d.id = l.dataset LEFT JOIN run_dataset_tags c
         ON c.run = l.run AND c.dataset = l.dataset AND c.key = 'mlflow.data.context' WHERE l.run = {run} AND ",
    ));
    sql::text(query, column, comparison, true)?;
    query.push(")");
    Ok(())
}

/// The table that holds what is ordered by, of which a run may have nothing.
fn join(query: &mut Query, i: usize, order: &Order) {
    match order.entity.as_str() {
        "metric" | "metrics" => {
            query.push(format!(" LEFT JOIN latest_metrics o{i} ON o{i}.run = r.id AND o{i}.key = "));
            key_id(query, &order.key);
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
