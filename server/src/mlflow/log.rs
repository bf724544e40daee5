//! What a run logs: metrics, parameters, tags.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use contract::mlflow::KeyValue;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::runs::{self, RUN_NAME};
use crate::mlflow::{logged_models, names};
use crate::store::{self, Connection};

/// Longest parameter value; longer ones are cut.
const PARAM_LENGTH: usize = 6000;
/// Longest tag value; longer ones are cut.
const TAG_LENGTH: usize = 8000;

/// A metric point on its way in.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Name, which neighbours share.
    pub key: Arc<str>,
    /// Finite, or NaN.
    pub value: f64,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// Step.
    pub step: i64,
    /// Logged model it belongs to.
    pub model_id: Option<String>,
    /// Name and digest of the data set it was measured on.
    pub dataset: (String, String),
}

/// `POST runs/log-metric`.
pub async fn metric(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (id, point) = (runs::id_of(&fields)?, point(&fields)?);
    write(&app, id, vec![point], Vec::new(), Vec::new(), false).await
}

/// `POST runs/log-parameter`.
pub async fn parameter(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (id, key, value) =
        (runs::id_of(&fields)?, fields.string("key")?, fields.opt_string("value")?.unwrap_or_default());
    names::key("parameter", "key", &key)?;
    write(&app, id, Vec::new(), vec![(key, value)], Vec::new(), false).await
}

/// `POST runs/set-tag`.
pub async fn set_tag(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (id, key, value) =
        (runs::id_of(&fields)?, fields.string("key")?, fields.opt_string("value")?.unwrap_or_default());
    names::key("tag", "key", &key)?;
    write(&app, id, Vec::new(), Vec::new(), vec![(key, value)], false).await
}

/// `POST runs/delete-tag`.
pub async fn delete_tag(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (id, key) = (fields.string("run_id")?, fields.string("key")?);
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let run = runs::active(tx, &id).await?;
                let gone = store::query("DELETE FROM tags WHERE run = $1 AND key = $2")
                    .bind(run.id)
                    .bind(&key)
                    .execute(&mut *tx)
                    .await?;
                if gone == 0 {
                    return Err(Error::missing(format!("No tag with name: {key} in run with id {id}")));
                }
                Ok(())
            })
        })
        .await?;
    Ok(Json(json!({})))
}

/// The point that fields describe.
pub fn point(fields: &Fields) -> Result<Point> {
    let key = fields.string("key")?;
    names::key("metric", &fields.at("name"), &key)?;
    let value = fields.number("value")?;
    let timestamp = fields.int("timestamp")?;
    if timestamp < 0 {
        return Err(Error::invalid(format!(
            "Invalid value {timestamp} for parameter '{}' supplied: metric '{key}' (value={value:?}). Timestamp must be a \
             nonnegative long (64-bit integer) ",
            fields.at("timestamp")
        )));
    }
    Ok(Point {
        key: key.into(),
        value,
        timestamp,
        step: fields.opt_int("step")?.unwrap_or(0),
        model_id: fields.opt_string("model_id")?.filter(|id| !id.is_empty()),
        dataset: (
            fields.opt_string("dataset_name")?.unwrap_or_default(),
            fields.opt_string("dataset_digest")?.unwrap_or_default(),
        ),
    })
}

/// Adds all of it to a run, or nothing. `batch` chooses between MLflow's texts.
pub async fn write(
    app: &App,
    id: String,
    points: Vec<Point>,
    params: Vec<(String, String)>,
    tags: Vec<(String, String)>,
    batch: bool,
) -> Result<Json<Value>> {
    app.store
        .write(move |tx| {
            Box::pin(async move {
                // Whoever only adds to a run lets others add to it at the same time.
                let run = if tags.is_empty() { runs::open(tx, &id).await? } else { runs::active(tx, &id).await? };
                write_params(tx, run.id, &run.run_uuid, params, batch).await?;
                write_points(tx, run.id, &points).await?;
                for point in &points {
                    if let Some(model) = &point.model_id {
                        logged_models::write_metric(tx, model, &run.run_uuid, point).await?;
                    }
                }
                for (key, value) in tags {
                    write_tag(tx, run.id, &key, value).await?;
                }
                Ok(())
            })
        })
        .await?;
    Ok(Json(json!({})))
}

