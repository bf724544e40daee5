//! The registry: a new version, and its alias.

use serde_json::json;

use super::Run;
use super::client::{Answer, text};
use crate::Error;

/// Registers the run's folder `model` as a new version of `name`: `(version, alias)`. The alias is
/// `champion` when there is none yet, else `challenger`.
pub(crate) fn register(run: &Run, name: &str) -> Result<(String, &'static str), Error> {
    let client = &run.client;
    let path = "mlflow/registered-models/create";
    match client.post(path, &json!({"name": name}))? {
        Answer::Refused { error, .. } if error.error_code == "RESOURCE_ALREADY_EXISTS" => {}
        answer => drop(answer.fine(client, &format!("POST {path}"))?),
    }
    let path = "mlflow/model-versions/create";
    let source = format!("{}/model", run.artifact_uri.trim_end_matches('/'));
    let answer = client.send(path, &json!({"name": name, "source": source, "run_id": run.id}))?;
    let version = text(client, path, &answer, &["model_version", "version"])?;
    let path = "mlflow/registered-models/alias";
    let alias = match client.get(path, &[("name", name), ("alias", "champion")])? {
        Answer::Fine(_) => "challenger",
        // MLflow says 400 for an alias that nobody has.
        Answer::Refused { status: 400 | 404, .. } => "champion",
        refused => return refused.fine(client, &format!("GET {path}")).map(|_| (version, "champion")),
    };
    client.send(path, &json!({"name": name, "alias": alias, "version": version}))?;
    Ok((version, alias))
}
