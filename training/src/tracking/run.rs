//! One run: made, filled, finished or failed.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::artifacts::Root;
use super::client::{Answer, text};
use super::{Client, stream::Stream};
use crate::Error;

/// A run in state `RUNNING`.
pub(crate) struct Run {
    pub(super) client: Client,
    /// Its id.
    pub id: String,
    /// Its experiment.
    pub experiment_id: String,
    /// Where its artifacts are.
    pub artifact_uri: String,
    stream: Option<Stream>,
}

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

impl Run {
    /// Finds or makes the experiment and begins a run in it.
    pub fn begin(client: &Client, experiment: &str, name: &str, source: &str) -> Result<Run, Error> {
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
        let stream = Some(Stream::new(client.clone(), id.clone()));
        Ok(Run { client: client.clone(), id, experiment_id, artifact_uri, stream })
    }

    /// The stream of metric points: what is put in is sent a few times a second.
    pub fn stream(&self) -> Option<&Stream> {
        self.stream.as_ref()
    }

    /// Waits until all points put into the stream are on the server.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.stream.take().map_or(Ok(()), Stream::finish)
    }

    /// Logs parameters.
    pub fn parameters(&self, parameters: &[(String, String)]) -> Result<(), Error> {
        for chunk in parameters.chunks(100) {
            let params: Vec<_> = chunk.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
            self.client.send("mlflow/runs/log-batch", &json!({"run_id": self.id, "params": params}))?;
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
            self.client.send("mlflow/runs/log-batch", &json!({"run_id": self.id, "metrics": points}))?;
        }
        Ok(())
    }

    /// Sets a tag.
    pub fn tag(&self, key: &str, value: &str) -> Result<(), Error> {
        self.client.send("mlflow/runs/set-tag", &json!({"run_id": self.id, "key": key, "value": value})).map(drop)
    }

    /// Writes artifacts: path below the run's root, and bytes.
    pub fn artifacts(&self, files: &[(String, Vec<u8>)]) -> Result<(), Error> {
        let root = Root::parse(&self.artifact_uri)?;
        files.iter().try_for_each(|(path, bytes)| root.write(&self.client, path, bytes))
    }

    /// Ends the run.
    pub fn finish(&self) -> Result<(), Error> {
        self.end("FINISHED")
    }

    /// Ends the run as failed, the reason beside it. What the server refuses now is not told: the
    /// reason matters more.
    pub fn fail(&mut self, reason: &Error) {
        let _ = self.flush();
        let _ = self.tag("beira.error", &reason.to_string().chars().take(5000).collect::<String>());
        let _ = self.end("FAILED");
    }

    fn end(&self, status: &str) -> Result<(), Error> {
        let body = json!({"run_id": self.id, "status": status, "end_time": now()});
        self.client.send("mlflow/runs/update", &body).map(drop)
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
