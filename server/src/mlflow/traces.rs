//! Traces: what `mlflow.start_span` and any OpenTelemetry exporter leave, and what `mlflow.get_trace` reads.
//!
//! Spans come one by one through OTLP (`ingest`); at the end MLflow's client says what the whole was (`start`). Either
//! may come first. They are read in `read`.

pub mod info;
pub mod ingest;
pub mod otlp;
pub mod read;
pub mod search;
pub mod span;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::sql::Query;
use crate::mlflow::{experiments, names, runs};
use crate::path::Path;
use crate::store::{self, Connection, Executor};
use info::Row;

/// The tag that is the trace's name.
pub const NAME: &str = "mlflow.traceName";
/// The metadata that say in which run the trace began.
pub const SOURCE_RUN: &str = "mlflow.sourceRun";
/// The tag that says where the spans are; here they are in the store.
const SPANS_LOCATION: &str = "mlflow.trace.spansLocation";
/// Tags that nobody may set.
const FIXED: [&str; 3] = [SPANS_LOCATION, "mlflow.trace.archiveLocation", "mlflow.trace.archivalFailure"];
/// Most traces of one request.
const MOST: usize = 500;

/// `POST traces` (3.0): what the trace was, said at its end.
pub async fn start(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let given = fields.object("trace")?.object("trace_info")?;
    let id = given.string("trace_id")?;
    check_id(&id)?;
    let location = given.object("trace_location")?;
    let experiment = location.object("mlflow_experiment")?.string("experiment_id")?;
    let row = Row {
        trace_id: id.clone(),
        experiment_id: names::experiment_id(&experiment)?,
        request_time: info::time(&given, "request_time")?,
        execution_duration: info::opt_duration(&given, "execution_duration")?,
        state: state(&given)?,
        client_request_id: given.opt_string("client_request_id")?,
        request_preview: given.opt_string("request_preview")?,
        response_preview: given.opt_string("response_preview")?,
        finalized: 1,
    };
    let tags = given.map("tags")?;
    tags.iter().try_for_each(|(key, _)| names::key("tag", "key", key))?;
    let mut metadata = given.map("trace_metadata")?;
    metadata.push(("mlflow.trace.infoFinalized".to_owned(), "true".to_owned()));
    app.store
        .write(move |tx| {
            Box::pin(async move {
                tx.lock(&row.trace_id).await?;
                let (experiment, location) = experiments::active_location(tx, &experiment).await?;
                let id = row.trace_id;
                store::query(
                    "INSERT INTO traces (trace_id, experiment_id, request_time, execution_duration, state,
                         client_request_id, request_preview, response_preview, finalized)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)
                     ON CONFLICT (trace_id) DO UPDATE
                     SET experiment_id = excluded.experiment_id, request_time = excluded.request_time,
                         execution_duration = excluded.execution_duration, state = excluded.state,
                         client_request_id = excluded.client_request_id, finalized = 1,
                         request_preview = coalesce(excluded.request_preview, traces.request_preview),
                         response_preview = coalesce(excluded.response_preview, traces.response_preview)",
                )
                .bind(&id)
                .bind(experiment)
                .bind(row.request_time)
                .bind(row.execution_duration)
                .bind(row.state)
                .bind(row.client_request_id)
                .bind(row.request_preview)
                .bind(row.response_preview)
                .execute(&mut *tx)
                .await?;
                write_tag(tx, &id, "mlflow.artifactLocation", artifacts(&location, &id)).await?;
                for (key, value) in tags {
                    write_tag(tx, &id, &key, value).await?;
                }
                for (key, value) in metadata {
                    write_metadata(tx, &id, &key, value).await?;
                }
                Ok(())
            })
        })
        .await?;
    info_of(&app, &id).await
}

