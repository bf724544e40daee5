//! `beira gc`: what was deleted softly goes for good, with its files.
//!
//! Files go first: whoever is interrupted begins again. What a registered version still needs stays.

use std::fmt;

use super::{Failed, Kept, Progress};
use crate::artifacts::Artifacts;
use crate::clock::now_ms;
use crate::error::{Code, Error, Result};
use crate::mlflow::traces;
use crate::store::{self, Connection, Store};

/// Rows of metrics that one transaction deletes, so that a running server waits for none of them.
const ROWS: i64 = 10_000;

/// What to delete.
#[derive(Clone, Debug, Default)]
pub struct What {
    /// Only what was deleted so many milliseconds ago.
    pub older_than: i64,
    /// Only these experiments and what is in them; all when empty.
    pub experiments: Vec<i64>,
    /// Count, and delete nothing.
    pub dry_run: bool,
}

/// What was deleted, or would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Gone {
    pub experiments: u64,
    pub runs: u64,
    pub models: u64,
    pub traces: u64,
    pub files: u64,
    /// Runs and logged models that stay because a registered version has its files there.
    pub kept: u64,
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Gone { experiments, runs, models, traces, files, kept } = self;
        write!(f, "{experiments} experiments, {runs} runs, {models} logged models, {traces} traces, {files} files")?;
        match kept {
            0 => Ok(()),
            _ => write!(f, "; {kept} runs and logged models stay, because registered versions have their files there"),
        }
    }
}

/// A run or a logged model.
struct Thing {
    id: String,
    location: String,
}

/// Deletes for good.
pub async fn gc(kept: &Kept, what: &What, progress: &Progress) -> std::result::Result<Gone, Failed> {
    let (store, files) = (kept.store().await?, kept.files().await?);
    let sweep = Sweep { store: &store, files: &files, what, until: now_ms() - what.older_than, progress };
    let gone = sweep.run().await;
    store.close().await;
    Ok(gone?)
}

struct Sweep<'a> {
    store: &'a Store,
    files: &'a Artifacts,
    what: &'a What,
    until: i64,
    progress: &'a Progress,
}

