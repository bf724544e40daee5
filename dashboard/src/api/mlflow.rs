//! MLflow's endpoints.

use contract::mlflow::{Experiment, FileInfo, Metric, Run};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Error;
use super::client::{get, get_bytes, post};
use crate::routes::encode;

const ROOT: &str = "/ajax-api/2.0/mlflow";

/// All active experiments, newest first, page after page.
pub async fn experiments() -> Result<Vec<Experiment>, Error> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        experiments: Vec<Experiment>,
        #[serde(default)]
        next_page_token: Option<String>,
    }
    let mut all = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let body = json!({ "max_results": 1000, "order_by": ["last_update_time DESC"], "page_token": token });
        let answer: Answer = post(&format!("{ROOT}/experiments/search"), &body).await?;
        all.extend(answer.experiments);
        token = answer.next_page_token.filter(|t| !t.is_empty());
        if token.is_none() || all.len() >= 10_000 {
            return Ok(all);
        }
    }
}

/// One experiment.
pub async fn experiment(id: &str) -> Result<Experiment, Error> {
    #[derive(Deserialize)]
    struct Answer {
        experiment: Experiment,
    }
    let path = format!("{ROOT}/experiments/get?experiment_id={}", encode(id));
    Ok(get::<Answer>(&path).await?.experiment)
}

/// Some runs of an experiment, and whether there are more.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Runs {
    /// In the order asked for.
    pub runs: Vec<Run>,
    /// True when `max` cut the list.
    pub more: bool,
}

/// At most `max` runs of an experiment that match MLflow's `filter`, ordered by `order`.
pub async fn runs(experiment: &str, filter: &str, order: &str, max: usize) -> Result<Runs, Error> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        runs: Vec<Run>,
        #[serde(default)]
        next_page_token: Option<String>,
    }
    let body = json!({
        "experiment_ids": [experiment],
        "filter": filter,
        "order_by": [order],
        "max_results": max,
        "run_view_type": "ACTIVE_ONLY",
    });
    let answer: Answer = post(&format!("{ROOT}/runs/search"), &body).await?;
    Ok(Runs { runs: answer.runs, more: answer.next_page_token.is_some_and(|t| !t.is_empty()) })
}

/// One run with parameters, tags and last metrics.
pub async fn run(id: &str) -> Result<Run, Error> {
    #[derive(Deserialize)]
    struct Answer {
        run: Run,
    }
    Ok(get::<Answer>(&format!("{ROOT}/runs/get?run_id={}", encode(id))).await?.run)
}

/// All points of a metric, in the order of steps.
pub async fn history(run: &str, key: &str) -> Result<Vec<Metric>, Error> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        metrics: Vec<Metric>,
    }
    let path = format!("{ROOT}/metrics/get-history?run_id={}&metric_key={}", encode(run), encode(key));
    let mut points = get::<Answer>(&path).await?.metrics;
    points.sort_by_key(|p| (p.step, p.timestamp));
    Ok(points)
}

/// Files and folders directly under `path` of a run's artifacts, folders first.
pub async fn artifacts(run: &str, path: &str) -> Result<Vec<FileInfo>, Error> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        files: Vec<FileInfo>,
    }
    let query = if path.is_empty() { String::new() } else { format!("&path={}", encode(path)) };
    let mut files = get::<Answer>(&format!("{ROOT}/artifacts/list?run_id={}{query}", encode(run))).await?.files;
    files.sort_by(|a, b| (!a.is_dir, &a.path).cmp(&(!b.is_dir, &b.path)));
    Ok(files)
}

/// Path of an artifact's bytes.
pub fn artifact_path(run: &str, path: &str) -> String {
    format!("/get-artifact?run_uuid={}&path={}", encode(run), encode(path))
}

/// An artifact's bytes.
pub async fn artifact(run: &str, path: &str) -> Result<Vec<u8>, Error> {
    get_bytes(&artifact_path(run, path)).await
}

/// Points the alias `alias` of a registered model to `version`.
pub async fn set_alias(model: &str, alias: &str, version: &str) -> Result<(), Error> {
    let body = json!({ "name": model, "alias": alias, "version": version });
    post::<Value>(&format!("{ROOT}/registered-models/alias"), &body).await.map(drop)
}
