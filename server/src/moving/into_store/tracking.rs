//! Rows of tracking from MLflow's JSON: experiments, runs, logged models, traces.

use serde_json::Value;

use super::super::source::{number, text};
use super::{MOVING, opt, opt_time, stage};
use crate::clock::now_ms;
use crate::error::Result as Answer;
use crate::fields::Fields;
use crate::mlflow::log::{self, Point};
use crate::mlflow::{inputs, logged_models, traces};
use crate::store::{self, Connection};

/// An experiment of the same name is the same one. Its id is kept where it is free. Returns id and artifact location.
pub async fn experiment(tx: &mut Connection, given: &Value) -> Answer<(i64, String)> {
    let name = text(&given["name"]);
    let find = "SELECT experiment_id, artifact_location FROM experiments WHERE name = $1";
    if let Some(found) = store::query_as(find).bind(&name).fetch_optional(&mut *tx).await? {
        return Ok(found);
    }
    let wanted = Some(number(&given["experiment_id"])).filter(|id| (0..1 << 60).contains(id));
    let taken: Option<i64> = store::query_scalar("SELECT experiment_id FROM experiments WHERE experiment_id = $1")
        .bind(wanted.unwrap_or(-1))
        .fetch_optional(&mut *tx)
        .await?;
    let next: i64 =
        store::query_scalar("SELECT coalesce(max(experiment_id) + 1, 1) FROM experiments").fetch_one(&mut *tx).await?;
    let id = wanted.filter(|_| taken.is_none()).unwrap_or(next);
    let location = format!("mlflow-artifacts:/{id}");
    let now = now_ms();
    let time = |value: &Value| if value.is_null() { now } else { number(value) };
    store::query(
        "INSERT INTO experiments
             (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(name)
    .bind(&location)
    .bind(stage(&given["lifecycle_stage"]))
    .bind(time(&given["creation_time"]))
    .bind(time(&given["last_update_time"]))
    .execute(&mut *tx)
    .await?;
    for (key, value) in Fields::of(given).pairs("tags")? {
        store::query("INSERT INTO experiment_tags (experiment_id, key, value) VALUES ($1, $2, $3)")
            .bind(id)
            .bind(key)
            .bind(value)
            .execute(&mut *tx)
            .await?;
    }
    tx.count_on_experiments().await?;
    Ok((id, location))
}

/// A point of a metric's history.
pub fn point(key: &str, point: &Value) -> Answer<Point> {
    let fields = Fields::of(point);
    Ok(Point {
        key: key.into(),
        value: fields.number("value")?,
        timestamp: fields.opt_int("timestamp")?.unwrap_or(0),
        step: fields.opt_int("step")?.unwrap_or(0),
        model_id: None,
        dataset: <(String, String)>::default(),
    })
}

/// A run without its metrics, on its way in; returns its number.
pub async fn run(tx: &mut Connection, given: &Value, experiment: i64, place: &str) -> Answer<i64> {
    let info = &given["info"];
    let run: i64 = store::query_scalar(
        "INSERT INTO runs (run_uuid, experiment_id, name, user_id, status, start_time, end_time, artifact_uri, lifecycle_stage)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (run_uuid) DO UPDATE SET artifact_uri = excluded.artifact_uri RETURNING id",
    )
    .bind(text(&info["run_id"]))
    .bind(experiment)
    .bind(text(&info["run_name"]))
    .bind(text(&info["user_id"]))
    .bind(opt(&info["status"]).unwrap_or_else(|| "FINISHED".to_owned()))
    .bind(number(&info["start_time"]))
    .bind(opt_time(&info["end_time"]))
    .bind(place)
    .bind(MOVING)
    .fetch_one(&mut *tx)
    .await?;
    let data = Fields::of(&given["data"]);
    for (key, value) in data.pairs("params")? {
        store::query("INSERT INTO params (run, key, value) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(run)
            .bind(key)
            .bind(value)
            .execute(&mut *tx)
            .await?;
    }
    for (key, value) in data.pairs("tags")? {
        log::write_tag(tx, run, &key, value).await?;
    }
    for input in Fields::of(&given["inputs"]).objects("dataset_inputs")? {
        inputs::write_input(tx, run, experiment, inputs::input(&input)?).await?;
    }
    for (direction, part, list) in [("input", "inputs", "model_inputs"), ("output", "outputs", "model_outputs")] {
        for model in Fields::of(&given[part]).objects(list)? {
            let step = model.opt_int("step")?.unwrap_or(0);
            inputs::write_model(tx, run, direction, &model.string("model_id")?, step).await?;
        }
    }
    Ok(run)
}

/// A logged model with all that belongs to it.
pub async fn model(tx: &mut Connection, given: &Value, experiment: i64, place: &str) -> Answer<()> {
    let info = &given["info"];
    let id = text(&info["model_id"]);
    store::query(
        "INSERT INTO logged_models (model_id, experiment_id, name, artifact_location, creation_time, last_updated_time,
             status, status_message, model_type, source_run_id, lifecycle_stage)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'active') ON CONFLICT DO NOTHING",
    )
    .bind(&id)
    .bind(experiment)
    .bind(text(&info["name"]))
    .bind(place)
    .bind(number(&info["creation_timestamp_ms"]))
    .bind(number(&info["last_updated_timestamp_ms"]))
    .bind(opt(&info["status"]).unwrap_or_else(|| "LOGGED_MODEL_READY".to_owned()))
    .bind(opt(&info["status_message"]))
    .bind(opt(&info["model_type"]))
    .bind(opt(&info["source_run_id"]))
    .execute(&mut *tx)
    .await?;
    let pairs = [
        (
            "INSERT INTO logged_model_params (model_id, key, value) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            Fields::of(&given["data"]).pairs("params")?,
        ),
        (
            "INSERT INTO logged_model_tags (model_id, key, value) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            Fields::of(info).pairs("tags")?,
        ),
    ];
    for (insert, pairs) in pairs {
        for (key, value) in pairs {
            store::query(insert).bind(&id).bind(key).bind(value).execute(&mut *tx).await?;
        }
    }
    for metric in Fields::of(&given["data"]).objects("metrics")? {
        let point = Point {
            key: metric.string("key")?.into(),
            value: metric.number("value")?,
            timestamp: metric.opt_int("timestamp")?.unwrap_or(0),
            step: metric.opt_int("step")?.unwrap_or(0),
            model_id: None,
            dataset: (
                metric.opt_string("dataset_name")?.unwrap_or_default(),
                metric.opt_string("dataset_digest")?.unwrap_or_default(),
            ),
        };
        let run = metric.opt_string("run_id")?.unwrap_or_default();
        logged_models::write_metric(tx, &id, &run, &point).await?;
    }
    Ok(())
}

/// A trace with its spans, instead of what an earlier attempt left of it.
pub async fn trace(tx: &mut Connection, given: &Value, experiment: i64, location: &str) -> Answer<()> {
    let info = Fields::of(&given["trace_info"]);
    let id = info.string("trace_id")?;
    traces::check_id(&id)?;
    traces::remove(tx, &id).await?;
    let time = traces::info::time(&info, "request_time")?;
    store::query(
        "INSERT INTO traces (trace_id, experiment_id, request_time, execution_duration, state, client_request_id,
             request_preview, response_preview, finalized)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)",
    )
    .bind(&id)
    .bind(experiment)
    .bind(time)
    .bind(traces::info::opt_duration(&info, "execution_duration")?)
    .bind(info.opt_string("state")?.unwrap_or_else(|| "STATE_UNSPECIFIED".to_owned()))
    .bind(info.opt_string("client_request_id")?)
    .bind(info.opt_string("request_preview")?)
    .bind(info.opt_string("response_preview")?)
    .execute(&mut *tx)
    .await?;
    for (key, value) in info.map("tags")? {
        let value = if key == "mlflow.artifactLocation" { traces::artifacts(location, &id) } else { value };
        traces::write_tag(tx, &id, &key, value).await?;
    }
    for (key, value) in info.map("trace_metadata")? {
        traces::write_metadata(tx, &id, &key, value).await?;
    }
    for span in given["spans"].as_array().into_iter().flatten() {
        traces::span::write(tx, &id, &traces::span::Kept::of(span)?).await?;
    }
    Ok(())
}
