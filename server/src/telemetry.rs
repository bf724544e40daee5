//! `POST /telemetry/counters`: what hosts counted, merged exactly once.

mod check;
mod labels;
pub mod logs;
mod snapshots;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use contract::Flush;
use contract::fault::{Fault, Faults};
use contract::telemetry::FlushAnswer;
use serde_json::json;

use crate::app::App;
use crate::body;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::modules;
use crate::store;
use crate::windows::{self, MINUTE_MS, Window};

pub use labels::labels;

/// Longest flush.
const BYTES: usize = 1 << 20;
/// How long idempotency keys are kept.
const KEYS_MS: i64 = 7 * 24 * 60 * MINUTE_MS;
/// A window this far ahead, or further back than a day, shows a wrong clock: it is put at the server's minute.
const AHEAD_MS: i64 = 10 * MINUTE_MS;
const BEHIND_MS: i64 = 24 * 60 * MINUTE_MS;

/// Takes a flush as JSON, whatever its Content-Type (`sendBeacon` sends text/plain).
pub async fn ingest(State(app): State<App>, request: Request) -> Response {
    match take(&app, request).await {
        Ok(answer) => Json(answer).into_response(),
        Err(refused) => refused.into_response(),
    }
}

enum Refused {
    Faults(Vec<Fault>),
    Detail(StatusCode, &'static str),
    Error(Error),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Refused::Faults(faults) => {
                (StatusCode::UNPROCESSABLE_ENTITY, Json(Faults { detail: faults })).into_response()
            }
            Refused::Detail(status, sentence) => (status, Json(json!({"detail": sentence}))).into_response(),
            Refused::Error(error) => {
                error.log("telemetry");
                let (status, _, message) = error.parts();
                (status, Json(json!({"detail": message}))).into_response()
            }
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Refused::Error(error)
    }
}

async fn take(app: &App, request: Request) -> Result<FlushAnswer, Refused> {
    let body = body::read(request.into_body(), BYTES).await?;
    let flush: Flush = serde_json::from_slice(&body).map_err(|error| {
        let what = if error.is_data() { "is not a flush" } else { "is not JSON" };
        let text = format!("The body {what}: line {}, column {}", error.line(), error.column());
        Refused::Faults(vec![Fault::new("json_invalid", vec!["body".into()], text)])
    })?;
    check::form(&flush).map_err(Refused::Faults)?;
    let record = modules::by_sha256(app.store.read(), &flush.module_sha256)
        .await?
        .ok_or(Refused::Detail(StatusCode::NOT_FOUND, "No registered model has a module with this module_sha256."))?;
    if record.edges_sha256 != flush.edges_sha256 {
        return Err(Refused::Detail(
            StatusCode::CONFLICT,
            "edges_sha256 is not that of the module's profile; counts on other edges cannot be added.",
        ));
    }
    check::counts(&flush, record.profile.as_ref(), app.config.browser_flush_rows_max).map_err(Refused::Faults)?;
    let mut answer = FlushAnswer { counted: false, model: record.name.clone(), version: record.version.to_string() };
    if !flush.probe {
        answer.counted = write(app, record, flush).await?;
    }
    Ok(answer)
}

/// Key and counts in one transaction: false when the key had been counted.
async fn write(app: &App, record: modules::Record, flush: Flush) -> Result<bool> {
    let now = now_ms();
    let start = i64::try_from(flush.window_start_ms).unwrap_or(i64::MAX);
    let start = if (now - BEHIND_MS..=now + AHEAD_MS).contains(&start) { start } else { now };
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let fresh = store::query("INSERT INTO flushes (id, at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING")
                    .bind(flush.id.to_ascii_lowercase())
                    .bind(now)
                    .execute(&mut *tx)
                    .await?;
                if fresh == 0 {
                    return Ok(false);
                }
                let window = Window {
                    name: &record.name,
                    version: record.version,
                    minute: start / MINUTE_MS * MINUTE_MS,
                    origin: flush.origin,
                    host: &flush.host,
                };
                windows::add(tx, &window, &flush.counters).await?;
                Ok(true)
            })
        })
        .await
}

/// Forgets idempotency keys, instances and nonces that are too old to come again; every hour, for as long as the process lives.
pub async fn sweep(store: crate::store::Store) {
    let mut ticks = tokio::time::interval(std::time::Duration::from_secs(3600));
    loop {
        ticks.tick().await;
        let now = now_ms();
        let swept = store
            .write(move |tx| {
                Box::pin(async move {
                    store::query("DELETE FROM flushes WHERE at < $1").bind(now - KEYS_MS).execute(&mut *tx).await?;
                    let before = now - snapshots::KEPT_MS;
                    store::query("DELETE FROM snapshots WHERE at < $1").bind(before).execute(&mut *tx).await?;
                    let before = now / MINUTE_MS - labels::MINUTES;
                    store::query("DELETE FROM labelled WHERE minute < $1").bind(before).execute(tx).await?;
                    Ok(())
                })
            })
            .await;
        if let Err(error) = swept {
            tracing::warn!(%error, "old idempotency keys stay");
        }
    }
}
