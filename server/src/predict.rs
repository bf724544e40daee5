//! `POST /predict/{name}`: named features in, answers out, by the version that the alias `champion` points to.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use contract::Fault;
use contract::fault::Faults;
use host_native::{Batch, records};
use serde_json::{Value, json};

use crate::app::App;
use crate::error::Error;
use crate::modules::{Target, Unserved};
use crate::{fields, ids};

/// The alias that predictions follow.
pub const ALIAS: &str = "@champion";

/// `POST /predict/{name}`: an object or an array, answered in kind. 422 lists every fault.
pub async fn predict(State(app): State<App>, Path(name): Path<String>, request: Request) -> Response {
    let target = match app.modules.target(&name, ALIAS).await {
        Ok(target) => target,
        Err(Unserved(status, message)) => return detail(status, &message),
    };
    let mut response = match answer(&app, &target, request).await {
        Ok(answer) => Json(answer).into_response(),
        Err(Refused::Faults(faults)) => {
            app.traffic.error(&target);
            (StatusCode::UNPROCESSABLE_ENTITY, Json(Faults { detail: faults })).into_response()
        }
        Err(Refused::Error(error)) => {
            app.traffic.error(&target);
            if let Error::Internal(error) = &error {
                tracing::error!(%error, "prediction failed");
            }
            let (status, _, message) = error.parts();
            detail(status, message)
        }
    };
    response.headers_mut().insert("x-beira-version", HeaderValue::from(target.version));
    response
}

/// Why a request got no prediction.
pub enum Refused {
    /// The client's rows are wrong.
    Faults(Vec<Fault>),
    /// Anything else.
    Error(Error),
}

async fn answer(app: &App, target: &Arc<Target>, request: Request) -> Result<Value, Refused> {
    let with_ids = ids::wanted(request.uri().query());
    let body = fields::read(request, app.config.json_bytes_max).await.map_err(Refused::Error)?;
    let body: Value = serde_json::from_slice(&body).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Refused::Faults(vec![Fault::new("json_invalid", vec!["body".into()], format!("The body is not JSON: {place}"))])
    })?;
    if let Value::Array(rows) = &body {
        check_rows(app, rows.len())?;
    }
    let request = records::Request::read(target.module.manifest(), body).map_err(Refused::Faults)?;
    let outputs = run(app, target, request.batch.clone()).await.map_err(Refused::Error)?;
    let mut answer = request.answer(target.module.manifest(), &outputs);
    if with_ids {
        let ids = app.ids.make(&target.module, request.batch.rows, &outputs);
        let rows = match &mut answer {
            Value::Array(rows) => rows.as_mut_slice(),
            row => std::slice::from_mut(row),
        };
        rows.iter_mut().zip(ids).for_each(|(row, id)| row[ids::FIELD] = id.into());
    }
    Ok(answer)
}

/// Refuses more rows than one request may have.
pub fn check_rows(app: &App, rows: usize) -> Result<(), Refused> {
    let most = app.config.predict_rows_max;
    if rows <= most {
        return Ok(());
    }
    let text = format!("{rows} rows in one request, at most {most} are taken");
    Err(Refused::Faults(vec![Fault::new("too_long", vec!["body".into()], text)]))
}

/// Runs the rows off the async threads and counts them.
pub async fn run(app: &App, target: &Arc<Target>, batch: Batch) -> Result<Vec<Vec<u8>>, Error> {
    let (app, target) = (app.clone(), target.clone());
    tokio::task::spawn_blocking(move || {
        let start = Instant::now();
        let outputs = target.module.run(&batch).map_err(|error| Error::internal(error.to_string()))?;
        app.traffic.count(&target, &batch, &outputs, start.elapsed());
        Ok(outputs)
    })
    .await
    .unwrap_or_else(|error| Err(Error::internal(error.to_string())))
}

fn detail(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"detail": message}))).into_response()
}
