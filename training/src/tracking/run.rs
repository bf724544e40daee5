//! One run: made, filled, finished or failed.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::artifacts::Root;
use super::client::{Answer, text};
use super::outbox::{Item, Outbox, Owner};
use super::registry::Registered;
use super::{Client, stream::Stream};
use crate::Error;

/// Time that a failed run waits for a server that is away.
const FAILED_PATIENCE: Duration = Duration::from_secs(2);

/// A run in state `RUNNING`. All that is logged goes through its outbox.
pub(crate) struct Run {
    client: Client,
    /// Its id.
    pub id: String,
    /// Its experiment.
    pub experiment_id: String,
    /// Where its artifacts are.
    pub artifact_uri: String,
    outbox: Arc<Outbox>,
    stream: Option<Stream>,
}

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

impl Run {
    /// Finds or makes the experiment and begins a run in it; the server must be there. From then on it may
    /// be away: requests wait in a folder below `outbox`.
    pub fn begin(client: &Client, experiment: &str, name: &str, source: &str, outbox: &Path) -> Result<Run, Error> {
        let experiment_id = self::experiment(client, experiment)?;
        let user = ["USER", "USERNAME"].iter().find_map(|name| std::env::var(name).ok()).unwrap_or_default();
        let tags = [
            ("mlflow.user", user.as_str()),
            ("mlflow.source.name", source),
            ("mlflow.source.type", "LOCAL"),
            ("mlflow.runName", name),
        ];
        let tags: Vec<_> = tags
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| json!({"key": key, "value": value}))
            .collect();
        let body = json!({
            "experiment_id": experiment_id,
            "user_id": user,
            "run_name": name,
            "start_time": now(),
            "tags": tags,
        });
        let path = "mlflow/runs/create";
        let answer = client.send(path, &body)?;
        let field = |key: &str| text(client, path, &answer, &["run", "info", key]);
        let (id, artifact_uri) = (field("run_id")?, field("artifact_uri")?);
        Root::parse(&artifact_uri)?;
        let owner = Owner { server: client.server().to_owned(), run_id: id.clone() };
        let outbox = Arc::new(Outbox::open(outbox, client, owner)?);
        let stream = Some(Stream::new(outbox.clone(), id.clone()));
        Ok(Run { client: client.clone(), id, experiment_id, artifact_uri, outbox, stream })
    }

    /// The stream of metric points: what is put in is sent a few times a second.
    pub fn stream(&self) -> Option<&Stream> {
        self.stream.as_ref()
    }

    /// Waits until all points put into the stream are in the outbox.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.stream.take().map_or(Ok(()), Stream::finish)
    }

    /// Logs parameters.
    pub fn parameters(&self, parameters: &[(String, String)]) -> Result<(), Error> {
        for chunk in parameters.chunks(100) {
            let params: Vec<_> = chunk.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
            self.post("mlflow/runs/log-batch", json!({"run_id": self.id, "params": params}))?;
        }
        Ok(())
    }

    /// Logs final metrics.
    pub fn metrics(&self, metrics: &[(String, f64)]) -> Result<(), Error> {
        let timestamp = now();
        for chunk in metrics.chunks(1000) {
            let points: Vec<_> = chunk
                .iter()
                .map(|(key, value)| contract::mlflow::Metric { key: key.clone(), value: *value, timestamp, step: 0 })
                .collect();
            self.post("mlflow/runs/log-batch", json!({"run_id": self.id, "metrics": points}))?;
        }
        Ok(())
    }

    /// Sets a tag.
    pub fn tag(&self, key: &str, value: &str) -> Result<(), Error> {
        self.post("mlflow/runs/set-tag", json!({"run_id": self.id, "key": key, "value": value}))
    }

    /// Writes artifacts: path below the run's root, and bytes.
    pub fn artifacts(&self, files: &[(String, Vec<u8>)]) -> Result<(), Error> {
        files.iter().try_for_each(|(path, bytes)| {
            let item = Item::Artifact { root: self.artifact_uri.clone(), path: path.clone() };
            self.outbox.push(&item, Some(bytes))
        })
    }

    /// Registers the run's folder `model` as a new version of `name`.
    pub fn register(&self, name: &str) -> Result<(), Error> {
        let source = format!("{}/model", self.artifact_uri.trim_end_matches('/'));
        self.outbox.push(&Item::Register { name: name.to_owned(), source }, None)
    }

    /// Ends the run and waits until the server has all of it; for at most `patience` while it does not answer.
    pub fn finish(&self, patience: Duration) -> Result<Registered, Error> {
        self.post("mlflow/runs/update", self.end("FINISHED"))?;
        let registered = self.outbox.drain(patience)?;
        registered.ok_or_else(|| Error::data(&self.id, "the run registered no model"))
    }

    /// Ends the run as failed, the reason beside it. What the server refuses now is not told: the
    /// reason matters more. What it cannot take now is kept.
    pub fn fail(&mut self, reason: &Error) {
        let _ = self.flush();
        let reason: String = reason.to_string().chars().take(5000).collect();
        let told = self.tag("beira.error", &reason).and_then(|()| {
            self.post("mlflow/runs/update", self.end("FAILED"))?;
            self.outbox.drain(FAILED_PATIENCE)
        });
        match told {
            Ok(_) => {}
            Err(kept @ Error::Kept { .. }) => eprintln!("{kept}"),
            Err(_) => {
                // After a refusal nothing goes through the outbox any more.
                let tag = json!({"run_id": self.id, "key": "beira.error", "value": reason});
                let _ = self.client.send("mlflow/runs/set-tag", &tag);
                let _ = self.client.send("mlflow/runs/update", &self.end("FAILED"));
            }
        }
    }

    fn post(&self, path: &str, body: Value) -> Result<(), Error> {
        self.outbox.push(&Item::Post { path: path.to_owned(), body }, None)
    }

    fn end(&self, status: &str) -> Value {
        json!({"run_id": self.id, "status": status, "end_time": now()})
    }
}

/// Id of the experiment, which is made when it is not there.
fn experiment(client: &Client, name: &str) -> Result<String, Error> {
    let path = "mlflow/experiments/get-by-name";
    match client.get(path, &[("experiment_name", name)])? {
        Answer::Refused { status: 404, .. } => {
            let path = "mlflow/experiments/create";
            let answer = client.send(path, &json!({"name": name}))?;
            text(client, path, &answer, &["experiment_id"])
        }
        answer => {
            let answer = answer.fine(client, &format!("GET {path}"))?;
            text(client, path, &answer, &["experiment", "experiment_id"])
        }
    }
}
