//! Runs with everything they logged, many at once.

use std::collections::{BTreeSet, HashMap};

use contract::mlflow::{KeyValue, RunInfo};
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::mlflow::runs::Row;
use crate::mlflow::sql::Query;
use crate::store::{self, Connection};

/// A run with its inputs and outputs, as MLflow answers it; a [`contract::mlflow::Run`] where the texts stand.
#[derive(Serialize)]
pub struct FullRun<'a> {
    info: &'a RunInfo,
    data: Data<'a>,
    inputs: Value,
    #[serde(skip_serializing_if = "Value::is_null")]
    outputs: Value,
}

#[derive(Serialize)]
struct Data<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<Metric<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    params: Vec<Pair<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Pair<'a>>,
}

#[derive(Serialize)]
struct Metric<'a> {
    key: &'a str,
    #[serde(serialize_with = "contract::mlflow::write_value")]
    value: f64,
    timestamp: i64,
    step: i64,
}

#[derive(Serialize)]
struct Pair<'a> {
    key: &'a str,
    value: &'a str,
}

/// Info of a run.
pub fn info(row: Row) -> RunInfo {
    RunInfo {
        run_uuid: row.run_uuid.clone(),
        run_id: row.run_uuid,
        run_name: row.name,
        experiment_id: row.experiment_id.to_string(),
        user_id: row.user_id,
        status: row.status,
        start_time: row.start_time,
        end_time: row.end_time,
        artifact_uri: row.artifact_uri,
        lifecycle_stage: row.lifecycle_stage,
    }
}

/// A metric as it is stored.
pub fn metric(key: String, value: f64, is_nan: i64, timestamp: i64, step: i64) -> contract::mlflow::Metric {
    contract::mlflow::Metric { key, value: number(value, is_nan), timestamp, step }
}

/// The value of a metric as it is stored.
pub fn number(value: f64, is_nan: i64) -> f64 {
    if is_nan == 1 { f64::NAN } else { value }
}

/// Runs with all that they logged.
pub struct Runs {
    infos: Vec<(i64, RunInfo)>,
    /// Run, place of the name in `names`, value, whether it is NaN, timestamp, step; by run.
    metrics: Vec<(i64, usize, f64, i64, i64, i64)>,
    /// Names of metrics, in their order.
    names: Vec<String>,
    params: Pairs,
    tags: Pairs,
    datasets: HashMap<i64, Vec<Value>>,
    /// Models that were read, and that were made.
    models: HashMap<i64, (Vec<Value>, Vec<Value>)>,
}

/// Keys and values of runs in one text.
#[derive(Default)]
struct Pairs {
    text: String,
    /// Run, end of the key, end of the value, which ends where the next key begins; by run.
    ends: Vec<(i64, usize, usize)>,
}

impl Pairs {
    async fn of(tx: &mut Connection, query: Query) -> Result<Pairs> {
        let mut pairs = Pairs::default();
        let look = |row: &store::Row| {
            pairs.text.push_str(row.text(1)?);
            let key = pairs.text.len();
            pairs.text.push_str(row.text(2)?);
            pairs.ends.push((row.get(0)?, key, pairs.text.len()));
            Ok(())
        };
        query.build().each(tx, look).await?;
        Ok(pairs)
    }

    fn of_run(&self, run: i64) -> Vec<Pair<'_>> {
        let first = self.ends.partition_point(|(of, ..)| *of < run);
        let mut begin = first.checked_sub(1).map_or(0, |before| self.ends[before].2);
        let mut pair = |key: usize, end: usize| {
            let begin = std::mem::replace(&mut begin, end);
            Pair { key: &self.text[begin..key], value: &self.text[key..end] }
        };
        self.ends[first..].iter().take_while(|(of, ..)| *of == run).map(|(_, key, end)| pair(*key, *end)).collect()
    }
}

