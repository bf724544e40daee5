//! MLflow's SQLite file (of MLflow 3, to 3.17) as a source.

use std::path::Path;

use serde_json::{Value, json};

use super::source::Page;
use crate::housekeeping::Failed;
use crate::store::{self, Reader};

/// Runs, and points, of one page.
const RUNS: i64 = 200;
const POINTS: i64 = 1000;

/// An open file.
pub struct Sqlite {
    reader: Reader,
}

type Pair = (String, Option<String>);

impl Sqlite {
    /// Opens a file, only to read; the server that it belongs to may run.
    pub async fn open(file: &Path) -> Result<Sqlite, Failed> {
        let reader = store::reader(file);
        let reader = reader.map_err(|error| Failed(format!("cannot open {}: {error}", file.display())))?;
        let newest: Result<String, _> =
            store::query_scalar("SELECT version_num FROM alembic_version").fetch_one(&reader).await;
        match newest {
            Ok(_) => Ok(Sqlite { reader }),
            Err(_) => Err(Failed(format!("{} is no database of MLflow's", file.display()))),
        }
    }

    /// Experiments.
    pub async fn experiments(&self) -> Result<Vec<Value>, Failed> {
        let rows: Vec<(i64, String, Option<String>, Option<i64>, Option<i64>)> = store::query_as(
            "SELECT experiment_id, name, lifecycle_stage, creation_time, last_update_time FROM experiments
             ORDER BY experiment_id",
        )
        .fetch_all(&self.reader)
        .await?;
        let mut experiments = Vec::new();
        for (id, name, stage, created, updated) in rows {
            let tags = "SELECT key, value FROM experiment_tags WHERE experiment_id = $1";
            let tags = store::query_as(tags).bind(id).fetch_all(&self.reader).await?;
            experiments.push(json!({
                "experiment_id": id.to_string(), "name": name, "lifecycle_stage": stage, "creation_time": created,
                "last_update_time": updated, "tags": pairs(tags),
            }));
        }
        Ok(experiments)
    }

    /// Runs, a page at a time.
    pub async fn runs(&self, experiment: &str, token: Option<String>) -> Result<Page, Failed> {
        type Row = (
            String,
            Option<String>,
            Option<String>,
            Option<String>,
            Option<i64>,
            Option<i64>,
            Option<String>,
            Option<String>,
        );
        let rows: Vec<Row> = store::query_as(
            "SELECT run_uuid, name, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri FROM runs
             WHERE experiment_id = $1 AND run_uuid > $2 ORDER BY run_uuid LIMIT $3",
        )
        .bind(id(experiment))
        .bind(token.unwrap_or_default())
        .bind(RUNS)
        .fetch_all(&self.reader)
        .await?;
        let next = rows.last().filter(|_| rows.len() as i64 == RUNS).map(|last| last.0.clone());
        let mut runs = Vec::new();
        for (run, name, user, status, start, end, stage, uri) in rows {
            let params = self.pairs("SELECT key, value FROM params WHERE run_uuid = $1", &run).await?;
            let tags = self.pairs("SELECT key, value FROM tags WHERE run_uuid = $1", &run).await?;
            let keys: Vec<String> = store::query_scalar("SELECT DISTINCT key FROM metrics WHERE run_uuid = $1")
                .bind(&run)
                .fetch_all(&self.reader)
                .await?;
            let metrics: Vec<Value> = keys.into_iter().map(|key| json!({"key": key})).collect();
            let inputs = "SELECT destination_id, coalesce(step, 0) FROM inputs WHERE source_id = $1 AND source_type = 'RUN_INPUT'";
            let outputs = "SELECT destination_id, coalesce(step, 0) FROM inputs WHERE source_id = $1 AND source_type = 'RUN_OUTPUT'";
            runs.push(json!({
                "info": {
                    "run_id": run, "run_name": name, "user_id": user, "status": status, "start_time": start,
                    "end_time": end, "lifecycle_stage": stage, "artifact_uri": uri,
                },
                "data": {"params": params, "tags": tags, "metrics": metrics},
                "inputs": {"dataset_inputs": self.datasets(&run).await?, "model_inputs": self.linked(inputs, &run).await?},
                "outputs": {"model_outputs": self.linked(outputs, &run).await?},
            }));
        }
        Ok((runs, next))
    }

