//! Into a server of MLflow, over its REST API. It gives new ids, so each thing says in a tag which one it was: that is
//! how a second attempt finds what the first one made.

use std::collections::HashMap;

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};

use super::Moved;
use super::http::Http;
use super::source::{Source, number, text};
use crate::artifacts::location;
use crate::housekeeping::{Failed, Progress};
use crate::url::encoded;

const API: &str = "/api/2.0/mlflow";
/// Which run, or logged model, of Beira's a thing was.
const WAS: &str = "beira.id";
/// Set when all of it has arrived.
const WHOLE: &str = "beira.whole";
/// Points of one request: MLflow's limit.
const POINTS: usize = 1000;

struct Target<'a> {
    http: Http,
    progress: &'a Progress,
    moved: Moved,
    /// Old run ids and artifact URIs, and the new ones.
    runs: HashMap<String, (String, String)>,
    models: HashMap<String, String>,
    places: HashMap<String, String>,
}

/// Takes everything over.
pub async fn export(source: &Source, to: &str, progress: &Progress) -> Result<Moved, Failed> {
    let (runs, models, places) = (HashMap::new(), HashMap::new(), HashMap::new());
    let mut target = Target { http: Http::new(to)?, progress, moved: Moved::default(), runs, models, places };
    for experiment in source.experiments().await? {
        let id = text(&experiment["experiment_id"]);
        if experiment["lifecycle_stage"] == "deleted" {
            continue;
        }
        let there = target.experiment(&experiment).await?;
        let mut token = None;
        let mut all = Vec::new();
        loop {
            let (runs, next) = source.runs(&id, token).await?;
            for run in &runs {
                (progress)(&format!("experiment {id}, run {}", text(&run["info"]["run_id"])));
                target.run(source, run, &there).await?;
            }
            all.extend(runs.into_iter().map(|run| (run["info"]["run_id"].clone(), run["outputs"].clone())));
            token = next;
            if token.is_none() {
                break;
            }
        }
        for model in source.models(&id).await? {
            target.model(source, &model, &there).await?;
        }
        for (run, outputs) in &all {
            target.outputs(&text(run), outputs).await?;
        }
        target.moved.experiments += 1;
    }
    for model in source.registered().await? {
        let versions = source.versions(&text(&model["name"])).await?;
        target.registered(&model, versions).await?;
    }
    Ok(target.moved)
}

