//! `POST /v1/traces`: spans in OTLP, from MLflow's client and from any OpenTelemetry exporter.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use contract::hex;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use prost::Message;
use serde_json::Value;

use crate::app::App;
use crate::auth::caller::{Caller, not_granted};
use crate::body;
use crate::error::{Code, Error, Result};
use crate::mlflow::traces::otlp::{Export, Resource, Span};
use crate::mlflow::traces::span::{self, Kept};
use crate::mlflow::traces::{self, SPANS_LOCATION, info};
use crate::mlflow::{experiments, names, runs};
use crate::store::{self, Connection};

/// Longest text of inputs and outputs that lists show.
const PREVIEW: usize = 1000;
/// Attributes of a root span that are tags of the trace.
const TAG: &str = "mlflow.traceTag.";

/// The spans of one trace in one request.
#[derive(Clone)]
struct Batch {
    spans: Vec<Kept>,
    /// Milliseconds since 1970.
    from: i64,
    until: Option<i64>,
    /// What the root span says, when it is among them.
    root: Option<Root>,
    tags: Vec<(String, String)>,
}

#[derive(Clone)]
struct Root {
    state: &'static str,
    inputs: Option<String>,
    outputs: Option<String>,
}

/// `POST /v1/traces`, protobuf or JSON; the experiment is in the header `x-mlflow-experiment-id`.
pub async fn export(caller: Caller, State(app): State<App>, request: Request) -> Result<Response> {
    let headers = request.headers().clone();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let kind = text("content-type").and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    let json = match kind {
        "application/x-protobuf" => false,
        "application/json" => true,
        _ => {
            return Err(Error::bad_request(
                "Invalid Content-Type. Expected: application/x-protobuf or application/json",
            ));
        }
    };
    let experiment = text("x-mlflow-experiment-id").filter(|id| !id.is_empty());
    let experiment = experiment.ok_or_else(|| Error::invalid("The header x-mlflow-experiment-id is missing."))?;
    names::experiment_id(experiment)?;
    let (experiment, run) = (experiment.to_owned(), text("x-mlflow-run-id").map(str::to_owned));
    let most = app.config.json_bytes_max;
    let sent = unpacked(&headers, body::read(request.into_body(), most).await?, most)?;
    let wrong = |what: String| Error::bad_request(format!("Invalid OpenTelemetry format: {what}"));
    let export = if json {
        serde_json::from_slice::<Export>(&sent).map_err(|error| wrong(error.to_string()))?
    } else {
        Export::decode(sent).map_err(|error| wrong(error.to_string()))?
    };
    let batches = Arc::new(batches(export)?);
    if batches.is_empty() {
        return Err(Error::bad_request("Invalid OpenTelemetry format - no spans found"));
    }
    app.store
        .write(move |tx| Box::pin(async move { write_all(tx, &caller, &experiment, run.as_deref(), &batches).await }))
        .await?;
    let (kind, answer) = if json { ("application/json", "{}") } else { ("application/x-protobuf", "") };
    Ok(([(header::CONTENT_TYPE, kind)], answer).into_response())
}

/// The body without its compression.
fn unpacked(headers: &HeaderMap, sent: Bytes, most: usize) -> Result<Bytes> {
    let read = |reader: &mut dyn Read| -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        reader.take(most as u64 + 1).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    };
    let bytes = match headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes()) {
        None | Some(b"identity") => return Ok(sent),
        Some(b"gzip") => read(&mut MultiGzDecoder::new(&sent[..])),
        Some(b"deflate") => {
            read(&mut ZlibDecoder::new(&sent[..])).or_else(|| read(&mut DeflateDecoder::new(&sent[..])))
        }
        Some(_) => return Err(Error::bad_request("Unsupported Content-Encoding; gzip and deflate are known.")),
    };
    match bytes {
        Some(bytes) if bytes.len() > most => {
            Err(Error::Client(Code::TooLarge, format!("The body is longer than {most} bytes when it is unpacked.")))
        }
        Some(bytes) => Ok(bytes.into()),
        None => Err(Error::bad_request("The compressed body cannot be unpacked.")),
    }
}

/// Spans by trace; by id, so that all jobs lock traces in one order.
fn batches(export: Export) -> Result<BTreeMap<String, Batch>> {
    let mut batches: BTreeMap<String, Batch> = BTreeMap::new();
    for process in export.resource_spans {
        let of_process = process.resource.map(process_tags).unwrap_or_default();
        for span in process.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            let fits = |id: &[u8], most: usize| (1..=most).contains(&id.len());
            if !fits(&span.trace_id, 16) || !fits(&span.span_id, 8) || span.parent_span_id.len() > 8 {
                return Err(Error::bad_request("A span needs a trace id of 16 bytes and a span id of 8."));
            }
            let id = format!("tr-{:0>32}", hex::encode(&span.trace_id));
            let batch = batches.entry(id).or_insert_with(|| Batch {
                spans: Vec::new(),
                from: i64::MAX,
                until: None,
                root: None,
                tags: of_process.clone(),
            });
            batch.add(&span)?;
        }
    }
    Ok(batches)
}