    async fn pairs(&self, select: &'static str, of: &str) -> Result<Vec<Value>, Failed> {
        Ok(pairs(store::query_as(select).bind(of).fetch_all(&self.reader).await?))
    }

    async fn linked(&self, select: &'static str, run: &str) -> Result<Vec<Value>, Failed> {
        let rows: Vec<(String, i64)> = store::query_as(select).bind(run).fetch_all(&self.reader).await?;
        Ok(rows.into_iter().map(|(model, step)| json!({"model_id": model, "step": step})).collect())
    }

    async fn datasets(&self, run: &str) -> Result<Vec<Value>, Failed> {
        type Row = (String, String, String, String, String, Option<String>, Option<String>);
        let rows: Vec<Row> = store::query_as(
            "SELECT i.input_uuid, d.name, d.digest, d.dataset_source_type, d.dataset_source, d.dataset_schema,
                 d.dataset_profile
             FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id
             WHERE i.destination_id = $1 AND i.source_type = 'DATASET'",
        )
        .bind(run)
        .fetch_all(&self.reader)
        .await?;
        let mut inputs = Vec::new();
        for (input, name, digest, source_type, source, schema, profile) in rows {
            let tags = self.pairs("SELECT name, value FROM input_tags WHERE input_uuid = $1", &input).await?;
            inputs.push(json!({"tags": tags, "dataset": {
                "name": name, "digest": digest, "source_type": source_type, "source": source, "schema": schema,
                "profile": profile,
            }}));
        }
        Ok(inputs)
    }

    /// A metric's points, a page at a time.
    pub async fn history(&self, run: &str, key: &str, token: Option<String>) -> Result<Page, Failed> {
        let after: Option<(i64, i64, f64, i64)> = token.and_then(|token| serde_json::from_str(&token).ok());
        let after = after.unwrap_or((i64::MIN, i64::MIN, f64::MIN, -1));
        let rows: Vec<(f64, i64, i64, i64)> = store::query_as(
            "SELECT value, CAST(is_nan AS INTEGER), timestamp, step FROM metrics WHERE run_uuid = $1 AND key = $2
                 AND (timestamp, step, value, is_nan) > ($3, $4, $5, $6)
             ORDER BY timestamp, step, value, is_nan LIMIT $7",
        )
        .bind(run)
        .bind(key)
        .bind(after.0)
        .bind(after.1)
        .bind(after.2)
        .bind(after.3)
        .bind(POINTS)
        .fetch_all(&self.reader)
        .await?;
        let next = rows
            .last()
            .filter(|_| rows.len() as i64 == POINTS)
            .map(|(value, is_nan, timestamp, step)| json!([timestamp, step, value, is_nan]).to_string());
        let point = |(value, is_nan, timestamp, step)| {
            let value = if is_nan == 0 { json!(value) } else { json!("NaN") };
            json!({"value": value, "timestamp": timestamp, "step": step})
        };
        Ok((rows.into_iter().map(point).collect(), next))
    }

    /// Logged models.
    pub async fn models(&self, experiment: &str) -> Result<Vec<Value>, Failed> {
        type Row = (String, String, String, i64, i64, i64, Option<String>, Option<String>, Option<String>);
        let rows: Vec<Row> = store::query_as(
            "SELECT model_id, name, artifact_location, creation_timestamp_ms, last_updated_timestamp_ms, status,
                 model_type, source_run_id, status_message
             FROM logged_models WHERE experiment_id = $1 AND lifecycle_stage = 'active' ORDER BY model_id",
        )
        .bind(id(experiment))
        .fetch_all(&self.reader)
        .await?;
        let mut models = Vec::new();
        for (model, name, uri, created, updated, status, kind, run, message) in rows {
            let params = "SELECT param_key, param_value FROM logged_model_params WHERE model_id = $1";
            let tags = "SELECT tag_key, tag_value FROM logged_model_tags WHERE model_id = $1";
            let status = match status {
                1 => "LOGGED_MODEL_PENDING",
                3 => "LOGGED_MODEL_UPLOAD_FAILED",
                _ => "LOGGED_MODEL_READY",
            };
            models.push(json!({
                "info": {
                    "model_id": model, "name": name, "artifact_uri": uri, "creation_timestamp_ms": created,
                    "last_updated_timestamp_ms": updated, "status": status, "model_type": kind, "source_run_id": run,
                    "status_message": message, "tags": self.pairs(tags, &model).await?,
                },
                "data": {"params": self.pairs(params, &model).await?, "metrics": self.model_metrics(&model).await?},
            }));
        }
        Ok(models)
    }

