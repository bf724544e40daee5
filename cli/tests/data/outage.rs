//! The server dies while a model is trained. Nothing of the run is lost or doubled.

use std::path::Path;

use serde_json::Value;

use crate::support::{Server, beira, command, stderr, until};

const ROUNDS: usize = 1500;

/// A pipeline that takes some seconds and logs two points a round.
fn example(folder: &Path) {
    assert!(beira(folder, &["init", "--example", "mixed", "."], &[]).status.success());
    let pipeline = std::fs::read_to_string(folder.join("pipeline.yaml")).unwrap();
    let learners = format!("learners: {{boosting: {{rounds: {ROUNDS}, learning_rate: 0.001, patience: {ROUNDS}}}}}\n");
    let pipeline = format!("{}{learners}", &pipeline[..pipeline.find("learners:").unwrap()]);
    std::fs::write(folder.join("pipeline.yaml"), pipeline).unwrap();
}

fn kept(folder: &Path) -> usize {
    let files = std::fs::read_dir(folder.join("data/outbox")).into_iter().flatten().flatten();
    files.flat_map(|run| std::fs::read_dir(run.path()).into_iter().flatten()).count()
}

/// Everything of the run is there once.
fn check(server: &Server) {
    let run = server.run("churn");
    let id = run["info"]["run_id"].as_str().unwrap();
    assert_eq!(run["info"]["status"], "FINISHED");
    let points = |key: &str| -> Vec<u64> {
        let path = format!("/api/2.0/mlflow/metrics/get-history?run_id={id}&metric_key={key}&max_results=25000");
        let history = server.json(&path);
        history["metrics"].as_array().unwrap().iter().map(|point| point["step"].as_u64().unwrap()).collect()
    };
    for key in ["boosting.train_log_loss", "boosting.validation_log_loss"] {
        let mut steps = points(key);
        steps.sort_unstable();
        assert!(steps.iter().copied().eq(0..ROUNDS as u64), "{key}: {} points", steps.len());
    }
    let artifact = |path: &str| server.get(&format!("/get-artifact?run_uuid={id}&path={path}"));
    let count = |path: &str| serde_json::from_str::<Value>(&artifact(path).unwrap()).unwrap().as_array().unwrap().len();
    assert_eq!(count("heldout/records.json"), count("heldout/labels.json"));
    for path in ["reports/data.md", "data/lineage.json", "plots/roc.svg", "model/MLmodel"] {
        assert!(artifact(path).is_some_and(|text| !text.is_empty()), "{path}");
    }
    let versions = server.json("/api/2.0/mlflow/model-versions/search");
    let versions = versions["model_versions"].as_array().unwrap();
    assert_eq!(versions.len(), 1, "{versions:?}");
    assert_eq!((versions[0]["version"].as_str(), versions[0]["run_id"].as_str()), (Some("1"), Some(id)));
}

/// Trains, and kills the server when points have arrived.
fn killed_in_the_middle(folder: &Path, state: &Path, patience: &str) -> (std::process::Child, u16) {
    example(folder);
    let server = Server::start(state);
    let arguments = ["train", "pipeline.yaml", "--json", "--server", &server.url(), "--patience", patience];
    let training = command(folder, &arguments, &[]).spawn().unwrap();
    until("points arrive", || {
        server.get("/api/2.0/mlflow/experiments/get-by-name?experiment_name=churn").is_some()
            && !server.run("churn")["data"]["metrics"].is_null()
    });
    (training, server.kill())
}

#[test]
fn a_server_that_comes_back_is_told_all() {
    let folder = tempfile::tempdir().unwrap();
    let (work, state) = (folder.path().join("work"), folder.path().join("state"));
    std::fs::create_dir(&work).unwrap();
    let (training, port) = killed_in_the_middle(&work, &state, "60");
    until("requests are kept", || kept(&work) > 5);
    let server = Server::start_at(&state, port);
    let output = training.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((outcome["model_name"].as_str(), outcome["version"].as_str()), (Some("churn"), Some("1")));
    check(&server);
    assert_eq!(kept(&work), 0);
}

#[test]
fn a_server_that_stays_away_is_told_later() {
    let folder = tempfile::tempdir().unwrap();
    let (work, state) = (folder.path().join("work"), folder.path().join("state"));
    std::fs::create_dir(&work).unwrap();
    let (training, port) = killed_in_the_middle(&work, &state, "1");
    let output = training.wait_with_output().unwrap();
    assert!(!output.status.success());
    let said = stderr(&output);
    assert!(said.contains("requests are kept in order; `beira sync data/outbox` sends them"), "{said}");
    let before = kept(&work);
    // Still away: nothing of it is touched.
    let output = beira(&work, &["sync", "data/outbox"], &[]);
    assert!(!output.status.success() && stderr(&output).contains("no answer from"), "{}", stderr(&output));
    assert_eq!(kept(&work), before);
    let server = Server::start_at(&state, port);
    let output = beira(&work, &["sync", "data/outbox"], &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("churn version 1 is registered as champion"), "{said}");
    check(&server);
    assert_eq!(kept(&work), 0);
}
