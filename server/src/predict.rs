//! `POST /predict/{name}`: named features in, answers out, by the version that the alias `champion` points to.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{self, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{BoxError, Json};
use contract::Fault;
use contract::fault::Faults;
use host_native::{Batch, records};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::error::Error;
use crate::route::HEADERS;
use crate::serving::{ALIAS, Serving, Target, Unserved};
use crate::{body, ids};

/// Work (rows times operations of a row) that a thread of the server may do between two answers:
/// well below a tenth of a millisecond. More goes to the threads for blocking work.
const WORK_INLINE: u64 = 100_000;
/// Bytes of JSON that it may read between two answers, for the same reason.
const BYTES_INLINE: usize = 16 << 10;

/// `POST /predict/{name}`: an object or an array, answered in kind. 422 lists every fault.
pub async fn predict(State(serving): State<Serving>, Path(name): Path<String>, request: extract::Request) -> Response {
    let (head, body) = request.into_parts();
    named(&serving, &name, &head, body).await
}

/// The same by a name that is already known.
pub async fn named<B>(serving: &Serving, name: &str, head: &Parts, body: B) -> Response
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let target = match serving.target(name, ALIAS).await {
        Ok(target) => target,
        Err(Unserved(status, message)) => return detail(status, &message),
    };
    let mut response = match answer(serving, &target, head, body).await {
        Ok(answer) => {
            let mut response = Response::new(Body::from(answer));
            let mut headers = HeaderMap::with_capacity(1 + HEADERS);
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *response.headers_mut() = headers;
            response
        }
        Err(Refused::Faults(faults)) => {
            serving.traffic.error(&target);
            (StatusCode::UNPROCESSABLE_ENTITY, Json(Faults { detail: faults })).into_response()
        }
        Err(Refused::Error(error)) => {
            serving.traffic.error(&target);
            error.log("prediction failed");
            let (status, _, message) = error.parts();
            detail(status, message)
        }
    };
    if let Some(version) = target.version {
        response.headers_mut().insert("x-beira-version", HeaderValue::from(version));
    }
    response
}

/// Why a request got no prediction.
pub enum Refused {
    /// The client's rows are wrong.
    Faults(Vec<Fault>),
    /// Anything else.
    Error(Error),
}

async fn answer<B>(serving: &Serving, target: &Arc<Target>, head: &Parts, body: B) -> Result<Bytes, Refused>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let counted = counted(&head.headers);
    let with_ids = ids::wanted(head.uri.query());
    let body = body::read(body, serving.limits.bytes).await.map_err(Refused::Error)?;
    let (reading, rows_max) = (target.clone(), serving.limits.rows);
    let read = aside(body.len() > BYTES_INLINE, move || reading.module.reader().json(&body, rows_max)).await;
    let records::Request { batch, many } = read.map_err(Refused::Error)?.map_err(Refused::Faults)?;
    let rows = batch.rows;
    let outputs = run(serving, target, batch, counted).await.map_err(Refused::Error)?;
    let ids = if with_ids { serving.ids.make(&target.module, rows, &outputs) } else { Vec::new() };
    let answer = records::Answer { manifest: target.module.manifest(), rows, outputs: &outputs, many, ids: &ids };
    json_of(&answer).map_err(Refused::Error)
}

/// The answers as JSON.
fn json_of(answer: &records::Answer) -> Result<Bytes, Error> {
    let mut text = Vec::with_capacity(128 * answer.rows.max(1));
    serde_json::to_writer(&mut text, answer).map_err(|error| Error::internal(error.to_string()))?;
    Ok(text.into())
}

/// Refuses more rows than one request may have.
pub fn check_rows(serving: &Serving, rows: usize) -> Result<(), Refused> {
    let most = serving.limits.rows;
    if rows <= most {
        return Ok(());
    }
    let text = format!("{rows} rows in one request, at most {most} are taken");
    Err(Refused::Faults(vec![Fault::new("too_long", vec!["body".into()], text)]))
}

/// Whether a request is one of production: smoke tests and gates say `x-beira-probe`.
pub fn counted(headers: &HeaderMap) -> bool {
    !headers.contains_key("x-beira-probe")
}

/// Runs the rows and counts them: at once where that is quick, else off the async threads.
pub async fn run(serving: &Serving, target: &Arc<Target>, batch: Batch, counted: bool) -> Result<Vec<Vec<u8>>, Error> {
    let work = (batch.rows as u64).saturating_mul(target.module.manifest().cost.flops_per_row);
    let (serving, target) = (serving.clone(), target.clone());
    aside(work > WORK_INLINE, move || run_here(&serving, &target, &batch, counted)).await?
}

/// The JSON of a body.
pub async fn json<T: DeserializeOwned + Send + 'static>(body: Bytes) -> Result<serde_json::Result<T>, Error> {
    aside(body.len() > BYTES_INLINE, move || serde_json::from_slice(&body)).await
}

/// Does what is quick at once, and what is `long` where no other request waits for it.
async fn aside<T: Send + 'static>(long: bool, job: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    if long {
        return tokio::task::spawn_blocking(job).await.map_err(|error| Error::internal(error.to_string()));
    }
    Ok(job())
}

fn run_here(serving: &Serving, target: &Arc<Target>, batch: &Batch, counted: bool) -> Result<Vec<Vec<u8>>, Error> {
    let start = Instant::now();
    let outputs = target.module.run(batch).map_err(|error| Error::internal(error.to_string()))?;
    if counted {
        serving.traffic.count(target, batch, &outputs, start.elapsed());
    }
    Ok(outputs)
}

fn detail(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"detail": message}))).into_response()
}