impl Target<'_> {
    async fn post(&self, path: &str, body: Value) -> Result<Value, Failed> {
        self.http.post(&format!("{API}/{path}"), &body).await
    }

    /// The first of what a search finds.
    async fn found(&self, path: &str, body: Value, list: &str) -> Result<Option<Value>, Failed> {
        let mut answer = self.post(path, body).await?;
        Ok(answer[list].get_mut(0).map(Value::take))
    }

    async fn experiment(&self, given: &Value) -> Result<String, Failed> {
        let name = text(&given["name"]);
        let filter = format!("name = '{}'", name.replace('\'', "''"));
        let body = json!({"filter": filter, "max_results": 1, "view_type": "ALL"});
        if let Some(found) = self.found("experiments/search", body, "experiments").await? {
            return Ok(text(&found["experiment_id"]));
        }
        let made = self.post("experiments/create", json!({"name": name, "tags": given["tags"]})).await?;
        Ok(text(&made["experiment_id"]))
    }

    async fn run(&mut self, source: &Source, given: &Value, experiment: &str) -> Result<(), Failed> {
        let (info, data) = (&given["info"], &given["data"]);
        let old = text(&info["run_id"]);
        let body = json!({"experiment_ids": [experiment], "filter": format!("tags.`{WAS}` = '{old}'"),
            "run_view_type": "ALL", "max_results": 1});
        let found = self.found("runs/search", body, "runs").await?;
        let tagged = |run: &Value| run["data"]["tags"].as_array().into_iter().flatten().any(|tag| tag["key"] == WHOLE);
        let whole = found.as_ref().is_some_and(tagged);
        let run = match found {
            Some(run) => run["info"].clone(),
            None => {
                let tags = json!([{"key": WAS, "value": old}]);
                let body = json!({"experiment_id": experiment, "user_id": info["user_id"], "run_name": info["run_name"],
                    "start_time": info["start_time"], "tags": tags});
                self.post("runs/create", body).await?["run"]["info"].clone()
            }
        };
        let (new, uri) = (text(&run["run_id"]), text(&run["artifact_uri"]));
        self.runs.insert(old.clone(), (new.clone(), uri.clone()));
        self.places.insert(text(&info["artifact_uri"]).trim_end_matches('/').to_owned(), uri.clone());
        if whole {
            self.moved.before += 1;
            return Ok(());
        }
        for (name, most) in [("params", 100), ("tags", 100)] {
            for some in list(&data[name]).chunks(most) {
                self.post("runs/log-batch", json!({"run_id": new, name: some})).await?;
            }
        }
        let mut sent = 0;
        for metric in list(&data["metrics"]) {
            let key = text(&metric["key"]);
            let mut token = None;
            loop {
                let (mut points, next) = source.history(&old, &key, token).await?;
                points.iter_mut().for_each(|point| point["key"] = key.as_str().into());
                sent += points.len();
                for some in points.chunks(POINTS) {
                    self.post("runs/log-batch", json!({"run_id": new, "metrics": some})).await?;
                }
                token = next;
                if token.is_none() {
                    break;
                }
            }
        }
        let datasets = list(&given["inputs"]["dataset_inputs"]);
        if !datasets.is_empty() {
            self.post("runs/log-inputs", json!({"run_id": new, "datasets": datasets})).await?;
        }
        self.files(source, &text(&info["artifact_uri"]), &uri).await?;
        self.check(&new, given, sent).await?;
        let body = json!({"run_id": new, "status": info["status"], "end_time": info["end_time"]});
        self.post("runs/update", body).await?;
        self.post("runs/set-tag", json!({"run_id": new, "key": WHOLE, "value": "true"})).await?;
        if info["lifecycle_stage"] == "deleted" {
            self.post("runs/delete", json!({"run_id": new})).await?;
        }
        self.moved.runs += 1;
        self.moved.points += sent as u64;
        Ok(())
    }

    /// Counts what has arrived of a run.
    async fn check(&self, new: &str, given: &Value, sent: usize) -> Result<(), Failed> {
        let there = self.http.get(&format!("{API}/runs/get"), &[("run_id", new)]).await?;
        let there = &there["run"]["data"];
        for name in ["params", "metrics"] {
            let (old, arrived) = (list(&given["data"][name]).len(), list(&there[name]).len());
            if old != arrived {
                return Err(Failed(format!("run {new}: {old} {name} were sent, and {arrived} arrived")));
            }
        }
        let mut points = 0;
        for metric in list(&there["metrics"]) {
            let query = [("run_id", new), ("metric_key", &text(&metric["key"]))];
            points += list(&self.http.get(&format!("{API}/metrics/get-history"), &query).await?["metrics"]).len();
        }
        if points == sent {
            return Ok(());
        }
        Err(Failed(format!("run {new}: {sent} metric points were sent, and {points} arrived")))
    }

    async fn files(&mut self, source: &Source, from: &str, to: &str) -> Result<(), Failed> {
        let Some(rest) = to.strip_prefix("mlflow-artifacts:") else {
            self.moved.elsewhere += 1;
            return Ok(());
        };
        let root = location::after_authority(rest).trim_matches('/').to_owned();
        let Some(folder) = source.files.folder(from).await else {
            self.moved.elsewhere += 1;
            return Ok(());
        };
        for (path, size) in folder.list().await? {
            let whole: Vec<String> = format!("{root}/{path}").split('/').map(encoded).collect();
            let body: Body = folder.open(&path).await?;
            self.http.put(&format!("/api/2.0/mlflow-artifacts/artifacts/{}", whole.join("/")), body).await?;
            self.moved.files += 1;
            self.moved.bytes += size;
        }
        Ok(())
    }

    async fn model(&mut self, source: &Source, given: &Value, experiment: &str) -> Result<(), Failed> {
        let (info, data) = (&given["info"], &given["data"]);
        let old = text(&info["model_id"]);
        let body =
            json!({"experiment_ids": [experiment], "filter": format!("tags.`{WAS}` = '{old}'"), "max_results": 1});
        let found = self.found("logged-models/search", body, "models").await?;
        let ready = found.as_ref().is_some_and(|model| model["info"]["status"] == "LOGGED_MODEL_READY");
        let made = match found {
            Some(model) => model["info"].clone(),
            None => {
                let mut tags = list(&info["tags"]).to_vec();
                tags.push(json!({"key": WAS, "value": old}));
                let run = self.runs.get(&text(&info["source_run_id"])).map(|(new, _)| new);
                let body = json!({"experiment_id": experiment, "name": info["name"], "model_type": info["model_type"],
                    "source_run_id": run, "params": data["params"], "tags": tags});
                self.post("logged-models", body).await?["model"]["info"].clone()
            }
        };
        let (new, uri) = (text(&made["model_id"]), text(&made["artifact_uri"]));
        self.models.insert(old, new.clone());
        self.places.insert(text(&info["artifact_uri"]).trim_end_matches('/').to_owned(), uri.clone());
        if !ready {
            self.files(source, &text(&info["artifact_uri"]), &uri).await?;
            let body = json!({"model_id": new, "status": info["status"]});
            self.http.send(Method::PATCH, &format!("{API}/logged-models/{new}"), &body).await?;
            self.moved.models += 1;
        }
        Ok(())
    }

    async fn outputs(&self, run: &str, outputs: &Value) -> Result<(), Failed> {
        let Some((new, _)) = self.runs.get(run).filter(|_| !list(&outputs["model_outputs"]).is_empty()) else {
            return Ok(());
        };
        // MLflow refuses what it has already.
        let there = self.http.get(&format!("{API}/runs/get"), &[("run_id", new)]).await?;
        let there = list(&there["run"]["outputs"]["model_outputs"]);
        let models = list(&outputs["model_outputs"]).iter().filter_map(|output| {
            let model = self.models.get(&text(&output["model_id"]))?;
            let new = !there.iter().any(|one| one["model_id"] == model.as_str());
            new.then(|| json!({"model_id": model, "step": number(&output["step"])}))
        });
        let models: Vec<Value> = models.collect();
        if models.is_empty() {
            return Ok(());
        }
        self.post("runs/outputs", json!({"run_id": new, "models": models})).await.map(drop)
    }

    async fn registered(&mut self, given: &Value, versions: Vec<Value>) -> Result<(), Failed> {
        let name = text(&given["name"]);
        (self.progress)(&format!("model {name}"));
        let path = format!("{API}/registered-models/get");
        if self.http.get(&path, &[("name", &name)]).await.is_err() {
            let body = json!({"name": name, "description": given["description"], "tags": given["tags"]});
            self.post("registered-models/create", body).await?;
        }
        for version in versions {
            let wanted = number(&version["version"]);
            let query = [("name", name.as_str()), ("version", &wanted.to_string())];
            if self.http.get(&format!("{API}/model-versions/get"), &query).await.is_ok() {
                continue;
            }
            // Numbers of versions that are gone are used up, so that the others keep theirs.
            loop {
                let source = self.source(&version);
                let model = source.strip_prefix("models:/").filter(|id| id.starts_with("m-"));
                let body = json!({"name": name, "source": source, "description": version["description"],
                    "run_id": self.runs.get(&text(&version["run_id"])).map(|(new, _)| new), "tags": version["tags"],
                    "model_id": model});
                let made = number(&self.post("model-versions/create", body).await?["model_version"]["version"]);
                if made >= wanted {
                    break;
                }
                let body = json!({"name": name, "version": made.to_string()});
                self.http.send(Method::DELETE, &format!("{API}/model-versions/delete"), &body).await?;
            }
            let stage = text(&version["current_stage"]);
            if !stage.is_empty() && stage != "None" {
                let body = json!({"name": name, "version": wanted.to_string(), "stage": stage,
                    "archive_existing_versions": false});
                self.post("model-versions/transition-stage", body).await?;
            }
            self.moved.versions += 1;
        }
        for alias in list(&given["aliases"]) {
            let body = json!({"name": name, "alias": alias["alias"], "version": text(&alias["version"])});
            self.post("registered-models/alias", body).await?;
        }
        Ok(())
    }

    /// Where the files of a version are on the other side.
    fn source(&self, version: &Value) -> String {
        let source = text(&version["source"]);
        if let Some(new) = source.strip_prefix("models:/").and_then(|id| self.models.get(id)) {
            return format!("models:/{new}");
        }
        if let Some((run, path)) = source.strip_prefix("runs:/").and_then(|rest| rest.split_once('/'))
            && let Some((_, uri)) = self.runs.get(run)
        {
            return format!("{}/{path}", uri.trim_end_matches('/'));
        }
        let moved =
            self.places.iter().find_map(|(from, to)| Some(format!("{to}{}", source.strip_prefix(from.as_str())?)));
        moved.unwrap_or(source)
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