impl Batch {
    fn add(&mut self, span: &Span) -> Result<()> {
        let status = span::status(span.status.as_ref().map_or(0, |status| i64::from(status.code)));
        let ms = |ns: u64| i64::try_from(ns / 1_000_000).unwrap_or(i64::MAX);
        self.from = self.from.min(ms(span.start_time_unix_nano));
        if span.end_time_unix_nano > 0 {
            self.until = self.until.max(Some(ms(span.end_time_unix_nano)));
        }
        let root = span.parent_span_id.iter().all(|byte| *byte == 0);
        if root {
            let preview = |key: &str| span.attribute(key).map(|value| preview(&value));
            self.root = Some(Root {
                state: if status == "ERROR" { "ERROR" } else { "OK" },
                inputs: preview("mlflow.spanInputs"),
                outputs: preview("mlflow.spanOutputs"),
            });
            let tags =
                span.attributes.iter().filter_map(|a| Some((a.key.strip_prefix(TAG)?.to_owned(), plain(&a.json()))));
            self.tags.extend(tags.filter(|(key, _)| names::key("tag", "key", key).is_ok()));
        }
        let kind = span.attribute("mlflow.spanType").map_or_else(|| "UNKNOWN".to_owned(), |value| plain(&value));
        let content =
            serde_json::to_string(span).map_err(|error| Error::internal(format!("a span as JSON: {error}")))?;
        self.spans.push(Kept {
            id: format!("{:0>16}", hex::encode(&span.span_id)),
            root,
            name: span.name.clone(),
            kind,
            status,
            start: i64::try_from(span.start_time_unix_nano).unwrap_or(i64::MAX),
            content,
        });
        Ok(())
    }
}

/// What a process says of itself, as tags: not of its SDK, and nothing that is MLflow's to say.
fn process_tags(resource: Resource) -> Vec<(String, String)> {
    let tags = resource.attributes.into_iter().map(|attribute| (attribute.key.clone(), plain(&attribute.json())));
    tags.filter(|(key, _)| !key.starts_with("telemetry.sdk.") && !key.starts_with("mlflow."))
        .filter(|(key, _)| names::key("tag", "key", key).is_ok())
        .collect()
}

/// A text as it is, anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn preview(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= PREVIEW { text } else { names::truncate(text, PREVIEW - 3) + "..." }
}

async fn write_all(
    tx: &mut Connection,
    caller: &Caller,
    experiment: &str,
    run: Option<&str>,
    batches: &BTreeMap<String, Batch>,
) -> Result<()> {
    let may = |experiment: i64| if caller.has_experiment(experiment) { Ok(()) } else { Err(not_granted()) };
    may(names::experiment_id(experiment)?)?;
    let (experiment, location) = experiments::active_location(tx, experiment).await?;
    if let Some(run) = run {
        may(runs::find(&mut *tx, run).await?.experiment_id)?;
    }
    for (id, batch) in batches {
        tx.lock(id).await?;
        let there = store::query_scalar("SELECT experiment_id FROM traces WHERE trace_id = $1");
        there.bind(id).fetch_optional(&mut *tx).await?.map_or(Ok(()), may)?;
        write(tx, id, batch, experiment, &location).await?;
        if let (Some(run), Some(_)) = (run, &batch.root) {
            traces::link(tx, id, run).await?;
        }
    }
    Ok(())
}

async fn write(tx: &mut Connection, id: &str, batch: &Batch, experiment: i64, location: &str) -> Result<()> {
    let state = batch.root.as_ref().map_or("IN_PROGRESS", |root| root.state);
    let made = store::query(
        "INSERT INTO traces (trace_id, experiment_id, request_time, execution_duration, state, finalized)
         VALUES ($1, $2, $3, $4, $5, 0) ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .bind(experiment)
    .bind(batch.from)
    .bind(batch.until.map(|until| until - batch.from))
    .bind(state)
    .execute(&mut *tx)
    .await?;
    if made > 0 {
        traces::write_tag(tx, id, "mlflow.artifactLocation", traces::artifacts(location, id)).await?;
    }
    let mut trace: info::Row = traces::find(&mut *tx, id).await?;
    if trace.finalized == 0 {
        let until = trace.execution_duration.map(|duration| trace.request_time + duration).max(batch.until);
        trace.request_time = trace.request_time.min(batch.from);
        trace.execution_duration = until.map(|until| until - trace.request_time);
    }
    if let Some(root) = &batch.root {
        if ["IN_PROGRESS", "STATE_UNSPECIFIED"].contains(&trace.state.as_str()) {
            trace.state = root.state.to_owned();
        }
        trace.request_preview = trace.request_preview.or_else(|| root.inputs.clone());
        trace.response_preview = trace.response_preview.or_else(|| root.outputs.clone());
    }
    store::query(
        "UPDATE traces SET request_time = $1, execution_duration = $2, state = $3, request_preview = $4,
             response_preview = $5 WHERE trace_id = $6",
    )
    .bind(trace.request_time)
    .bind(trace.execution_duration)
    .bind(trace.state)
    .bind(trace.request_preview)
    .bind(trace.response_preview)
    .bind(id)
    .execute(&mut *tx)
    .await?;
    traces::write_tag(tx, id, SPANS_LOCATION, "TRACKING_STORE".to_owned()).await?;
    for (key, value) in &batch.tags {
        traces::write_tag(tx, id, key, value.clone()).await?;
    }
    for span in &batch.spans {
        span::write(tx, id, span).await?;
    }
    Ok(())
}
