//! MLflow's folder `mlruns` as a source: `meta.yaml` everywhere, a file for each parameter, tag and metric.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::source::{number, text};
use crate::housekeeping::Failed;

/// The folder.
pub struct Mlruns {
    root: PathBuf,
}

impl Mlruns {
    /// Opens it.
    pub fn open(root: &Path) -> Result<Mlruns, Failed> {
        let mlruns = Mlruns { root: root.to_owned() };
        if mlruns.experiment_folders().is_empty() {
            return Err(Failed(format!("{} holds no experiment (NUMBER/meta.yaml)", root.display())));
        }
        Ok(mlruns)
    }

    /// Folders of experiments; deleted ones lie in `.trash`.
    fn experiment_folders(&self) -> Vec<PathBuf> {
        let all = folders(&self.root).into_iter().chain(folders(&self.root.join(".trash")));
        let mut found: Vec<PathBuf> = all
            .filter(|folder| {
                name(folder).bytes().all(|byte| byte.is_ascii_digit()) && folder.join("meta.yaml").is_file()
            })
            .collect();
        found.sort_by_key(|folder| name(folder).parse::<u64>().unwrap_or(u64::MAX));
        found
    }

    fn experiment(&self, id: &str) -> Option<PathBuf> {
        self.experiment_folders().into_iter().find(|folder| name(folder) == id)
    }

    /// Experiments.
    pub fn experiments(&self) -> Result<Vec<Value>, Failed> {
        let mut experiments = Vec::new();
        for folder in self.experiment_folders() {
            let mut meta = yaml(&folder.join("meta.yaml"))?;
            meta["experiment_id"] = text(&meta["experiment_id"]).into();
            meta["tags"] = pairs(&folder.join("tags"))?;
            experiments.push(meta);
        }
        Ok(experiments)
    }

    /// Runs of an experiment.
    pub fn runs(&self, experiment: &str) -> Result<Vec<Value>, Failed> {
        const STATUS: [&str; 5] = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"];
        let mut runs = Vec::new();
        for folder in self.experiment(experiment).map(|folder| folders(&folder)).unwrap_or_default() {
            if !folder.join("meta.yaml").is_file() || !folder.join("params").is_dir() {
                continue; // `models`, `tags`
            }
            let meta = yaml(&folder.join("meta.yaml"))?;
            let status = usize::try_from(number(&meta["status"]) - 1).ok().and_then(|at| STATUS.get(at));
            let metrics: Vec<Value> =
                files(&folder.join("metrics")).into_iter().map(|(key, _)| json!({"key": key})).collect();
            let linked = |part: &str| -> Result<Vec<Value>, Failed> {
                let mut models = Vec::new();
                for entry in folders(&folder.join(part)) {
                    let meta = yaml(&entry.join("meta.yaml"))?;
                    if text(&meta["destination_type"]).starts_with("MODEL") {
                        models.push(json!({"model_id": meta["destination_id"], "step": number(&meta["step"])}));
                    }
                }
                Ok(models)
            };
            runs.push(json!({
                "info": {
                    "run_id": meta["run_id"], "run_name": meta["run_name"], "user_id": meta["user_id"],
                    "status": status.unwrap_or(&"FINISHED"), "start_time": meta["start_time"], "end_time": meta["end_time"],
                    "lifecycle_stage": meta["lifecycle_stage"],
                    "artifact_uri": folder.join("artifacts").to_string_lossy(),
                },
                "data": {"params": pairs(&folder.join("params"))?, "tags": pairs(&folder.join("tags"))?, "metrics": metrics},
                "inputs": {"dataset_inputs": self.datasets(experiment, &folder)?, "model_inputs": linked("inputs")?},
                "outputs": {"model_outputs": linked("outputs")?},
            }));
        }
        Ok(runs)
    }

