//! Into a store of Beira: rows as they were, ids and times included.
//!
//! A run that is on its way in has a stage of its own, so that no list shows half of it and the next attempt knows.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::Moved;
use super::source::{Source, number, text};
use crate::artifacts::Artifacts;
use crate::clock::now_ms;
use crate::error::Result as Answer;
use crate::fields::Fields;
use crate::housekeeping::{Failed, Kept, Progress};
use crate::mlflow::log::{self, Point};
use crate::mlflow::{inputs, traces};
use crate::store::{self, Connection, Store};

/// The stage of a run that is not there whole.
const MOVING: &str = "moving";
/// Points of one transaction.
const POINTS: usize = 5000;

/// What takes everything in.
pub struct IntoStore {
    store: Store,
    files: Artifacts,
    progress: Progress,
    moved: Moved,
    /// Artifact URIs of the source, and where their files are now.
    places: HashMap<String, String>,
}

impl IntoStore {
    /// A store that may be in use meanwhile.
    pub async fn open(kept: &Kept, progress: &Progress) -> Result<IntoStore, Failed> {
        let (store, files) = (kept.store().await?, kept.files().await?);
        Ok(IntoStore { store, files, progress: progress.clone(), moved: Moved::default(), places: HashMap::new() })
    }

    /// Closes the store.
    pub async fn close(self) {
        self.store.close().await;
    }

    /// Takes all that a source has.
    pub async fn take(&mut self, source: &Source) -> Result<Moved, Failed> {
        for experiment in source.experiments().await? {
            let id = text(&experiment["experiment_id"]);
            let (target, location) = self.experiment(&experiment).await?;
            self.moved.experiments += 1;
            for model in source.models(&id).await? {
                self.model(source, &model, target, &location).await?;
            }
            let mut token = None;
            loop {
                let (runs, next) = source.runs(&id, token).await?;
                for run in &runs {
                    let name = text(&run["info"]["run_id"]);
                    (self.progress)(&format!("experiment {id}, run {name}: {} runs", self.moved.runs));
                    self.run(source, run, target, &location).await?;
                }
                token = next;
                if token.is_none() {
                    break;
                }
            }
            loop {
                let (traces, next) = source.traces(&id, token).await?;
                for trace in &traces {
                    self.trace(trace, target, &location).await?;
                }
                token = next;
                if token.is_none() {
                    break;
                }
            }
        }
        for model in source.registered().await? {
            (self.progress)(&format!("model {}", text(&model["name"])));
            let versions = source.versions(&text(&model["name"])).await?;
            self.registered(&model, versions).await?;
        }
        Ok(self.moved.clone())
    }

