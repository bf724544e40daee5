//! The registry: a new version, and its alias.

use serde_json::{Value, json};

use super::Client;
use super::client::{Answer, text};
use crate::Error;

/// A version of a registered model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Registered {
    /// The model.
    pub name: String,
    /// Its new version.
    pub version: String,
    /// `champion` when there was none, else `challenger`.
    pub alias: String,
}

/// Registers a run's model, the folder `source`, as a new version of `name`. When that was done already,
/// and only the answer got lost, the version is answered again.
pub(super) fn register(client: &Client, run_id: &str, name: &str, source: &str) -> Result<Registered, Error> {
    let path = "mlflow/registered-models/create";
    match client.post(path, &json!({"name": name}))? {
        Answer::Refused { error, .. } if error.error_code == "RESOURCE_ALREADY_EXISTS" => {}
        answer => drop(answer.fine(client, &format!("POST {path}"))?),
    }
    let version = match version_of(client, run_id, name)? {
        Some(version) => version,
        None => {
            let path = "mlflow/model-versions/create";
            let answer = client.send(path, &json!({"name": name, "source": source, "run_id": run_id}))?;
            text(client, path, &answer, &["model_version", "version"])?
        }
    };
    let path = "mlflow/registered-models/alias";
    let alias = match client.get(path, &[("name", name), ("alias", "champion")])? {
        Answer::Fine(found) => {
            let ours = found.pointer("/model_version/version").and_then(Value::as_str) == Some(&version);
            if ours { "champion" } else { "challenger" }
        }
        // MLflow says 400 for an alias that nobody has.
        Answer::Refused { status: 400 | 404, .. } => "champion",
        refused => {
            refused.fine(client, &format!("GET {path}"))?;
            "challenger"
        }
    };
    client.send(path, &json!({"name": name, "alias": alias, "version": version}))?;
    Ok(Registered { name: name.to_owned(), version, alias: alias.to_owned() })
}

/// The version that this run has registered.
fn version_of(client: &Client, run_id: &str, name: &str) -> Result<Option<String>, Error> {
    let path = "mlflow/model-versions/search";
    let filter = format!("run_id = '{run_id}'");
    let found = client.get(path, &[("filter", &filter)])?.fine(client, &format!("GET {path}"))?;
    let versions = found.get("model_versions").and_then(Value::as_array);
    let ours = versions.into_iter().flatten().find(|version| version["name"] == name);
    Ok(ours.and_then(|version| version["version"].as_str()).map(str::to_owned))
}
