//! A real server, and commands run in a folder.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub const BEIRA: &str = env!("CARGO_BIN_EXE_beira");

/// `beira serve` on a port of its own, with its state in a folder; killed when dropped.
pub struct Server {
    child: Child,
    pub port: u16,
}

impl Server {
    pub fn start(state: &Path) -> Server {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Server::start_at(state, port)
    }

    /// On the port of one that is gone.
    pub fn start_at(state: &Path, port: u16) -> Server {
        std::fs::create_dir_all(state).unwrap();
        let child = Command::new(BEIRA)
            .args(["serve", "--port", &port.to_string(), "--db", "beira.db", "--artifacts", "artifacts"])
            .current_dir(state)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Server { child, port };
        until("the server listens", || server.get("/version").is_some());
        server
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// SIGKILL: what is not acknowledged is lost.
    pub fn kill(mut self) -> u16 {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.port
    }

    pub fn get(&self, path: &str) -> Option<String> {
        let mut answer = ureq::get(format!("{}{path}", self.url())).call().ok()?;
        answer.body_mut().read_to_string().ok()
    }

    pub fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.get(path).unwrap_or_else(|| panic!("no answer to {path}"))).unwrap()
    }

    /// The only run of the experiment.
    pub fn run(&self, experiment: &str) -> Value {
        let path = format!("/api/2.0/mlflow/experiments/get-by-name?experiment_name={experiment}");
        let id = self.json(&path)["experiment"]["experiment_id"].as_str().unwrap().to_owned();
        let body = serde_json::json!({ "experiment_ids": [id] });
        let mut answer = ureq::post(format!("{}/api/2.0/mlflow/runs/search", self.url())).send_json(&body).unwrap();
        let found: Value = answer.body_mut().read_json().unwrap();
        assert_eq!(found["runs"].as_array().map(Vec::len), Some(1), "{found}");
        found["runs"][0].clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Waits up to a minute.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Runs `beira`; no credentials and no address come from the tester's own environment.
pub fn beira(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    command(folder, arguments, variables).output().unwrap()
}

pub fn command(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(BEIRA);
    for name in ["KAGGLE_USERNAME", "KAGGLE_KEY", "MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN"] {
        command.env_remove(name);
    }
    command.env("KAGGLE_CONFIG_DIR", folder).args(arguments).current_dir(folder).envs(variables.iter().copied());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