    /// An experiment of the same name is the same one. Its id is kept where it is free.
    async fn experiment(&mut self, given: &Value) -> Result<(i64, String), Failed> {
        let given = given.clone();
        let found: (i64, String) = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let name = text(&given["name"]);
                    let find = "SELECT experiment_id, artifact_location FROM experiments WHERE name = $1";
                    if let Some(found) = store::query_as(find).bind(&name).fetch_optional(&mut *tx).await? {
                        return Ok(found);
                    }
                    let wanted = Some(number(&given["experiment_id"])).filter(|id| (0..1 << 60).contains(id));
                    let taken: Option<i64> =
                        store::query_scalar("SELECT experiment_id FROM experiments WHERE experiment_id = $1")
                            .bind(wanted.unwrap_or(-1))
                            .fetch_optional(&mut *tx)
                            .await?;
                    let next: i64 = store::query_scalar("SELECT coalesce(max(experiment_id) + 1, 1) FROM experiments")
                        .fetch_one(&mut *tx)
                        .await?;
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
                    for (key, value) in Fields::of(&given).pairs("tags")? {
                        store::query("INSERT INTO experiment_tags (experiment_id, key, value) VALUES ($1, $2, $3)")
                            .bind(id)
                            .bind(key)
                            .bind(value)
                            .execute(&mut *tx)
                            .await?;
                    }
                    tx.count_on_experiments().await?;
                    Ok((id, location))
                })
            })
            .await?;
        Ok(found)
    }

    /// Copies the files at `from` to `to`; returns where they are in the end.
    async fn copy(&mut self, source: &Source, from: &str, to: &str) -> Result<String, Failed> {
        let Some(folder) = source.files.folder(from).await else {
            self.moved.elsewhere += 1;
            return Ok(from.to_owned());
        };
        let target = self.files.resolve(to)?;
        for (path, size) in folder.list().await? {
            let place = target.below(&path)?;
            if place.size().await.ok() != Some(size) {
                place.write(folder.open(&path).await?.into_data_stream()).await?;
            }
            let kept = place.size().await?;
            if kept != size {
                return Err(Failed(format!("{from}/{path} has {size} bytes, and {kept} arrived")));
            }
            self.moved.files += 1;
            self.moved.bytes += size;
        }
        self.places.insert(from.trim_end_matches('/').to_owned(), to.to_owned());
        Ok(to.to_owned())
    }

    async fn run(&mut self, source: &Source, given: &Value, experiment: i64, location: &str) -> Result<(), Failed> {
        let info = &given["info"];
        let uuid = text(&info["run_id"]);
        let (uri, own) = (text(&info["artifact_uri"]), format!("{}/{uuid}/artifacts", location.trim_end_matches('/')));
        let found: Option<(String, String)> =
            store::query_as("SELECT lifecycle_stage, artifact_uri FROM runs WHERE run_uuid = $1")
                .bind(&uuid)
                .fetch_optional(self.store.read())
                .await?;
        if let Some((stage, place)) = found
            && stage != MOVING
        {
            self.places.insert(uri.trim_end_matches('/').to_owned(), place);
            self.moved.before += 1;
            return Ok(());
        }
        let place = self.copy(source, &uri, &own).await?;
        let row = given.clone();
        let run: i64 =
            self.store.write(move |tx| Box::pin(async move { run_row(tx, &row, experiment, &place).await })).await?;
        let mut sent = 0;
        let keys = Fields::of(&given["data"]).objects("metrics")?;
        for key in keys.iter().map(|metric| metric.string("key")).collect::<Answer<Vec<_>>>()? {
            let mut token = None;
            loop {
                let (points, next) = source.history(&uuid, &key, token).await?;
                sent += points.len();
                let points = points.iter().map(|point| read_point(&key, point)).collect::<Answer<Vec<_>>>()?;
                for some in points.chunks(POINTS) {
                    let some = Arc::new(some.to_vec());
                    self.store
                        .write(move |tx| Box::pin(async move { log::write_points(tx, run, &some).await }))
                        .await?;
                }
                token = next;
                if token.is_none() {
                    break;
                }
            }
        }
        let kept: i64 = store::query_scalar("SELECT count(*) FROM metrics WHERE run = $1")
            .bind(run)
            .fetch_one(self.store.read())
            .await?;
        if kept != sent as i64 {
            return Err(Failed(format!("run {uuid}: {sent} metric points were read, and {kept} are kept")));
        }
        let deleted = stage(&info["lifecycle_stage"]) == "deleted";
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    store::query("UPDATE runs SET lifecycle_stage = $1, deleted_time = $2 WHERE id = $3")
                        .bind(if deleted { "deleted" } else { "active" })
                        .bind(deleted.then(now_ms))
                        .bind(run)
                        .execute(tx)
                        .await
                })
            })
            .await?;
        self.moved.runs += 1;
        self.moved.points += sent as u64;
        Ok(())
    }

    async fn model(&mut self, source: &Source, given: &Value, experiment: i64, location: &str) -> Result<(), Failed> {
        let info = &given["info"];
        let id = text(&info["model_id"]);
        let own = format!("{}/models/{id}/artifacts", location.trim_end_matches('/'));
        let place = self.copy(source, &text(&info["artifact_uri"]), &own).await?;
        let given = given.clone();
        self.store.write(move |tx| Box::pin(async move { model_rows(tx, &given, experiment, &place).await })).await?;
        self.moved.models += 1;
        Ok(())
    }

    async fn trace(&mut self, given: &Value, experiment: i64, location: &str) -> Result<(), Failed> {
        let (given, location) = (given.clone(), location.to_owned());
        self.store
            .write(move |tx| Box::pin(async move { trace_rows(tx, &given, experiment, &location).await }))
            .await?;
        self.moved.traces += 1;
        Ok(())
    }

    async fn registered(&mut self, model: &Value, versions: Vec<Value>) -> Result<(), Failed> {
        let mut rows = Vec::new();
        for version in versions {
            let storage = self.place_of(&version).await?;
            rows.push((version, storage));
        }
        let (model, count) = (model.clone(), rows.len() as u64);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    model_row(tx, &model).await?;
                    for (version, storage) in &rows {
                        version_row(tx, version, storage).await?;
                    }
                    alias_rows(tx, &model).await
                })
            })
            .await?;
        self.moved.versions += count;
        Ok(())
    }

    /// Where the files of a version are now.
    async fn place_of(&self, version: &Value) -> Result<String, Failed> {
        let source = text(&version["source"]);
        let storage = Some(text(&version["storage_location"])).filter(|storage| !storage.is_empty());
        let (table, id, rest) = if let Some(id) = source.strip_prefix("models:/").filter(|id| id.starts_with("m-")) {
            ("SELECT artifact_location FROM logged_models WHERE model_id = $1", id, "")
        } else if let Some(rest) = source.strip_prefix("runs:/") {
            let (run, path) = rest.split_once('/').unwrap_or((rest, ""));
            ("SELECT artifact_uri FROM runs WHERE run_uuid = $1", run, path)
        } else {
            let of = storage.unwrap_or(source);
            let moved = self.places.iter().find_map(|(from, to)| {
                let rest = of.strip_prefix(from.as_str())?;
                (rest.is_empty() || rest.starts_with('/')).then(|| format!("{to}{rest}"))
            });
            return Ok(moved.unwrap_or(of));
        };
        let found: Option<String> = store::query_scalar(table).bind(id).fetch_optional(self.store.read()).await?;
        Ok(match found {
            Some(place) if rest.is_empty() => place,
            Some(place) => format!("{}/{rest}", place.trim_end_matches('/')),
            None => storage.unwrap_or(source),
        })
    }
}

