//! What is moved, as MLflow's REST API spells it: from a server, from its SQLite file, or from a folder `mlruns`.

use std::path::Path;

use serde_json::{Value, json};

use super::files::Files;
use super::http::Http;
use super::mlruns::Mlruns;
use super::sqlite::Sqlite;
use crate::artifacts::root::Root;
use crate::housekeeping::Failed;

/// A part of a list, and the token of the next part.
pub type Page = (Vec<Value>, Option<String>);

/// Where everything comes from.
pub struct Source {
    of: Of,
    /// Its files.
    pub files: Files,
}

enum Of {
    Server(Http),
    Sqlite(Sqlite),
    Mlruns(Mlruns),
}

impl Source {
    /// An address, `sqlite:///FILE`, or a folder.
    pub async fn open(from: &str, artifacts: Option<&Root>) -> Result<Source, Failed> {
        if from.starts_with("http://") || from.starts_with("https://") {
            return Ok(Source { of: Of::Server(Http::new(from)?), files: Files::Server(Http::new(from)?) });
        }
        let files = match artifacts {
            Some(root) => Files::Here(Some(root.open().await?)),
            None => Files::Here(None),
        };
        let of = match from.strip_prefix("sqlite:///") {
            Some(file) => Of::Sqlite(Sqlite::open(Path::new(file)).await?),
            None if Path::new(from).is_dir() => Of::Mlruns(Mlruns::open(Path::new(from))?),
            None => {
                return Err(Failed(format!("{from} is neither an address, nor sqlite:///FILE, nor a folder mlruns")));
            }
        };
        Ok(Source { of, files })
    }

    /// All experiments, deleted ones too.
    pub async fn experiments(&self) -> Result<Vec<Value>, Failed> {
        match &self.of {
            Of::Server(http) => {
                let body = json!({"max_results": 1000, "view_type": "ALL", "order_by": ["experiment_id ASC"]});
                all(http, "/api/2.0/mlflow/experiments/search", body, "experiments").await
            }
            Of::Sqlite(file) => file.experiments().await,
            Of::Mlruns(folder) => folder.experiments(),
        }
    }

    /// Runs of an experiment, deleted ones too, with all but the histories of their metrics.
    pub async fn runs(&self, experiment: &str, token: Option<String>) -> Result<Page, Failed> {
        match &self.of {
            Of::Server(http) => {
                let mut body = json!({"experiment_ids": [experiment], "run_view_type": "ALL", "max_results": 200,
                    "order_by": ["start_time ASC"]});
                page(http, "/api/2.0/mlflow/runs/search", &mut body, "runs", token).await
            }
            Of::Sqlite(file) => file.runs(experiment, token).await,
            Of::Mlruns(folder) => Ok((folder.runs(experiment)?, None)),
        }
    }

    /// A part of the history of a metric.
    pub async fn history(&self, run: &str, key: &str, token: Option<String>) -> Result<Page, Failed> {
        match &self.of {
            Of::Server(http) => {
                let mut query = vec![("run_id", run), ("metric_key", key), ("max_results", "25000")];
                query.extend(token.as_deref().map(|token| ("page_token", token)));
                let mut answer = http.get("/api/2.0/mlflow/metrics/get-history", &query).await?;
                Ok((list(&mut answer, "metrics"), token_of(&answer)))
            }
            Of::Sqlite(file) => file.history(run, key, token).await,
            Of::Mlruns(folder) => Ok((folder.history(run, key)?, None)),
        }
    }

    /// Logged models of an experiment.
    pub async fn models(&self, experiment: &str) -> Result<Vec<Value>, Failed> {
        match &self.of {
            Of::Server(http) => {
                let body = json!({"experiment_ids": [experiment], "max_results": 50});
                all(http, "/api/2.0/mlflow/logged-models/search", body, "models").await
            }
            Of::Sqlite(file) => file.models(experiment).await,
            Of::Mlruns(folder) => folder.models(experiment),
        }
    }

    /// Registered models with aliases and tags.
    pub async fn registered(&self) -> Result<Vec<Value>, Failed> {
        match &self.of {
            Of::Server(http) => {
                by_get(http, "/api/2.0/mlflow/registered-models/search", None, "registered_models").await
            }
            Of::Sqlite(file) => file.registered().await,
            Of::Mlruns(folder) => folder.registered(),
        }
    }

    /// Versions of a registered model, by number.
    pub async fn versions(&self, name: &str) -> Result<Vec<Value>, Failed> {
        let mut versions = match &self.of {
            Of::Server(http) => {
                let filter = format!("name = '{name}'");
                by_get(http, "/api/2.0/mlflow/model-versions/search", Some(&filter), "model_versions").await?
            }
            Of::Sqlite(file) => file.versions(name).await?,
            Of::Mlruns(folder) => folder.versions(name)?,
        };
        versions.sort_by_key(|version| number(&version["version"]));
        Ok(versions)
    }

    /// Traces of an experiment with their spans. Files of MLflow's keep spans in another form, and are not read for them.
    pub async fn traces(&self, experiment: &str, token: Option<String>) -> Result<Page, Failed> {
        const TRACES: &str = "/api/3.0/mlflow/traces";
        let Of::Server(http) = &self.of else { return Ok((Vec::new(), None)) };
        let location = json!({"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}});
        let mut body = json!({"locations": [location], "max_results": 100, "order_by": ["timestamp_ms ASC"]});
        let (infos, token) = page(http, &format!("{TRACES}/search"), &mut body, "traces", token).await?;
        let mut traces = Vec::new();
        for some in infos.chunks(20) {
            let ids: Vec<&str> = some.iter().filter_map(|info| info["trace_id"].as_str()).collect();
            let query: Vec<(&str, &str)> = ids.iter().map(|id| ("trace_ids", *id)).collect();
            let mut answer = http.get(&format!("{TRACES}/batchGet"), &query).await?;
            traces.extend(list(&mut answer, "traces"));
        }
        Ok((traces, token))
    }
}

/// A number, also in quotes.
pub fn number(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}

/// A text, also a number's.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn list(answer: &mut Value, name: &str) -> Vec<Value> {
    match answer[name].take() {
        Value::Array(list) => list,
        _ => Vec::new(),
    }
}

fn token_of(answer: &Value) -> Option<String> {
    answer["next_page_token"].as_str().filter(|token| !token.is_empty()).map(str::to_owned)
}

/// A page of what is searched by POST.
async fn page(http: &Http, path: &str, body: &mut Value, name: &str, token: Option<String>) -> Result<Page, Failed> {
    if let Some(token) = token {
        body["page_token"] = token.into();
    }
    let mut answer = http.post(path, body).await?;
    Ok((list(&mut answer, name), token_of(&answer)))
}

async fn all(http: &Http, path: &str, mut body: Value, name: &str) -> Result<Vec<Value>, Failed> {
    let (mut found, mut token) = page(http, path, &mut body, name, None).await?;
    while token.is_some() {
        let (more, next) = page(http, path, &mut body, name, token).await?;
        found.extend(more);
        token = next;
    }
    Ok(found)
}

async fn by_get(http: &Http, path: &str, filter: Option<&str>, name: &str) -> Result<Vec<Value>, Failed> {
    let (mut found, mut token) = (Vec::new(), None::<String>);
    loop {
        let mut query = vec![("max_results", "500")];
        query.extend(filter.map(|filter| ("filter", filter)));
        query.extend(token.as_deref().map(|token| ("page_token", token)));
        let mut answer = http.get(path, &query).await?;
        found.extend(list(&mut answer, name));
        token = token_of(&answer);
        if token.is_none() {
            return Ok(found);
        }
    }
}
