//! The history of one metric. However long it is, two parts at a time are in memory.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, StreamExt};
use tokio::task::JoinSet;

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
    let head = format!("{{\"key\":{},\"value\":", serde_json::Value::from(key.as_str())).into_bytes();
    let mut history = History { app, run, key, left: limit, page, ahead: JoinSet::new(), head, begun: false };
    history.read_ahead(after);
    let body = match history.part().await? {
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

/// A history on its way out: while one part is written, the next one is read.
struct History {
    app: App,
    run: String,
    key: String,
    /// Points that are still wanted.
    left: i64,
    page: Page,
    /// The one reading, which ends when nobody waits for it any more.
    ahead: JoinSet<Result<Vec<Point>>>,
    /// What each point begins with.
    head: Vec<u8>,
    begun: bool,
}

impl History {
    /// Begins to read the points of a part, and one more when another part follows.
    fn read_ahead(&mut self, after: Option<Vec<Value>>) {
        let (app, run, key, most) = (self.app.clone(), self.run.clone(), self.key.clone(), self.left.min(PART) + 1);
        self.ahead.spawn(async move { points(&app, &run, &key, after.as_deref(), most).await });
    }

    /// The next part of the answer's text, and whether it is the last.
    async fn part(&mut self) -> Result<(Bytes, bool)> {
        let Some(Ok(points)) = self.ahead.join_next().await else {
            return Err(Error::internal("the reading of a history panicked"));
        };
        let points = points?;
        let most = self.left.min(PART) as usize;
        let (points, more) = (&points[..points.len().min(most)], points.len() > most);
        let Some((timestamp, step, value, is_nan)) = points.last() else {
            // Behind a part there may be nothing any more: somebody collected the run meanwhile.
            return Ok((Bytes::from_static(if self.begun { b"]}" } else { b"{}" }), true));
        };
        let after = vec![timestamp.into(), step.into(), (*value).into(), is_nan.into()];
        self.left -= points.len() as i64;
        let ended = !more || self.left == 0;
        let end = match (ended, more) {
            (true, true) => format!("],\"next_page_token\":\"{}\"}}", self.page.token(&after)),
            (true, false) => "]}".to_owned(),
            (false, _) => {
                self.read_ahead(Some(after));
                String::new()
            }
        };
        let mut text = Vec::with_capacity((self.head.len() + 80) * points.len() + 100);
        for point in points {
            text.extend_from_slice(if self.begun { b"," } else { b"{\"metrics\":[" });
            self.begun = true;
            self.write(&mut text, point).map_err(|error| Error::internal(error.to_string()))?;
        }
        text.extend_from_slice(end.as_bytes());
        Ok((text.into(), ended))
    }

    /// A point as a [`Metric`](contract::mlflow::Metric), whose name is the same for all.
    fn write(&self, text: &mut Vec<u8>, (timestamp, step, value, is_nan): &Point) -> serde_json::Result<()> {
        text.extend_from_slice(&self.head);
        let value = run_load::number(*value, *is_nan);
        contract::mlflow::write_value(&value, &mut serde_json::Serializer::new(&mut *text))?;
        text.extend_from_slice(b",\"timestamp\":");
        serde_json::to_writer(&mut *text, timestamp)?;
        text.extend_from_slice(b",\"step\":");
        serde_json::to_writer(&mut *text, step)?;
        text.push(b'}');
        Ok(())
    }
}
