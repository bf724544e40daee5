//! Histories of metrics.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::{page, run_load, runs};
use crate::store;

type Row = (i64, i64, f64, i64);

/// `GET metrics/get-history`, by timestamp, step, value. Without `max_results`: all of it.
pub async fn history(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (id, key) = (runs::id_of(&fields)?, fields.string("metric_key")?);
    let limit = page::limit(fields.opt_int("max_results")?, i64::MAX - 1, i64::MAX - 1)?;
    let offset = page::offset(fields.opt_string("page_token")?.as_deref())?;
    let run = runs::find(app.store.read(), &id).await?;
    let mut rows: Vec<Row> = store::query_as(
        "SELECT timestamp, step, value, is_nan FROM metrics
         WHERE run = $1 AND key = (SELECT id FROM metric_keys WHERE metric_keys.key = $2)
         ORDER BY timestamp, step, value LIMIT $3 OFFSET $4",
    )
    .bind(run.id)
    .bind(&key)
    .bind(limit + 1)
    .bind(offset)
    .fetch_all(app.store.read())
    .await?;
    let token = page::cut(&mut rows, offset, limit);
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

/// `GET metrics/get-history-bulk-interval`: the same evenly chosen steps of several runs.
pub async fn bulk_interval(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let (ids, key) = (fields.strings("run_ids")?, fields.string("metric_key")?);
    if ids.is_empty() || ids.len() > 100 {
        return Err(Error::invalid("GetMetricHistoryBulkInterval request must specify between 1 and 100 run_ids."));
    }
    let most = page::limit(fields.opt_int("max_results")?, 320, 2500)? as usize;
    let (start, end) = match (fields.opt_int("start_step")?, fields.opt_int("end_step")?) {
        (None, None) => (i64::MIN, i64::MAX),
        (Some(start), Some(end)) if start <= end => (start, end),
        (Some(_), Some(_)) => return Err(Error::invalid("end_step must not be less than start_step.")),
        _ => return Err(Error::invalid("If either start step or end step are specified, both must be specified.")),
    };
    let mut histories = Vec::new();
    let mut steps = BTreeSet::new();
    for id in ids {
        let run = runs::find(app.store.read(), &id).await?;
        let rows: Vec<Row> = store::query_as(
            "SELECT timestamp, step, value, is_nan FROM metrics
             WHERE run = $1 AND key = (SELECT id FROM metric_keys WHERE metric_keys.key = $2) AND step BETWEEN $3 AND $4
             ORDER BY step, timestamp, value",
        )
        .bind(run.id)
        .bind(&key)
        .bind(start)
        .bind(end)
        .fetch_all(app.store.read())
        .await?;
        steps.extend(rows.iter().map(|row| row.1));
        histories.push((run.run_uuid, rows));
    }
    let all: Vec<i64> = steps.into_iter().collect();
    let mut chosen: BTreeSet<i64> = if all.len() <= most {
        all.into_iter().collect()
    } else {
        (0..most).map(|i| all[i * (all.len() - 1) / (most - 1).max(1)]).collect()
    };
    for (_, rows) in &histories {
        chosen.extend(rows.first().map(|row| row.1));
        chosen.extend(rows.last().map(|row| row.1));
    }
    let mut metrics = Vec::new();
    for (run_id, rows) in histories {
        for (timestamp, step, value, is_nan) in rows.into_iter().filter(|row| chosen.contains(&row.1)) {
            let mut point = json!(run_load::metric(key.clone(), value, is_nan, timestamp, step));
            point["run_id"] = run_id.as_str().into();
            metrics.push(point);
        }
    }
    Ok(Json(if metrics.is_empty() { json!({}) } else { json!({"metrics": metrics}) }))
}
