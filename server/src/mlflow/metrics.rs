//! Histories of metrics.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::page::{self, Page};
use crate::mlflow::{names, run_load, runs};
use crate::store;

/// Most runs of one request.
const RUNS: usize = 100;
/// Most points of one run in a sample.
const POINTS: usize = 2500;

type Row = (i64, i64, f64, i64);

/// `GET metrics/get-history`, by timestamp, step, value. Without `max_results`: all of it.
pub async fn history(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (id, key) = (runs::id_of(&fields)?, fields.string("metric_key")?);
    let limit = match fields.opt_int("max_results")? {
        None => i64::MAX - 1,
        Some(limit) if limit > 0 => limit,
        Some(limit) => {
            return Err(Error::invalid(format!(
                "Invalid value {limit} for parameter 'max_results' supplied. It must be a positive integer."
            )));
        }
    };
    let page = Page::of(&fields, limit, &["run_id", "run_uuid", "metric_key"])?;
    let mut rows = rows(&app, &id, &key, page.fetch(), page.offset).await?;
    let token = page.cut(&mut rows);
    let mut answer = json!({});
    if !rows.is_empty() {
        let metrics: Vec<_> = rows
            .into_iter()
            .map(|(timestamp, step, value, is_nan)| run_load::metric(key.clone(), value, is_nan, timestamp, step))
            .collect();
        answer["metrics"] = json!(metrics);
    }
    if let Some(token) = token {
        answer["next_page_token"] = token.into();
    }
    Ok(Json(answer))
}

/// A part of one history; none of a run that is not there.
async fn rows(app: &App, run: &str, key: &str, limit: i64, offset: i64) -> Result<Vec<Row>> {
    store::query_as(
        "SELECT timestamp, step, value, is_nan FROM metrics
         WHERE run = (SELECT r.id FROM runs r WHERE r.run_uuid = $1)
             AND key = (SELECT id FROM metric_keys WHERE metric_keys.key = $2)
         ORDER BY timestamp, step, value LIMIT $3 OFFSET $4",
    )
    .bind(run)
    .bind(key)
    .bind(limit)
    .bind(offset)
    .fetch_all(app.store.read())
    .await
}

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
        let mut rows: Vec<Row> = store::query_as(
            "SELECT timestamp, step, value, is_nan FROM metrics
             WHERE run = (SELECT r.id FROM runs r WHERE r.run_uuid = $1)
                 AND key = (SELECT id FROM metric_keys WHERE metric_keys.key = $2) AND step BETWEEN $3 AND $4
             ORDER BY step, timestamp, value, is_nan",
        )
        .bind(&id)
        .bind(&key)
        .bind(start)
        .bind(end)
        .fetch_all(app.store.read())
        .await?;
        sample(&mut rows, most);
        metrics.extend(points_of_run(&id, &key, rows));
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
        let rows = rows(&app, &id, &key, left, 0).await?;
        left -= rows.len() as i64;
        metrics.extend(points_of_run(&id, &key, rows));
    }
    Ok(Json(json!({"metrics": metrics})))
}

/// The points of one run with its id.
fn points_of_run(id: &str, key: &str, rows: Vec<Row>) -> Vec<Value> {
    rows.into_iter()
        .map(|(timestamp, step, value, is_nan)| {
            let mut point = json!(run_load::metric(key.to_owned(), value, is_nan, timestamp, step));
            point["run_id"] = id.into();
            point
        })
        .collect()
}

/// Keeps the first of each of `most` equal shares of `rows`, and the last of all.
fn sample<T>(rows: &mut Vec<T>, most: usize) {
    let (total, share, longer) = (rows.len(), rows.len() / most, rows.len() % most);
    if total <= most {
        return;
    }
    let first = |i: usize| i * share + i.min(longer);
    let mut kept = 0;
    let mut at = 0;
    rows.retain(|_| {
        let keep = if kept + 1 == most { at + 1 == total } else { at == first(kept) };
        at += 1;
        kept += usize::from(keep);
        keep
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_keep_both_ends() {
        for (total, most, expected) in
            [(3, 5, &[0, 1, 2][..]), (10, 3, &[0, 4, 9]), (10, 1, &[9]), (7, 4, &[0, 2, 4, 6]), (0, 2, &[])]
        {
            let mut rows: Vec<i32> = (0..total).collect();
            sample(&mut rows, most);
            assert_eq!(rows, expected, "{most} of {total}");
        }
    }
}
