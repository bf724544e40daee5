//! A run that is on the server already: what it logged is read, and more is added.

use serde_json::{Value, json};

use super::artifacts::Root;
use super::client::text;
use super::{Client, now};
use crate::Error;

/// A run of the server.
pub(crate) struct StoredRun {
    client: Client,
    /// Its id.
    pub id: String,
    artifacts: Root,
    params: Vec<(String, String)>,
}

impl StoredRun {
    /// Finds a run.
    pub fn get(client: &Client, id: &str) -> Result<StoredRun, Error> {
        let path = "mlflow/runs/get";
        let answer = client.get(path, &[("run_id", id)])?.fine(client, &format!("GET {path}"))?;
        let artifacts = Root::parse(&text(client, path, &answer, &["run", "info", "artifact_uri"])?)?;
        let params = answer["run"]["data"]["params"].as_array().into_iter().flatten();
        let params = params.filter_map(|p| Some((p["key"].as_str()?.to_owned(), p["value"].as_str()?.to_owned())));
        Ok(StoredRun { client: client.clone(), id: id.to_owned(), artifacts, params: params.collect() })
    }

    /// A parameter.
    pub fn parameter(&self, key: &str) -> Option<&str> {
        self.params.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// An artifact; `None` when the run has none of this path.
    pub fn artifact(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        self.artifacts.read(&self.client, path)
    }

    /// An artifact of JSON; `None` when the run has none of this path.
    pub fn json(&self, path: &str) -> Result<Option<Value>, Error> {
        let Some(bytes) = self.artifact(path)? else { return Ok(None) };
        let wrong = |error: serde_json::Error| Error::data(format!("run {}, {path}", self.id), error.to_string());
        serde_json::from_slice(&bytes).map(Some).map_err(wrong)
    }

    /// Adds metrics, tags and artifacts.
    pub fn add(&self, metrics: &[(String, f64)], tags: &[(&str, &str)], files: &[(&str, &[u8])]) -> Result<(), Error> {
        files.iter().try_for_each(|(path, bytes)| self.artifacts.write(&self.client, path, bytes))?;
        let timestamp = now();
        let metrics: Vec<Value> = (metrics.iter())
            .map(|(key, value)| json!({"key": key, "value": value, "timestamp": timestamp, "step": 0}))
            .collect();
        let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        let body = json!({"run_id": self.id, "metrics": metrics, "tags": tags});
        self.client.send("mlflow/runs/log-batch", &body).map(drop)
    }
}
