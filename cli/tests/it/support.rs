//! Processes of `beira`, models for them, and the few HTTP words one needs.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Scaler and logistic regression, by skl2onnx: input `X` `[N, 4]`, outputs `label` and `probabilities`.
pub const IRIS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../server/tests/it/iris.onnx");
pub const BEIRA: &str = env!("CARGO_BIN_EXE_beira");

/// A process on a port of its own, ended with the test.
pub struct Process {
    child: Child,
    pub port: u16,
    log: PathBuf,
}

impl Process {
    /// Starts `beira ARGUMENTS --port …` and waits until `/health` answers.
    pub fn start(folder: &Path, name: &str, arguments: &[&str]) -> Process {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = folder.join(format!("{name}.log"));
        let child = Command::new(BEIRA)
            .args(arguments)
            .args(["--port", &port.to_string()])
            .stderr(std::fs::File::create(&log).unwrap())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut process = Process { child, port, log };
        let start = Instant::now();
        while process.ask("GET", "/health", None).0 != 200 {
            assert!(process.child.try_wait().unwrap().is_none(), "{name} ended: {}", process.log());
            assert!(start.elapsed() < Duration::from_secs(30), "{name} does not answer: {}", process.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        process
    }

    /// A `beira serve` with its state in `folder`.
    pub fn serve(folder: &Path) -> Process {
        let (db, artifacts) = (folder.join("beira.db"), folder.join("artifacts"));
        let paths = ["--db", db.to_str().unwrap(), "--artifacts", artifacts.to_str().unwrap()];
        Process::start(folder, "serve", &[&["serve"], &paths[..]].concat())
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Status and body; status 0 when nobody answers.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let url = format!("{}{path}", self.url());
        let answer = match body {
            None => agent.get(url).call(),
            Some(body) if method == "PUT" => agent.put(url).send(std::fs::read(body.as_str().unwrap()).unwrap()),
            Some(body) => agent.post(url).send_json(body),
        };
        let Ok(mut answer) = answer else { return (0, Value::Null) };
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// POST that must succeed.
    pub fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask("POST", path, Some(&body));
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// Registers `module` as the next version of `name`, and waits until it is compiled.
    pub fn register(&self, name: &str, module: &Path) -> String {
        let folder = format!("models/{}", module.file_stem().unwrap().to_str().unwrap());
        let path = format!("/api/2.0/mlflow-artifacts/artifacts/{folder}/model.wasm");
        assert_eq!(self.ask("PUT", &path, Some(&json!(module.to_str().unwrap()))).0, 200);
        self.ask("POST", "/api/2.0/mlflow/registered-models/create", Some(&json!({"name": name})));
        let version = json!({"name": name, "source": format!("mlflow-artifacts:/{folder}")});
        let version = self.post("/api/2.0/mlflow/model-versions/create", version);
        let version = version["model_version"]["version"].as_str().unwrap().to_owned();
        wait("the module is there", || self.ask("GET", &format!("/modules/{name}/{version}"), None).0 == 200);
        version
    }

    pub fn alias(&self, name: &str, version: &str) {
        let alias = json!({"name": name, "alias": "champion", "version": version});
        self.post("/api/2.0/mlflow/registered-models/alias", alias);
    }

    /// SIGTERM; how it ended and after how long.
    pub fn terminate(&mut self) -> (ExitStatus, Duration) {
        let start = Instant::now();
        assert!(Command::new("kill").arg(self.id().to_string()).status().unwrap().success());
        (self.child.wait().unwrap(), start.elapsed())
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Waits until `is` holds.
pub fn wait(what: &str, is: impl Fn() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < Duration::from_secs(30), "it did not happen within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The iris model as `NAME.wasm`; `options` make other bytes of it.
pub fn module(folder: &Path, name: &str, options: &[&str]) -> PathBuf {
    let path = folder.join(format!("{name}.wasm"));
    let done = Command::new(BEIRA).args(["compile", IRIS, "-o"]).arg(&path).args(options).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    path
}

pub fn flower() -> Value {
    json!({"X[0]": 5.1, "X[1]": 3.5, "X[2]": 1.4, "X[3]": 0.2})
}