/// Points of a run, as the server itself adds them; a run that is deleted takes none.
pub async fn points_of(tx: &mut Connection, id: &str, points: &[Point]) -> Result<()> {
    match runs::active(tx, id).await {
        Ok(run) => write_points(tx, run.id, points).await,
        Err(Error::Client(..)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Points of a run by its inner id.
pub async fn write_points(tx: &mut Connection, run: i64, points: &[Point]) -> Result<()> {
    let stored = |point: &Point| if point.value.is_nan() { (0.0, 1i64) } else { (point.value, 0) };
    let order = |a: &Point, b: &Point| {
        (a.step, a.timestamp).cmp(&(b.step, b.timestamp)).then(stored(a).0.total_cmp(&stored(b).0))
    };
    // Each metric with its id and its latest point.
    let mut metrics: BTreeMap<&str, (i64, &Point)> = BTreeMap::new();
    for point in points {
        let (_, latest) = metrics.entry(&point.key).or_insert((0, point));
        if order(point, latest).is_gt() {
            *latest = point;
        }
    }
    for (key, (id, _)) in &mut metrics {
        *id = key_id(tx, key).await?;
    }
    let rows = points.iter().map(|point| {
        let (value, is_nan) = stored(point);
        let key = metrics[&*point.key].0;
        [run.into(), key.into(), point.timestamp.into(), point.step.into(), value.into(), is_nan.into()]
    });
    store::insert(tx, "metrics (run, key, timestamp, step, value, is_nan)", "ON CONFLICT DO NOTHING", rows).await?;
    let rows = metrics.values().map(|(key, point)| {
        let (value, is_nan) = stored(point);
        [run.into(), (*key).into(), value.into(), is_nan.into(), point.step.into(), point.timestamp.into()]
    });
    store::insert(
        tx,
        "latest_metrics (run, key, value, is_nan, step, timestamp)",
        "ON CONFLICT (run, key) DO UPDATE SET value = excluded.value, is_nan = excluded.is_nan, step = excluded.step,
             timestamp = excluded.timestamp
         WHERE (excluded.step, excluded.timestamp, excluded.value)
             > (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)",
        rows,
    )
    .await
}

async fn key_id(tx: &mut Connection, key: &str) -> Result<i64> {
    loop {
        let known = store::query_scalar("SELECT id FROM metric_keys WHERE key = $1").bind(key);
        if let Some(id) = known.fetch_optional(&mut *tx).await? {
            return Ok(id);
        }
        let fresh = "INSERT INTO metric_keys (key) VALUES ($1) ON CONFLICT (key) DO NOTHING RETURNING id";
        if let Some(id) = store::query_scalar(fresh).bind(key).fetch_optional(&mut *tx).await? {
            return Ok(id);
        }
    }
}

/// Parameters never change: the same value again is nothing, another one is an error.
async fn write_params(
    tx: &mut Connection,
    run: i64,
    id: &str,
    params: Vec<(String, String)>,
    batch: bool,
) -> Result<()> {
    let mut changed = Vec::new();
    for (key, value) in params {
        let value = names::truncate(value, PARAM_LENGTH);
        let added =
            store::query("INSERT INTO params (run, key, value) VALUES ($1, $2, $3) ON CONFLICT (run, key) DO NOTHING")
                .bind(run)
                .bind(&key)
                .bind(&value)
                .execute(&mut *tx)
                .await?;
        if added == 1 {
            continue;
        }
        let old: String = store::query_scalar("SELECT value FROM params WHERE run = $1 AND key = $2")
            .bind(run)
            .bind(&key)
            .fetch_one(&mut *tx)
            .await?;
        if old != value {
            changed.push((key, old, value));
        }
    }
    match changed.first() {
        None => Ok(()),
        Some((key, old, new)) if !batch => Err(Error::invalid(format!(
            "Changing param values is not allowed. Param with key='{key}' was already logged with value='{old}' for run \
             ID='{id}'. Attempted logging new value '{new}'."
        ))),
        Some(_) => {
            let list: Vec<String> = changed
                .iter()
                .map(|(key, old, new)| format!("{{'key': '{key}', 'old_value': '{old}', 'new_value': '{new}'}}"))
                .collect();
            Err(Error::invalid(format!(
                "Changing param values is not allowed. Params were already logged='[{}]' for run ID='{id}'.",
                list.join(", ")
            )))
        }
    }
}

/// Sets a tag; the tag `mlflow.runName` is the run's name, which is never empty.
pub async fn write_tag(tx: &mut Connection, run: i64, key: &str, value: String) -> Result<()> {
    if key == RUN_NAME && value.is_empty() {
        return Ok(());
    }
    let value = names::truncate(value, TAG_LENGTH);
    store::query(
        "INSERT INTO tags (run, key, value) VALUES ($1, $2, $3) ON CONFLICT (run, key) DO UPDATE SET value = excluded.value",
    )
    .bind(run)
    .bind(key)
    .bind(&value)
    .execute(&mut *tx)
    .await?;
    if key == RUN_NAME {
        store::query("UPDATE runs SET name = $1 WHERE id = $2").bind(&value).bind(run).execute(tx).await?;
    }
    Ok(())
}

/// The tags of a run.
pub async fn tags_of(tx: &mut Connection, run: i64) -> Result<Vec<KeyValue>> {
    let text = "SELECT key, value FROM tags WHERE run = $1 ORDER BY key";
    let tags: Vec<(String, String)> = store::query_as(text).bind(run).fetch_all(tx).await?;
    Ok(tags.into_iter().map(|(key, value)| KeyValue { key, value }).collect())
}