/// The runs of `rows`, in their order.
pub async fn load(tx: &mut Connection, rows: Vec<Row>) -> Result<Runs> {
    let infos: Vec<(i64, RunInfo)> = rows.into_iter().map(|row| (row.id, info(row))).collect();
    let ids: Vec<i64> = infos.iter().map(|(id, _)| *id).collect();
    let select = |sql: &str, order: &str| {
        let mut query = Query::new(sql);
        query.push_in(ids.clone()).push(order);
        query
    };
    let latest = "SELECT run, key, value, is_nan, timestamp, step FROM latest_metrics WHERE run";
    let latest: Vec<(i64, i64, f64, i64, i64, i64)> =
        select(latest, " ORDER BY run, key").build_as().fetch_all(&mut *tx).await?;
    let keys: BTreeSet<i64> = latest.iter().map(|(_, key, ..)| *key).collect();
    let mut query = Query::new("SELECT id, key FROM metric_keys WHERE id");
    query.push_in(keys.into_iter().collect());
    let mut names: Vec<(i64, String)> = query.build_as().fetch_all(&mut *tx).await?;
    names.sort_by(|(_, a), (_, b)| a.cmp(b));
    let places: HashMap<i64, usize> = names.iter().enumerate().map(|(place, (id, _))| (*id, place)).collect();
    let mut metrics: Vec<_> = latest
        .into_iter()
        .map(|(run, key, value, is_nan, timestamp, step)| {
            let place = places.get(&key).ok_or_else(|| Error::internal("metric_keys: a name is missing"))?;
            Ok((run, *place, value, is_nan, timestamp, step))
        })
        .collect::<Result<_>>()?;
    metrics.sort_unstable_by_key(|(run, place, ..)| (*run, *place));
    let params = Pairs::of(tx, select("SELECT run, key, value FROM params WHERE run", " ORDER BY run, key")).await?;
    let tags = Pairs::of(tx, select("SELECT run, key, value FROM tags WHERE run", " ORDER BY run, key")).await?;
    let datasets = datasets(
        tx,
        select(
            "SELECT l.run, d.id, d.name, d.digest, d.source_type, d.source, d.schema, d.profile FROM run_datasets l
             JOIN datasets d ON d.id = l.dataset WHERE l.run",
            " ORDER BY l.run, d.id",
        ),
        select("SELECT run, dataset, key, value FROM run_dataset_tags WHERE run", " ORDER BY run, dataset, key"),
    )
    .await?;
    let mut models: HashMap<i64, (Vec<Value>, Vec<Value>)> = HashMap::new();
    let query = select("SELECT run, direction, model_id, step FROM run_models WHERE run", " ORDER BY run, model_id");
    let found: Vec<(i64, String, String, i64)> = query.build_as().fetch_all(&mut *tx).await?;
    for (run, direction, model_id, step) in found {
        let (read, made) = models.entry(run).or_default();
        if direction == "input" {
            read.push(json!({"model_id": model_id}));
        } else {
            made.push(json!({"model_id": model_id, "step": step}));
        }
    }
    let names = names.into_iter().map(|(_, name)| name).collect();
    Ok(Runs { infos, metrics, names, params, tags, datasets, models })
}

/// A run that has nothing yet but its tags.
pub fn fresh(row: Row, tags: &[KeyValue]) -> Value {
    let tags = tags.iter().map(|tag| Pair { key: &tag.key, value: &tag.value }).collect();
    let data = Data { metrics: Vec::new(), params: Vec::new(), tags };
    json!(FullRun { info: &info(row), data, inputs: json!({}), outputs: Value::Null })
}

impl Runs {
    /// Each run, in their order.
    pub fn iter(&self) -> impl Iterator<Item = FullRun<'_>> {
        self.infos.iter().map(|(id, info)| {
            let metrics = self.metrics[self.metrics.partition_point(|(run, ..)| run < id)..].iter();
            let metrics =
                metrics.take_while(|(run, ..)| run == id).map(|(_, place, value, is_nan, timestamp, step)| {
                    let value = number(*value, *is_nan);
                    Metric { key: &self.names[*place], value, timestamp: *timestamp, step: *step }
                });
            let data =
                Data { metrics: metrics.collect(), params: self.params.of_run(*id), tags: self.tags.of_run(*id) };
            let mut inputs = serde_json::Map::new();
            if let Some(datasets) = self.datasets.get(id) {
                inputs.insert("dataset_inputs".to_owned(), json!(datasets));
            }
            let mut outputs = Value::Null;
            if let Some((read, made)) = self.models.get(id) {
                if !read.is_empty() {
                    inputs.insert("model_inputs".to_owned(), json!(read));
                }
                if !made.is_empty() {
                    outputs = json!({"model_outputs": made});
                }
            }
            FullRun { info, data, inputs: inputs.into(), outputs }
        })
    }
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