fn stage(value: &Value) -> &'static str {
    if value == "deleted" { "deleted" } else { "active" }
}

fn opt(value: &Value) -> Option<String> {
    Some(text(value)).filter(|text| !text.is_empty())
}

fn opt_time(value: &Value) -> Option<i64> {
    Some(number(value)).filter(|time| *time > 0)
}

fn read_point(key: &str, point: &Value) -> Answer<Point> {
    let fields = Fields::of(point);
    Ok(Point {
        key: key.to_owned(),
        value: fields.number("value")?,
        timestamp: fields.opt_int("timestamp")?.unwrap_or(0),
        step: fields.opt_int("step")?.unwrap_or(0),
        model_id: None,
        dataset: <(String, String)>::default(),
    })
}

async fn run_row(tx: &mut Connection, given: &Value, experiment: i64, place: &str) -> Answer<i64> {
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

async fn model_rows(tx: &mut Connection, given: &Value, experiment: i64, place: &str) -> Answer<()> {
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
            key: metric.string("key")?,
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
        crate::mlflow::logged_models::write_metric(tx, &id, &run, &point).await?;
    }
    Ok(())
}

async fn trace_rows(tx: &mut Connection, given: &Value, experiment: i64, location: &str) -> Answer<()> {
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

async fn model_row(tx: &mut Connection, given: &Value) -> Answer<()> {
    let name = text(&given["name"]);
    store::query(
        "INSERT INTO registered_models (name, creation_timestamp, last_updated_timestamp, description)
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(&name)
    .bind(number(&given["creation_timestamp"]))
    .bind(number(&given["last_updated_timestamp"]))
    .bind(opt(&given["description"]))
    .execute(&mut *tx)
    .await?;
    for (key, value) in Fields::of(given).pairs("tags")? {
        store::query("INSERT INTO registered_model_tags (name, key, value) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(&name)
            .bind(key)
            .bind(value)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

async fn version_row(tx: &mut Connection, given: &Value, storage: &str) -> Answer<()> {
    let (name, version) = (text(&given["name"]), number(&given["version"]));
    let source = text(&given["source"]);
    let model = opt(&given["model_id"])
        .or_else(|| source.strip_prefix("models:/").filter(|id| id.starts_with("m-")).map(str::to_owned));
    let made = store::query(
        "INSERT INTO model_versions (name, version, creation_timestamp, last_updated_timestamp, user_id, current_stage,
             description, source, storage_location, run_id, run_link, model_id, deleted)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0) ON CONFLICT DO NOTHING",
    )
    .bind(&name)
    .bind(version)
    .bind(number(&given["creation_timestamp"]))
    .bind(number(&given["last_updated_timestamp"]))
    .bind(opt(&given["user_id"]))
    .bind(opt(&given["current_stage"]).unwrap_or_else(|| "None".to_owned()))
    .bind(opt(&given["description"]))
    .bind(source)
    .bind(storage)
    .bind(opt(&given["run_id"]))
    .bind(opt(&given["run_link"]))
    .bind(model)
    .execute(&mut *tx)
    .await?;
    for (key, value) in Fields::of(given).pairs("tags")? {
        store::query(
            "INSERT INTO model_version_tags (name, version, key, value) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind(&name)
        .bind(version)
        .bind(key)
        .bind(value)
        .execute(&mut *tx)
        .await?;
    }
    if made > 0 {
        // The server compiles it when it looks for those that wait.
        store::query("INSERT INTO modules (name, version, state) VALUES ($1, $2, 'waiting') ON CONFLICT DO NOTHING")
            .bind(&name)
            .bind(version)
            .execute(tx)
            .await?;
    }
    Ok(())
}

async fn alias_rows(tx: &mut Connection, given: &Value) -> Answer<()> {
    for alias in Fields::of(given).objects("aliases")? {
        store::query("INSERT INTO aliases (name, alias, version) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(text(&given["name"]))
            .bind(alias.string("alias")?)
            .bind(alias.int("version")?)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}
