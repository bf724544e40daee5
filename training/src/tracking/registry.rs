//! The registry: a new version, and its alias.

use serde_json::{Value, json};

use super::Client;
use super::artifacts::Root;
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
    move_alias(client, name, alias, &version)?;
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

/// A registered version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// Registered model.
    pub name: String,
    /// Version number.
    pub version: String,
    /// Run that it comes from; empty when none is known.
    pub run_id: String,
}

/// Which version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// This one.
    Number(String),
    /// The one that an alias points to.
    Alias(String),
    /// The one with the greatest number.
    Latest,
}

/// Looks a version up; `None` when the model has no such version or alias.
pub(crate) fn version(client: &Client, name: &str, at: &At) -> Result<Option<Version>, Error> {
    // A model without the alias is INVALID_PARAMETER_VALUE to MLflow; a model that does not exist is another error.
    let (path, key, value, missing) = match at {
        At::Number(number) => ("mlflow/model-versions/get", "version", number, "RESOURCE_DOES_NOT_EXIST"),
        At::Alias(alias) => ("mlflow/registered-models/alias", "alias", alias, "INVALID_PARAMETER_VALUE"),
        At::Latest => return latest(client, name),
    };
    let answer = match client.get(path, &[("name", name), (key, value)])? {
        Answer::Refused { error, .. } if error.error_code == missing => return Ok(None),
        answer => answer.fine(client, &format!("GET {path}"))?,
    };
    let version = text(client, path, &answer, &["model_version", "version"])?;
    let run_id = answer["model_version"]["run_id"].as_str().unwrap_or_default().to_owned();
    Ok(Some(Version { name: name.to_owned(), version, run_id }))
}

/// The newest version, of whatever stage.
fn latest(client: &Client, name: &str) -> Result<Option<Version>, Error> {
    let answer = client.send("mlflow/registered-models/get-latest-versions", &json!({"name": name}))?;
    let newest = (answer["model_versions"].as_array().into_iter().flatten())
        .filter_map(|version| version["version"].as_str()?.parse::<u64>().ok())
        .max();
    newest.map_or(Ok(None), |number| version(client, name, &At::Number(number.to_string())))
}

/// Where a version's files are.
pub(crate) fn folder(client: &Client, version: &Version) -> Result<Root, Error> {
    let path = "mlflow/model-versions/get-download-uri";
    let query = [("name", version.name.as_str()), ("version", version.version.as_str())];
    let answer = client.get(path, &query)?.fine(client, &format!("GET {path}"))?;
    Root::parse(&text(client, path, &answer, &["artifact_uri"])?)
}

/// Sets or moves an alias.
pub(crate) fn move_alias(client: &Client, name: &str, alias: &str, version: &str) -> Result<(), Error> {
    let body = json!({"name": name, "alias": alias, "version": version});
    client.send("mlflow/registered-models/alias", &body).map(drop)
}