impl Sweep<'_> {
    async fn run(&self) -> Result<Gone> {
        let mut gone = Gone::default();
        let experiments: Vec<(i64, String, String)> = store::query_as(
            "SELECT experiment_id, name, artifact_location FROM experiments
             WHERE lifecycle_stage = 'deleted' AND last_update_time <= $1 ORDER BY experiment_id",
        )
        .bind(self.until)
        .fetch_all(self.store.read())
        .await?;
        for (id, name, location) in experiments.into_iter().filter(|(id, ..)| self.wanted(*id)) {
            (self.progress)(&format!("experiment {id} ({name})"));
            let before = gone.kept;
            let runs = self.things("SELECT run_uuid, artifact_uri FROM runs WHERE experiment_id = $1", id).await?;
            self.runs(runs, &mut gone).await?;
            let models = "SELECT model_id, artifact_location FROM logged_models WHERE experiment_id = $1";
            self.models(self.things(models, id).await?, &mut gone).await?;
            self.traces(id, &location, &mut gone).await?;
            if gone.kept == before {
                self.experiment(id).await?;
                gone.experiments += 1;
            }
        }
        let runs: Vec<(String, String, i64)> = store::query_as(
            "SELECT run_uuid, artifact_uri, experiment_id FROM runs
             WHERE lifecycle_stage = 'deleted' AND deleted_time <= $1
                 AND experiment_id NOT IN (SELECT experiment_id FROM experiments WHERE lifecycle_stage = 'deleted')
             ORDER BY id",
        )
        .bind(self.until)
        .fetch_all(self.store.read())
        .await?;
        self.runs(self.of_wanted(runs), &mut gone).await?;
        let models: Vec<(String, String, i64)> = store::query_as(
            "SELECT model_id, artifact_location, experiment_id FROM logged_models
             WHERE lifecycle_stage = 'deleted' AND last_updated_time <= $1
                 AND experiment_id NOT IN (SELECT experiment_id FROM experiments WHERE lifecycle_stage = 'deleted')
             ORDER BY model_id",
        )
        .bind(self.until)
        .fetch_all(self.store.read())
        .await?;
        self.models(self.of_wanted(models), &mut gone).await?;
        if !self.what.dry_run {
            gone.files += self.files.sweep().await?;
        }
        Ok(gone)
    }

    fn wanted(&self, experiment: i64) -> bool {
        self.what.experiments.is_empty() || self.what.experiments.contains(&experiment)
    }

    fn of_wanted(&self, rows: Vec<(String, String, i64)>) -> Vec<Thing> {
        let wanted = rows.into_iter().filter(|(.., experiment)| self.wanted(*experiment));
        wanted.map(|(id, location, _)| Thing { id, location }).collect()
    }

    async fn things(&self, select: &'static str, experiment: i64) -> Result<Vec<Thing>> {
        let rows: Vec<(String, String)> = store::query_as(select).bind(experiment).fetch_all(self.store.read()).await?;
        Ok(rows.into_iter().map(|(id, location)| Thing { id, location }).collect())
    }

    /// Whether a registered version has its files in this place.
    async fn is_registered(&self, thing: &Thing) -> Result<bool> {
        let found: Option<i64> = store::query_scalar(
            "SELECT version FROM model_versions
             WHERE deleted = 0 AND (storage_location = $1 OR substr(storage_location, 1, length($1) + 1) = $1 || '/')",
        )
        .bind(thing.location.trim_end_matches('/'))
        .fetch_optional(self.store.read())
        .await?;
        Ok(found.is_some())
    }

    /// Counts a run or a logged model, and deletes its files; whether its rows are to go too.
    async fn begin(
        &self,
        what: &str,
        thing: &Thing,
        gone: &mut Gone,
        count: fn(&mut Gone) -> &mut u64,
    ) -> Result<bool> {
        if self.is_registered(thing).await? {
            gone.kept += 1;
            return Ok(false);
        }
        *count(gone) += 1;
        gone.files += self.delete_files(&thing.location).await?;
        if !self.what.dry_run {
            (self.progress)(&format!("{what} {}", thing.id));
        }
        Ok(!self.what.dry_run)
    }

    async fn runs(&self, runs: Vec<Thing>, gone: &mut Gone) -> Result<()> {
        for run in runs {
            if !self.begin("run", &run, gone, |gone| &mut gone.runs).await? {
                continue;
            }
            self.metrics(&run.id).await?;
            self.store.write(move |tx| Box::pin(async move { delete_run(tx, &run.id).await })).await?;
        }
        Ok(())
    }

    /// Deletes the points of a run, a part at a time.
    async fn metrics(&self, run: &str) -> Result<()> {
        loop {
            let run = run.to_owned();
            let rows = self
                .store
                .write(move |tx| {
                    Box::pin(async move {
                        store::query(
                            "DELETE FROM metrics
                             WHERE (run, key, timestamp, step, value, is_nan) IN (
                                 SELECT run, key, timestamp, step, value, is_nan FROM metrics
                                 WHERE run = (SELECT id FROM runs WHERE run_uuid = $1) LIMIT $2)",
                        )
                        .bind(run)
                        .bind(ROWS)
                        .execute(tx)
                        .await
                    })
                })
                .await?;
            if rows < ROWS as u64 {
                return Ok(());
            }
        }
    }

    async fn models(&self, models: Vec<Thing>, gone: &mut Gone) -> Result<()> {
        for model in models {
            if !self.begin("logged model", &model, gone, |gone| &mut gone.models).await? {
                continue;
            }
            self.store
                .write(move |tx| {
                    Box::pin(async move {
                        each(
                            tx,
                            &[
                                "DELETE FROM logged_model_params WHERE model_id = $1",
                                "DELETE FROM logged_model_tags WHERE model_id = $1",
                                "DELETE FROM logged_model_metrics WHERE model_id = $1",
                                "DELETE FROM run_models WHERE model_id = $1",
                                "DELETE FROM logged_models WHERE model_id = $1",
                            ],
                            &model.id,
                        )
                        .await
                    })
                })
                .await?;
        }
        Ok(())
    }

    async fn traces(&self, experiment: i64, location: &str, gone: &mut Gone) -> Result<()> {
        let ids: Vec<String> = store::query_scalar("SELECT trace_id FROM traces WHERE experiment_id = $1")
            .bind(experiment)
            .fetch_all(self.store.read())
            .await?;
        for id in ids {
            gone.traces += 1;
            gone.files += self.delete_files(&traces::artifacts(location, &id)).await?;
            if !self.what.dry_run {
                self.store.write(move |tx| Box::pin(async move { traces::remove(tx, &id).await })).await?;
            }
        }
        Ok(())
    }

    async fn experiment(&self, id: i64) -> Result<()> {
        if self.what.dry_run {
            return Ok(());
        }
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    for statement in [
                        "DELETE FROM datasets WHERE experiment_id = $1",
                        "DELETE FROM experiment_tags WHERE experiment_id = $1",
                        "DELETE FROM experiments WHERE experiment_id = $1 AND lifecycle_stage = 'deleted'",
                    ] {
                        store::query(statement).bind(id).execute(&mut *tx).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Deletes what lies at an artifact URI, when it is one of this server's; returns the number of files.
    async fn delete_files(&self, uri: &str) -> Result<u64> {
        let place = match self.files.resolve(uri) {
            Ok(place) if !place.is_root() => place,
            _ => return Ok(0), // somebody else's
        };
        if self.what.dry_run {
            return place.count().await;
        }
        match place.delete().await {
            Err(Error::Client(Code::ResourceDoesNotExist, _)) => Ok(0),
            other => other,
        }
    }
}

async fn delete_run(tx: &mut Connection, id: &str) -> Result<()> {
    each(
        tx,
        &[
            "DELETE FROM metrics WHERE run = (SELECT id FROM runs WHERE run_uuid = $1)",
            "DELETE FROM latest_metrics WHERE run = (SELECT id FROM runs WHERE run_uuid = $1)",
            "DELETE FROM params WHERE run = (SELECT id FROM runs WHERE run_uuid = $1)",
            "DELETE FROM tags WHERE run = (SELECT id FROM runs WHERE run_uuid = $1)",
            "DELETE FROM run_datasets WHERE run = (SELECT id FROM runs WHERE run_uuid = $1)",
            "DELETE FROM run_dataset_tags WHERE run = (SELECT id FROM runs WHERE run_uuid = $1)",
            "DELETE FROM run_models WHERE run = (SELECT id FROM runs WHERE run_uuid = $1)",
            "DELETE FROM logged_model_metrics WHERE run_id = $1",
            "DELETE FROM trace_runs WHERE run_uuid = $1",
            "DELETE FROM runs WHERE run_uuid = $1",
        ],
        id,
    )
    .await
}

async fn each(tx: &mut Connection, statements: &[&'static str], id: &str) -> Result<()> {
    for statement in statements {
        store::query(statement).bind(id).execute(&mut *tx).await?;
    }
    Ok(())
}
