//! Traces with their spans: one, or many at once.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::info::{self, Row};
use super::{MOST, find, shown};
use crate::app::App;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::names;
use crate::mlflow::sql::Query;
use crate::store;

/// How long `get` waits for spans that are still on their way.
const PATIENCE: Duration = Duration::from_secs(3);

/// `GET traces/get` (3.0): the trace and its spans; waits a little for the last of them, but with `allow_partial`.
pub async fn get(State(app): State<App>, fields: Fields) -> Result<Json<One>> {
    let id = fields.string("trace_id")?;
    let partial = fields.opt_bool("allow_partial")?.unwrap_or(false);
    let began = tokio::time::Instant::now();
    loop {
        let row = find(app.store.read(), &id)
            .await
            .map_err(|_| Error::missing(format!("Trace with ID {} is not found.", shown(&id))))?;
        let trace = load(&app, vec![row]).await?.remove(0);
        if partial || is_whole(&trace) {
            return Ok(Json(One { trace }));
        }
        if began.elapsed() > PATIENCE {
            let text = format!("Trace with ID {id} is not fully exported yet, please try again later.");
            return Err(Error::missing(text));
        }
        tokio::time::sleep(PATIENCE / 30).await;
    }
}

/// `GET traces/batchGet` (3.0): those that are there whole, with their spans.
pub async fn batch(State(app): State<App>, fields: Fields) -> Result<Json<Many>> {
    let rows = rows(&app, &fields).await?;
    let mut traces = load(&app, rows).await?;
    traces.retain(is_whole);
    Ok(Json(Many { traces }))
}

/// `POST traces/batchGetInfos` (3.0).
pub async fn batch_infos(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let rows = rows(&app, &fields).await?;
    let infos = info::load(app.store.read(), rows).await?;
    Ok(Json(if infos.is_empty() { json!({}) } else { json!({"trace_infos": infos}) }))
}

/// A trace with its spans as they are stored.
#[derive(serde::Serialize)]
struct Trace {
    trace_info: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    spans: Vec<Box<RawValue>>,
}

/// Answer of [`get`].
#[derive(serde::Serialize)]
pub struct One {
    trace: Trace,
}

/// Answer of [`batch`].
#[derive(serde::Serialize)]
pub struct Many {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    traces: Vec<Trace>,
}

/// The traces that `trace_ids` name, in that order.
async fn rows(app: &App, fields: &Fields) -> Result<Vec<Row>> {
    let ids = fields.strings("trace_ids")?;
    if ids.is_empty() {
        return Err(fields.required("trace_ids"));
    }
    names::count("BatchGetTraces", "trace_id", ids.len(), MOST)?;
    let mut query = Query::new("SELECT ");
    query.push(info::COLUMNS).push(" FROM traces c WHERE c.trace_id IN (");
    let mut list = query.separated(", ");
    for id in &ids {
        list.push_bind(id);
    }
    query.push(")");
    let mut rows: Vec<Row> = query.build_as().fetch_all(app.store.read()).await?;
    rows.sort_by_key(|row| ids.iter().position(|id| *id == row.trace_id));
    Ok(rows)
}

/// Traces with their spans: roots first, then by start.
async fn load(app: &App, rows: Vec<Row>) -> Result<Vec<Trace>> {
    let mut traces = Vec::with_capacity(rows.len());
    for info in info::load(app.store.read(), rows).await? {
        let contents: Vec<String> =
            store::query_scalar("SELECT content FROM spans WHERE trace_id = $1 ORDER BY root DESC, start_ns, span_id")
                .bind(info["trace_id"].as_str())
                .fetch_all(app.store.read())
                .await?;
        let spans = contents.into_iter().map(RawValue::from_string).collect::<serde_json::Result<_>>();
        let spans = spans.map_err(|error| Error::internal(format!("a stored span is not JSON: {error}")))?;
        traces.push(Trace { trace_info: info, spans });
    }
    Ok(traces)
}

/// Whether as many spans are there as the client said at the end.
fn is_whole(trace: &Trace) -> bool {
    let stats = trace.trace_info["trace_metadata"]["mlflow.trace.sizeStats"].as_str();
    let stats = stats.and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or_default();
    !trace.spans.is_empty() && trace.spans.len() as u64 >= stats["num_spans"].as_u64().unwrap_or(0)
}