    async fn model_metrics(&self, model: &str) -> Result<Vec<Value>, Failed> {
        let rows: Vec<(String, Option<f64>, i64, i64, Option<String>, Option<String>, Option<String>)> = store::query_as(
            "SELECT metric_name, metric_value, metric_timestamp_ms, metric_step, run_id, dataset_name, dataset_digest
             FROM logged_model_metrics WHERE model_id = $1 ORDER BY metric_step",
        )
        .bind(model)
        .fetch_all(&self.reader)
        .await?;
        let mut metrics = Vec::new();
        for (key, value, timestamp, step, run, name, digest) in rows {
            let value = value.map_or(json!("NaN"), |value| json!(value));
            metrics.push(json!({"key": key, "value": value, "timestamp": timestamp, "step": step, "run_id": run,
                "dataset_name": name, "dataset_digest": digest}));
        }
        Ok(metrics)
    }

    /// Registered models.
    pub async fn registered(&self) -> Result<Vec<Value>, Failed> {
        let rows: Vec<(String, Option<i64>, Option<i64>, Option<String>)> = store::query_as(
            "SELECT name, creation_time, last_updated_time, description FROM registered_models ORDER BY name",
        )
        .fetch_all(&self.reader)
        .await?;
        let mut models = Vec::new();
        for (name, created, updated, description) in rows {
            let tags = self.pairs("SELECT key, value FROM registered_model_tags WHERE name = $1", &name).await?;
            let aliases: Vec<(String, i64)> =
                store::query_as("SELECT alias, version FROM registered_model_aliases WHERE name = $1")
                    .bind(&name)
                    .fetch_all(&self.reader)
                    .await?;
            let aliases: Vec<Value> =
                aliases.into_iter().map(|(alias, version)| json!({"alias": alias, "version": version})).collect();
            models.push(json!({
                "name": name, "creation_timestamp": created, "last_updated_timestamp": updated,
                "description": description, "tags": tags, "aliases": aliases,
            }));
        }
        Ok(models)
    }

    /// Versions of one.
    pub async fn versions(&self, name: &str) -> Result<Vec<Value>, Failed> {
        type Row = (
            i64,
            Option<i64>,
            Option<i64>,
            Option<String>,
            Option<String>,
            Option<String>,
            Option<String>,
            Option<String>,
            Option<String>,
            Option<String>,
        );
        let rows: Vec<Row> = store::query_as(
            "SELECT version, creation_time, last_updated_time, description, user_id, current_stage, source, run_id,
                 run_link, storage_location
             FROM model_versions WHERE name = $1 AND current_stage <> 'Deleted_Internal' ORDER BY version",
        )
        .bind(name)
        .fetch_all(&self.reader)
        .await?;
        let mut versions = Vec::new();
        for (version, created, updated, description, user, stage, source, run, link, storage) in rows {
            let tags: Vec<Pair> =
                store::query_as("SELECT key, value FROM model_version_tags WHERE name = $1 AND version = $2")
                    .bind(name)
                    .bind(version)
                    .fetch_all(&self.reader)
                    .await?;
            versions.push(json!({
                "name": name, "version": version, "creation_timestamp": created, "last_updated_timestamp": updated,
                "description": description, "user_id": user, "current_stage": stage, "source": source, "run_id": run,
                "run_link": link, "storage_location": storage, "tags": pairs(tags),
            }));
        }
        Ok(versions)
    }
}

fn pairs(rows: Vec<Pair>) -> Vec<Value> {
    rows.into_iter().map(|(key, value)| json!({"key": key, "value": value.unwrap_or_default()})).collect()
}

fn id(experiment: &str) -> i64 {
    experiment.parse().unwrap_or(-1)
}
