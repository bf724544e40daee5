//! Requests that a training left behind because the server was away: sent later, in order.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::{Owner, item, lock};
use crate::Error;
use crate::tracking::client::Answer;
use crate::tracking::{Client, now};

/// What was sent of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The run.
    pub run_id: String,
    /// Requests.
    pub requests: usize,
    /// Name, version and alias of the model that was registered.
    pub registered: Option<(String, String, String)>,
}

/// Sends what is kept in `folder`, one folder for each run, to the server of each run or to `server`.
/// What the server has taken is removed at once; on an error the rest stays.
pub fn sync(folder: &Path, server: Option<&str>) -> Result<Vec<Sent>, Error> {
    let wrong = |source| {
        let help = "; it is data/outbox in the pipeline's folder".to_owned();
        Error::File { action: "read", path: folder.to_owned(), source, help }
    };
    let mut runs = Vec::new();
    for entry in fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.join("run.json").is_file() {
            runs.push(path);
        }
    }
    runs.sort();
    runs.iter().map(|run| send(run, server)).collect()
}

fn send(folder: &Path, server: Option<&str>) -> Result<Sent, Error> {
    let wrong = |source| Error::File { action: "read", path: folder.to_owned(), source, help: String::new() };
    let file = folder.join("run.json");
    let _lock = lock(&file)?;
    let owner: Owner = serde_json::from_slice(&fs::read(&file).map_err(wrong)?)
        .map_err(|error| Error::data(file.display().to_string(), error.to_string()))?;
    let client = Client::new(server.unwrap_or(&owner.server))?;
    let mut numbers: Vec<u64> = Vec::new();
    for entry in fs::read_dir(folder).map_err(wrong)? {
        let name = entry.map_err(wrong)?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.strip_suffix(".json")?.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    let mut sent = Sent { run_id: owner.run_id.clone(), requests: 0, registered: None };
    for number in numbers {
        let registered = item::send(folder, number, &client, &owner.run_id)?;
        sent.registered = registered.map(|r| (r.name, r.version, r.alias)).or(sent.registered);
        item::remove(folder, number);
        sent.requests += 1;
    }
    end(&client, &owner.run_id)?;
    fs::remove_dir_all(folder).map_err(wrong)?;
    Ok(sent)
}

/// A run whose training was killed is still said to be running.
fn end(client: &Client, run_id: &str) -> Result<(), Error> {
    let path = "mlflow/runs/get";
    let Answer::Fine(run) = client.get(path, &[("run_id", run_id)])? else { return Ok(()) };
    if run.pointer("/run/info/status").and_then(serde_json::Value::as_str) == Some("RUNNING") {
        let body = json!({"run_id": run_id, "status": "KILLED", "end_time": now()});
        client.send("mlflow/runs/update", &body)?;
    }
    Ok(())
}
