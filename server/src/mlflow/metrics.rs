//! Histories of a metric in several runs, for charts.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::history::{self, Point};
use crate::mlflow::sample::sample;
use crate::mlflow::{names, page, run_load};

/// Most runs of one request.
const RUNS: usize = 100;
/// Most points of one run in a sample.
const POINTS: usize = 2500;

/// `GET metrics/get-history-bulk-interval`: evenly chosen points of several runs.
pub async fn bulk_interval(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let ids = fields.strings("run_ids")?;
    if ids.is_empty() {
        return Err(fields.required("run_ids"));
    }
    if ids.len() > RUNS {
        return Err(Error::invalid(format!(
            "GetMetricHistoryBulkInterval request must specify at most {RUNS} run_ids. Received {} run_ids.",
            ids.len()
        )));
    }
    let key = fields.string("metric_key")?;
    let most = match fields.opt_int("max_results")? {
        None => POINTS,
        Some(most) if (1..=POINTS as i64).contains(&most) => most as usize,
        Some(_) => return Err(Error::invalid(format!("max_results must be between 1 and {POINTS}."))),
    };
    let (start, end) = match (fields.opt_int("start_step")?, fields.opt_int("end_step")?) {
        (None, None) => (i64::MIN, i64::MAX),
        (Some(start), Some(end)) if start <= end => (start, end),
        (Some(start), Some(end)) => {
            return Err(Error::invalid(format!(
                "end_step must be greater than start_step. Found start_step={start} and end_step={end}."
            )));
        }
        _ => return Err(Error::invalid("If either start step or end step are specified, both must be specified.")),
    };
    let mut metrics = Vec::new();
    for id in ids {
        let points = sample(&app, &id, &key, (start, end), most).await?;
        metrics.extend(points_of_run(&id, &key, points));
    }
    Ok(Json(if metrics.is_empty() { json!({}) } else { json!({"metrics": metrics}) }))
}

/// `GET metrics/get-history-bulk`, of the user interface: whole histories of several runs, cut at `max_results` rows.
pub async fn bulk(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    const MOST: i64 = 25_000;
    let mut ids = fields.strings("run_id")?;
    names::count("GetMetricHistoryBulk", "run_id", ids.len(), RUNS)?;
    let key = fields.opt_string("metric_key")?;
    let key = key.ok_or_else(|| Error::invalid("GetMetricHistoryBulk request must specify a metric_key."))?;
    let mut left = page::limit(&fields, MOST, i64::MAX)?.min(MOST);
    ids.sort();
    let mut metrics = Vec::new();
    for id in ids {
        let rows = history::points(&app, &id, &key, None, left).await?;
        left -= rows.len() as i64;
        metrics.extend(points_of_run(&id, &key, rows));
    }
    Ok(Json(json!({"metrics": metrics})))
}

/// The points of one run with its id.
fn points_of_run(id: &str, key: &str, rows: Vec<Point>) -> Vec<Value> {
    rows.into_iter()
        .map(|(timestamp, step, value, is_nan)| {
            let mut point = json!(run_load::metric(key.to_owned(), value, is_nan, timestamp, step));
            point["run_id"] = id.into();
            point
        })
        .collect()
}
