//! Runs with everything they logged, many at once.

use std::collections::HashMap;

use contract::mlflow::{KeyValue, Metric, Run, RunData, RunInfo};
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::Result;
use crate::mlflow::runs::Row;
use crate::mlflow::sql::Query;
use crate::store::Connection;

/// A run with its inputs and outputs, as MLflow answers it.
#[derive(Debug, Serialize)]
pub struct FullRun {
    /// Info and data.
    #[serde(flatten)]
    pub run: Run,
    /// `dataset_inputs` and `model_inputs`.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub inputs: Value,
    /// `model_outputs`.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub outputs: Value,
}

/// Info of a run.
pub fn info(row: &Row) -> RunInfo {
    RunInfo {
        run_uuid: row.run_uuid.clone(),
        run_id: row.run_uuid.clone(),
        run_name: row.name.clone(),
        experiment_id: row.experiment_id.to_string(),
        user_id: row.user_id.clone(),
        status: row.status.clone(),
        start_time: row.start_time,
        end_time: row.end_time,
        artifact_uri: row.artifact_uri.clone(),
        lifecycle_stage: row.lifecycle_stage.clone(),
    }
}

/// A run that has nothing yet but its tags.
pub fn fresh(row: &Row, tags: Vec<KeyValue>) -> FullRun {
    let data = RunData { tags, ..RunData::default() };
    FullRun { run: Run { info: info(row), data }, inputs: json!({}), outputs: Value::Null }
}

/// A metric as it is stored.
pub fn metric(key: String, value: f64, is_nan: i64, timestamp: i64, step: i64) -> Metric {
    Metric { key, value: if is_nan == 1 { f64::NAN } else { value }, timestamp, step }
}

/// The runs of `rows`, in their order.
pub async fn load(tx: &mut Connection, rows: Vec<Row>) -> Result<Vec<FullRun>> {
    let mut runs = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(1000) {
        runs.extend(load_chunk(tx, chunk).await?);
    }
    Ok(runs)
}

async fn load_chunk(tx: &mut Connection, rows: &[Row]) -> Result<Vec<FullRun>> {
    let select = |sql: &str, order: &str| {
        let mut query = Query::new(sql);
        query.push(" IN (");
        let mut ids = query.separated(", ");
        for row in rows {
            ids.push(row.id); // our own integers
        }
        query.push(")").push(order);
        query
    };
    let mut metrics: HashMap<i64, Vec<Metric>> = HashMap::new();
    let query = select(
        "SELECT l.run, k.key, l.value, l.is_nan, l.timestamp, l.step FROM latest_metrics l
         JOIN metric_keys k ON k.id = l.key WHERE l.run",
        "",
    );
    let found: Vec<(i64, String, f64, i64, i64, i64)> = query.build_as().fetch_all(&mut *tx).await?;
    for (run, key, value, is_nan, timestamp, step) in found {
        metrics.entry(run).or_default().push(metric(key, value, is_nan, timestamp, step));
    }
    let mut params =
        key_values(tx, select("SELECT run, key, value FROM params WHERE run", " ORDER BY run, key")).await?;
    let mut tags = key_values(tx, select("SELECT run, key, value FROM tags WHERE run", " ORDER BY run, key")).await?;
    let mut datasets = datasets(
        tx,
        select(
            "SELECT l.run, d.id, d.name, d.digest, d.source_type, d.source, d.schema, d.profile FROM run_datasets l
             JOIN datasets d ON d.id = l.dataset WHERE l.run",
            " ORDER BY l.run, d.id",
        ),
        select("SELECT run, dataset, key, value FROM run_dataset_tags WHERE run", " ORDER BY run, dataset, key"),
    )
    .await?;
    let (mut inputs, mut outputs): (HashMap<i64, Vec<Value>>, HashMap<i64, Vec<Value>>) = Default::default();
    let query = select("SELECT run, direction, model_id, step FROM run_models WHERE run", " ORDER BY run, model_id");
    let found: Vec<(i64, String, String, i64)> = query.build_as().fetch_all(&mut *tx).await?;
    for (run, direction, model_id, step) in found {
        if direction == "input" {
            inputs.entry(run).or_default().push(json!({"model_id": model_id}));
        } else {
            outputs.entry(run).or_default().push(json!({"model_id": model_id, "step": step}));
        }
    }
    Ok(rows
        .iter()
        .map(|row| {
            let mut metrics = metrics.remove(&row.id).unwrap_or_default();
            metrics.sort_by(|a, b| a.key.cmp(&b.key));
            let mut all_inputs = serde_json::Map::new();
            if let Some(datasets) = datasets.remove(&row.id) {
                all_inputs.insert("dataset_inputs".to_owned(), datasets.into());
            }
            if let Some(models) = inputs.remove(&row.id) {
                all_inputs.insert("model_inputs".to_owned(), models.into());
            }
            FullRun {
                run: Run {
                    info: info(row),
                    data: RunData {
                        metrics,
                        params: params.remove(&row.id).unwrap_or_default(),
                        tags: tags.remove(&row.id).unwrap_or_default(),
                    },
                },
                inputs: if all_inputs.is_empty() { json!({}) } else { Value::Object(all_inputs) },
                outputs: outputs.remove(&row.id).map_or(Value::Null, |models| json!({"model_outputs": models})),
            }
        })
        .collect())
}

async fn key_values(tx: &mut Connection, query: Query) -> Result<HashMap<i64, Vec<KeyValue>>> {
    let mut all: HashMap<i64, Vec<KeyValue>> = HashMap::new();
    let found: Vec<(i64, String, String)> = query.build_as().fetch_all(&mut *tx).await?;
    for (run, key, value) in found {
        all.entry(run).or_default().push(KeyValue { key, value });
    }
    Ok(all)
}

type DatasetRow = (i64, i64, String, String, String, String, Option<String>, Option<String>);

async fn datasets(tx: &mut Connection, query: Query, tags: Query) -> Result<HashMap<i64, Vec<Value>>> {
    let found: Vec<DatasetRow> = query.build_as().fetch_all(&mut *tx).await?;
    if found.is_empty() {
        return Ok(HashMap::new());
    }
    let mut tags_of: HashMap<(i64, i64), Vec<KeyValue>> = HashMap::new();
    let tags: Vec<(i64, i64, String, String)> = tags.build_as().fetch_all(&mut *tx).await?;
    for (run, dataset, key, value) in tags {
        tags_of.entry((run, dataset)).or_default().push(KeyValue { key, value });
    }
    let mut all: HashMap<i64, Vec<Value>> = HashMap::new();
    for (run, id, name, digest, source_type, source, schema, profile) in found {
        let mut dataset = json!({"name": name, "digest": digest, "source_type": source_type, "source": source});
        for (key, value) in [("schema", schema), ("profile", profile)] {
            if let Some(value) = value {
                dataset[key] = value.into();
            }
        }
        let mut input = json!({"dataset": dataset});
        if let Some(tags) = tags_of.remove(&(run, id)) {
            input["tags"] = json!(tags);
        }
        all.entry(run).or_default().push(input);
    }
    Ok(all)
}
