//! Into a store of Beira: rows as they were, ids and times included.
//!
//! A run that is on its way in has a stage of its own, so that no list shows half of it and the next attempt knows.

mod registry;
mod tracking;

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
use crate::mlflow::log;
use crate::store::{self, Store};

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

    async fn experiment(&mut self, given: &Value) -> Result<(i64, String), Failed> {
        let given = given.clone();
        Ok(self.store.write(move |tx| Box::pin(async move { tracking::experiment(tx, &given).await })).await?)
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
                place.write(folder.open(&path).await?.into_data_stream(), u64::MAX).await?;
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
        let run: i64 = self
            .store
            .write(move |tx| Box::pin(async move { tracking::run(tx, &row, experiment, &place).await }))
            .await?;
        let mut sent = 0;
        let keys = Fields::of(&given["data"]).objects("metrics")?;
        for key in keys.iter().map(|metric| metric.string("key")).collect::<Answer<Vec<_>>>()? {
            let mut token = None;
            loop {
                let (points, next) = source.history(&uuid, &key, token).await?;
                sent += points.len();
                let points = points.iter().map(|point| tracking::point(&key, point)).collect::<Answer<Vec<_>>>()?;
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
        self.store
            .write(move |tx| Box::pin(async move { tracking::model(tx, &given, experiment, &place).await }))
            .await?;
        self.moved.models += 1;
        Ok(())
    }

    async fn trace(&mut self, given: &Value, experiment: i64, location: &str) -> Result<(), Failed> {
        let (given, location) = (given.clone(), location.to_owned());
        self.store
            .write(move |tx| Box::pin(async move { tracking::trace(tx, &given, experiment, &location).await }))
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
                    registry::model(tx, &model).await?;
                    for (version, storage) in &rows {
                        registry::version(tx, version, storage).await?;
                    }
                    registry::aliases(tx, &model).await
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
