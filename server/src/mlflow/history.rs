//! The history of one metric. However long it is, a part at a time is in memory.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, StreamExt};

use crate::app::App;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::page::{Kind, Page};
use crate::mlflow::{run_load, runs};
use crate::store::{self, Value};

/// Points that are read at once.
const PART: i64 = 5000;
/// What a history is ordered by: the columns of a [`Point`].
const KEYS: [Kind; 4] = [Kind::Integer, Kind::Integer, Kind::Real, Kind::Integer];

/// Timestamp, step, value, and 1 for NaN.
pub type Point = (i64, i64, f64, i64);

/// `GET metrics/get-history`, by timestamp, step, value. Without `max_results`: all of it.
pub async fn history(State(app): State<App>, fields: Fields) -> Result<Response> {
    let (run, key) = (runs::id_of(&fields)?, fields.string("metric_key")?);
    let limit = match fields.opt_int("max_results")? {
        None => i64::MAX,
        Some(limit) if limit > 0 => limit,
        Some(limit) => {
            return Err(Error::invalid(format!(
                "Invalid value {limit} for parameter 'max_results' supplied. It must be a positive integer."
            )));
        }
    };
    let page = Page::of(&fields, limit, "history", &["run_id", "run_uuid", "metric_key"])?;
    let after = page.after(&KEYS)?;
    let mut history = History { app, run, key, left: limit, page, after, begun: false };
    let first = history.part().await?;
    let body = match first {
        (text, true) => Body::from(text),
        (text, false) => {
            let rest = stream::try_unfold(Some(history), async |history| {
                let Some(mut history) = history else { return Ok(None) };
                let (text, ended) = history.part().await.inspect_err(|error| error.log("a history broke off"))?;
                Ok::<_, Error>(Some((text, (!ended).then_some(history))))
            });
            Body::from_stream(stream::once(async { Ok(text) }).chain(rest))
        }
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// A part of one history behind a point; none of a run that is not there.
pub async fn points(app: &App, run: &str, key: &str, after: Option<&[Value]>, limit: i64) -> Result<Vec<Point>> {
    let first = [i64::MIN.into(), i64::MIN.into(), f64::MIN.into(), Value::from(-1)];
    let mut query = store::query_as(
        "SELECT timestamp, step, value, is_nan FROM metrics
         WHERE run = (SELECT r.id FROM runs r WHERE r.run_uuid = $1)
             AND key = (SELECT id FROM metric_keys WHERE metric_keys.key = $2)
             AND (timestamp, step, value, is_nan) > ($3, $4, $5, $6)
         ORDER BY timestamp, step, value, is_nan LIMIT $7",
    )
    .bind(run)
    .bind(key);
    for value in after.unwrap_or(&first) {
        query = query.bind(value.clone());
    }
    query.bind(limit).fetch_all(app.store.read()).await
}

/// A history on its way out.
struct History {
    app: App,
    run: String,
    key: String,
    /// Points that are still wanted.
    left: i64,
    page: Page,
    after: Option<Vec<Value>>,
    begun: bool,
}

impl History {
    /// The next part of the answer's text, and whether it is the last.
    async fn part(&mut self) -> Result<(Bytes, bool)> {
        let most = self.left.min(PART);
        let mut points = points(&self.app, &self.run, &self.key, self.after.as_deref(), most + 1).await?;
        let more = points.len() as i64 > most;
        points.truncate(most as usize);
        self.left -= points.len() as i64;
        if let Some((timestamp, step, value, is_nan)) = points.last() {
            self.after = Some(vec![timestamp.into(), step.into(), (*value).into(), is_nan.into()]);
        }
        if points.is_empty() && !self.begun {
            return Ok((Bytes::from_static(b"{}"), true));
        }
        let mut text = Vec::with_capacity((self.key.len() + 80) * points.len() + 100);
        let mut metric = run_load::metric(self.key.clone(), 0.0, 0, 0, 0);
        for (timestamp, step, value, is_nan) in points {
            text.extend_from_slice(if self.begun { b"," } else { b"{\"metrics\":[" });
            self.begun = true;
            metric = run_load::metric(metric.key, value, is_nan, timestamp, step);
            serde_json::to_writer(&mut text, &metric).map_err(|error| Error::internal(error.to_string()))?;
        }
        let ended = !more || self.left == 0;
        match (&self.after, ended && more) {
            (Some(after), true) => {
                text.extend_from_slice(format!("],\"next_page_token\":\"{}\"}}", self.page.token(after)).as_bytes());
            }
            _ if ended => text.extend_from_slice(b"]}"),
            _ => {}
        }
        Ok((text.into(), ended))
    }
}