/// `GET traces/{trace_id}` (3.0): without its spans.
pub async fn get_info(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>> {
    info_of(&app, &id).await
}

async fn info_of(app: &App, id: &str) -> Result<Json<Value>> {
    let row = find(app.store.read(), id).await?;
    let mut infos = info::load(app.store.read(), vec![row]).await?;
    Ok(Json(json!({"trace": {"trace_info": infos.remove(0)}})))
}

/// `PATCH traces/{trace_id}/tags`.
pub async fn set_tag(State(app): State<App>, Path(id): Path<String>, fields: Fields) -> Result<Json<Value>> {
    let (key, value) = (fields.string("key")?, fields.opt_string("value")?.unwrap_or_default());
    if FIXED.contains(&key.as_str()) {
        return Err(Error::invalid(format!("Tag '{key}' is immutable and cannot be set on a trace.")));
    }
    names::key("tag", "key", &key)?;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                find(&mut *tx, &id).await?;
                write_tag(tx, &id, &key, value).await
            })
        })
        .await?;
    Ok(Json(json!({})))
}

/// `DELETE traces/{trace_id}/tags`.
pub async fn delete_tag(State(app): State<App>, Path(id): Path<String>, fields: Fields) -> Result<Json<Value>> {
    let key = fields.string("key")?;
    if FIXED[..2].contains(&key.as_str()) {
        return Err(Error::invalid(format!("Tag '{key}' is immutable and cannot be deleted on a trace.")));
    }
    app.store
        .write(move |tx| {
            Box::pin(async move {
                find(&mut *tx, &id).await?;
                let gone = store::query("DELETE FROM trace_tags WHERE trace_id = $1 AND key = $2")
                    .bind(&id)
                    .bind(&key)
                    .execute(&mut *tx)
                    .await?;
                if gone == 0 {
                    let text = format!("No trace tag with key '{key}' for trace with ID '{}'", shown(&id));
                    return Err(Error::missing(text));
                }
                Ok(())
            })
        })
        .await?;
    Ok(Json(json!({})))
}

/// `POST traces/delete-traces`: by id, or the oldest until a time.
pub async fn delete(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let experiment = names::experiment_id(&fields.string("experiment_id")?)?;
    let until = fields.opt_int("max_timestamp_millis")?;
    let most = fields.opt_int("max_traces")?;
    let ids = fields.strings("request_ids")?;
    if ids.is_empty() == until.is_none() {
        return Err(Error::invalid("Either `max_timestamp_millis` or `trace_ids` must be specified, but not both."));
    }
    if most.is_some_and(|most| most <= 0) || most.is_some() && !ids.is_empty() {
        return Err(Error::invalid(
            "`max_traces` must be a positive integer, and goes with `max_timestamp_millis` alone.",
        ));
    }
    if ids.len() > MOST {
        return Err(Error::invalid(format!("At most {MOST} traces can be deleted by id at once.")));
    }
    let deleted = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let mut query = Query::new("SELECT c.trace_id FROM traces c WHERE c.experiment_id = ");
                query.push_bind(experiment);
                if let Some(until) = until {
                    query.push(" AND c.request_time <= ").push_bind(until);
                }
                for (i, id) in ids.iter().enumerate() {
                    query.push(if i == 0 { " AND c.trace_id IN (" } else { ", " }).push_bind(id);
                }
                query.push(if ids.is_empty() { "" } else { ")" }).push(" ORDER BY c.request_time, c.trace_id LIMIT ");
                query.push_bind(most.unwrap_or(i64::MAX));
                let found: Vec<(String,)> = query.build_as().fetch_all(&mut *tx).await?;
                for (id,) in &found {
                    remove(tx, id).await?;
                }
                Ok(found.len())
            })
        })
        .await?;
    Ok(Json(json!({"traces_deleted": deleted})))
}