    fn datasets(&self, experiment: &str, run: &Path) -> Result<Vec<Value>, Failed> {
        let mut inputs = Vec::new();
        for entry in folders(&run.join("inputs")) {
            let meta = yaml(&entry.join("meta.yaml"))?;
            if meta["source_type"] != "DATASET" {
                continue;
            }
            let of = self.experiment(experiment).unwrap_or_default().join("datasets").join(text(&meta["source_id"]));
            let dataset = yaml(&of.join("meta.yaml"))?;
            let tags = meta["tags"].as_object().cloned().unwrap_or_default();
            let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({"key": key, "value": text(value)})).collect();
            inputs.push(json!({"tags": tags, "dataset": dataset}));
        }
        Ok(inputs)
    }

    /// All points of a metric, each once: `timestamp value step` in a line.
    pub fn history(&self, run: &str, key: &str) -> Result<Vec<Value>, Failed> {
        let folders = self.experiment_folders();
        let file = folders.iter().map(|folder| folder.join(run).join("metrics").join(key)).find(|file| file.is_file());
        let file = file.ok_or_else(|| Failed(format!("run {run}: the metric {key} is not there any more")))?;
        let (mut points, mut seen) = (Vec::new(), HashSet::new());
        for line in fs::read_to_string(&file)?.lines().filter(|line| !line.trim().is_empty()) {
            let mut parts = line.split_whitespace();
            let (timestamp, value, step) = (parts.next(), parts.next(), parts.next().unwrap_or("0"));
            let read = || {
                let value: f64 = value?.parse().ok()?;
                Some((timestamp?.parse::<i64>().ok()?, value, step.parse::<i64>().ok()?))
            };
            let (timestamp, value, step) =
                read().ok_or_else(|| Failed(format!("{}: `{line}` is no point", file.display())))?;
            let value = value.clamp(f64::MIN, f64::MAX); // infinities are the greatest numbers, as MLflow keeps them
            if seen.insert((timestamp, value.to_bits(), step)) {
                let value = if value.is_nan() { json!("NaN") } else { json!(value) };
                points.push(json!({"timestamp": timestamp, "value": value, "step": step}));
            }
        }
        Ok(points)
    }

    /// Logged models of an experiment.
    pub fn models(&self, experiment: &str) -> Result<Vec<Value>, Failed> {
        const STATUS: [&str; 4] = ["", "LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"];
        let mut models = Vec::new();
        let of = self.experiment(experiment).map(|folder| folders(&folder.join("models"))).unwrap_or_default();
        for folder in of {
            let meta = yaml(&folder.join("meta.yaml"))?;
            let status = usize::try_from(number(&meta["status"])).ok().and_then(|at| STATUS.get(at));
            models.push(json!({
                "info": {
                    "model_id": meta["model_id"], "name": meta["name"], "artifact_uri": folder.join("artifacts").to_string_lossy(),
                    "creation_timestamp_ms": meta["creation_timestamp"], "last_updated_timestamp_ms": meta["last_updated_timestamp"],
                    "status": status.unwrap_or(&"LOGGED_MODEL_READY"), "model_type": meta["model_type"],
                    "source_run_id": meta["source_run_id"], "tags": pairs(&folder.join("tags"))?,
                },
                "data": {"params": pairs(&folder.join("params"))?},
            }));
        }
        Ok(models)
    }

    /// Registered models.
    pub fn registered(&self) -> Result<Vec<Value>, Failed> {
        let mut models = Vec::new();
        for folder in folders(&self.root.join("models")).into_iter().filter(|folder| folder.join("meta.yaml").is_file())
        {
            let meta = yaml(&folder.join("meta.yaml"))?;
            let aliases: Vec<Value> = files(&folder.join("aliases"))
                .into_iter()
                .map(|(alias, file)| json!({"alias": alias, "version": fs::read_to_string(file).unwrap_or_default().trim()}))
                .collect();
            models.push(json!({
                "name": meta["name"], "creation_timestamp": meta["creation_timestamp"],
                "last_updated_timestamp": meta["last_updated_timestamp"], "description": meta["description"],
                "tags": pairs(&folder.join("tags"))?, "aliases": aliases,
            }));
        }
        Ok(models)
    }

    /// Versions of one.
    pub fn versions(&self, model: &str) -> Result<Vec<Value>, Failed> {
        let mut versions = Vec::new();
        let folder = folders(&self.root.join("models"))
            .into_iter()
            .find(|folder| yaml(&folder.join("meta.yaml")).is_ok_and(|meta| meta["name"] == model));
        for folder in folder.map(|folder| folders(&folder)).unwrap_or_default() {
            if name(&folder).starts_with("version-") {
                let mut meta = yaml(&folder.join("meta.yaml"))?;
                if meta["current_stage"] == "Deleted_Internal" {
                    continue;
                }
                meta["tags"] = pairs(&folder.join("tags"))?;
                versions.push(meta);
            }
        }
        Ok(versions)
    }
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort();
    found
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.is_dir()).collect()
}

/// Files here and below, by their path from here: names with a slash are folders.
fn files(folder: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    for path in entries(folder) {
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(rest, file)| (format!("{}/{rest}", name(&path)), file)));
        } else {
            found.push((name(&path), path));
        }
    }
    found
}

fn pairs(folder: &Path) -> Result<Value, Failed> {
    let mut pairs = Vec::new();
    for (key, file) in files(folder) {
        pairs.push(json!({"key": key, "value": fs::read_to_string(file)?}));
    }
    Ok(pairs.into())
}

fn yaml(file: &Path) -> Result<Value, Failed> {
    let text = fs::read_to_string(file).map_err(|error| Failed(format!("{}: {error}", file.display())))?;
    serde_norway::from_str(&text).map_err(|error| Failed(format!("{}: {error}", file.display())))
}
