//! Histories of a metric in several runs, for charts.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::history::{self, Point};
use crate::mlflow::sql::{self, Query};
use crate::mlflow::{names, page, run_load};
use crate::store;

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

/// At most `most` points with steps in `steps`, by step. The store chooses them: it may hold millions.
async fn sample(app: &App, run: &str, key: &str, steps: (i64, i64), most: usize) -> Result<Vec<Point>> {
    let all: Vec<Point> = store::query_as(
        "SELECT timestamp, step, value, is_nan FROM metrics WHERE run = (SELECT r.id FROM runs r WHERE r.run_uuid = $1)
             AND key = (SELECT id FROM metric_keys WHERE metric_keys.key = $2) AND step BETWEEN $3 AND $4
         ORDER BY step, timestamp, value, is_nan LIMIT $5",
    )
    .bind(run)
    .bind(key)
    .bind(steps.0)
    .bind(steps.1)
    .bind(most as i64 + 1)
    .fetch_all(app.store.read())
    .await?;
    if all.len() <= most {
        return Ok(all);
    }
    let total: i64 = store::query_scalar(
        "SELECT count(*) FROM metrics WHERE run = (SELECT r.id FROM runs r WHERE r.run_uuid = $1)
             AND key = (SELECT id FROM metric_keys WHERE metric_keys.key = $2) AND step BETWEEN $3 AND $4",
    )
    .bind(run)
    .bind(key)
    .bind(steps.0)
    .bind(steps.1)
    .fetch_one(app.store.read())
    .await?;
    let mut query = Query::new(
        "SELECT timestamp, step, value, is_nan FROM (SELECT timestamp, step, value, is_nan,
             row_number() OVER (ORDER BY step, timestamp, value, is_nan) - 1 AS place FROM metrics
         WHERE run = (SELECT r.id FROM runs r WHERE r.run_uuid = ",
    );
    query.push_bind(run).push(") AND key = (SELECT k.id FROM metric_keys k WHERE k.key = ").push_bind(key);
    query.push(") AND step BETWEEN ").push_bind(steps.0).push(" AND ").push_bind(steps.1).push(") q WHERE ");
    sql::among(&mut query, "place", &chosen(total, most as i64));
    query.push(" ORDER BY place");
    query.build_as().fetch_all(app.store.read()).await
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

/// Places of the first of each of `most` equal shares of `total` points, and of the last of all; `total` is more than `most`.
fn chosen(total: i64, most: i64) -> BTreeSet<i64> {
    let (share, longer) = (total / most, total % most);
    (0..most - 1).map(|i| i * share + i.min(longer)).chain([total - 1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_keep_both_ends() {
        for (total, most, expected) in [(10, 3, &[0, 4, 9][..]), (10, 1, &[9]), (7, 4, &[0, 2, 4, 6]), (3, 2, &[0, 2])]
        {
            assert_eq!(chosen(total, most), expected.iter().copied().collect(), "{most} of {total}");
        }
    }
}