/// `POST traces/link-to-run`.
pub async fn link_to_run(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (ids, run) = (fields.strings("trace_ids")?, fields.string("run_id")?);
    if ids.is_empty() {
        return Err(fields.required("trace_ids"));
    }
    if ids.len() > 100 {
        let n = ids.len();
        let text = format!("Cannot link more than 100 traces to a run in a single request. Provided {n} traces.");
        return Err(Error::invalid(text));
    }
    app.store
        .write(move |tx| {
            Box::pin(async move {
                runs::find(&mut *tx, &run).await?;
                for id in &ids {
                    link(tx, id, &run).await?;
                }
                Ok(())
            })
        })
        .await?;
    Ok(Json(json!({})))
}

/// Notes that a trace belongs to a run.
async fn link(tx: &mut Connection, id: &str, run: &str) -> Result<()> {
    store::query("INSERT INTO trace_runs (trace_id, run_uuid) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(id)
        .bind(run)
        .execute(tx)
        .await?;
    Ok(())
}

/// Deletes a trace and all that belongs to it.
pub async fn remove(tx: &mut Connection, id: &str) -> Result<()> {
    for statement in [
        "DELETE FROM spans WHERE trace_id = $1",
        "DELETE FROM trace_tags WHERE trace_id = $1",
        "DELETE FROM trace_metadata WHERE trace_id = $1",
        "DELETE FROM trace_runs WHERE trace_id = $1",
        "DELETE FROM traces WHERE trace_id = $1",
    ] {
        store::query(statement).bind(id).execute(&mut *tx).await?;
    }
    Ok(())
}

async fn find(executor: impl Executor<'_>, id: &str) -> Result<Row> {
    store::query_as("SELECT * FROM traces WHERE trace_id = $1")
        .bind(id)
        .fetch_optional(executor)
        .await?
        .ok_or_else(|| Error::missing(format!("Trace with ID '{}' not found.", shown(id))))
}

/// Sets a tag.
pub async fn write_tag(tx: &mut Connection, id: &str, key: &str, value: String) -> Result<()> {
    store::query(
        "INSERT INTO trace_tags (trace_id, key, value) VALUES ($1, $2, $3)
         ON CONFLICT (trace_id, key) DO UPDATE SET value = excluded.value",
    )
    .bind(id)
    .bind(key)
    .bind(names::truncate(value, 8000))
    .execute(tx)
    .await?;
    Ok(())
}

/// Sets what is known of the trace from its begin.
pub async fn write_metadata(tx: &mut Connection, id: &str, key: &str, value: String) -> Result<()> {
    store::query(
        "INSERT INTO trace_metadata (trace_id, key, value) VALUES ($1, $2, $3)
         ON CONFLICT (trace_id, key) DO UPDATE SET value = excluded.value",
    )
    .bind(id)
    .bind(names::truncate(key.to_owned(), 250))
    .bind(names::truncate(value, 8000))
    .execute(tx)
    .await?;
    Ok(())
}

/// Where a trace's files go.
pub fn artifacts(experiment: &str, id: &str) -> String {
    format!("{}/traces/{id}/artifacts", experiment.trim_end_matches('/'))
}

fn state(given: &Fields) -> Result<String> {
    const STATES: [&str; 4] = ["STATE_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS"];
    let found = match given.get("state")? {
        None => Some(STATES[0]),
        Some(Value::Number(number)) => number.as_u64().and_then(|n| STATES.get(usize::try_from(n).ok()?).copied()),
        Some(Value::String(text)) => STATES.into_iter().find(|state| state == text),
        Some(_) => None,
    };
    let wrong = || Error::invalid(format!("The state of a trace is one of {}.", STATES.join(", ")));
    Ok(found.ok_or_else(wrong)?.to_owned())
}

/// Ids are names of folders too.
pub fn check_id(id: &str) -> Result<()> {
    let plain = id.starts_with(|c: char| c.is_ascii_alphanumeric())
        && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if plain && id.len() <= 50 {
        return Ok(());
    }
    Err(Error::invalid("A trace's id has letters, digits, '-' and '_', at most 50, such as tr-0123456789abcdef."))
}

/// An id as messages repeat it.
fn shown(id: &str) -> &str {
    if id.len() <= 64 && !id.contains(char::is_control) { id } else { "…" }
}
