//! `beira infer`: one model without a store, from a file or following an alias, and how it ends.

use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{BEIRA, IRIS, Process, flower, module, wait};

#[test]
fn a_file_is_served_on_the_routes_of_beira_serve() {
    let folder = tempfile::tempdir().unwrap();
    let infer = Process::start(folder.path(), "infer", &["infer", "--model", IRIS]);
    assert_eq!(infer.post("/predict/iris", flower())["label"], 0);
    let (status, answer) = infer.ask("POST", "/predict/iris", Some(&json!({"X[0]": "secret", "X[1]": 1, "X[3]": 1})));
    assert_eq!(status, 422);
    let faults: Vec<String> =
        answer["detail"].as_array().unwrap().iter().map(|f| format!("{} {}", f["type"], f["loc"])).collect();
    assert_eq!(faults, [r#""float_type" ["body","X[0]"]"#, r#""missing" ["body","X[2]"]"#]);
    assert!(!answer.to_string().contains("secret"), "{answer}");

    let answer = infer.post("/invocations", json!({"instances": [flower()]}));
    assert_eq!(answer["predictions"][0]["label"], 0);
    let tensor = json!({"name": "X", "shape": [1, 4], "datatype": "FP32", "data": [5.1, 3.5, 1.4, 0.2]});
    assert_eq!(infer.post("/v2/models/iris/infer", json!({"inputs": [tensor]}))["outputs"][0]["data"], json!([0]));
    for path in ["/ping", "/health", "/version", "/docs", "/openapi.json", "/v2/health/live", "/v2/health/ready"] {
        assert_eq!(infer.ask("GET", path, None).0, 200, "{path}");
    }
    let (status, answer) = infer.ask("POST", "/predict/other", Some(&flower()));
    assert_eq!((status, &answer["detail"]), (404, &json!("This server answers for the model 'iris' alone.")));
    let metrics = infer.ask("GET", "/metrics", None).1;
    let metrics = metrics.as_str().unwrap();
    assert!(metrics.contains("model_predictions_total{model=\"iris\",version=\"\",origin=\"server\"} 3"), "{metrics}");
    assert!(metrics.contains("model_errors_total{model=\"iris\",version=\"\",origin=\"server\"} 1"), "{metrics}");
}

#[test]
fn the_alias_is_followed_without_a_failed_request_and_counters_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::serve(folder.path());
    let first = module(folder.path(), "a", &[]);
    let second = module(folder.path(), "b", &["--scalar"]);
    assert_eq!(server.register("iris", &first), "1");
    server.alias("iris", "1");
    let url = server.url();
    let arguments = ["infer", "--model", "models:/iris@champion", "--server", &url, "--telemetry", &url, "--poll", "1"];
    let mut infer = Process::start(folder.path(), "infer", &arguments);
    let version = |infer: &Process| infer.ask("GET", "/v2/models/iris", None).1["versions"][0].clone();
    assert_eq!(version(&infer), "1");

    let (failed, asked, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                asked.fetch_add(1, Ordering::SeqCst);
                let (status, _) = infer.ask("POST", "/predict/iris", Some(&flower()));
                failed.fetch_add(u64::from(status != 200), Ordering::SeqCst);
            }
        });
        assert_eq!(server.register("iris", &second), "2");
        server.alias("iris", "2");
        wait("the new version is live", || version(&infer) == "2");
        stop.store(true, Ordering::SeqCst);
    });
    assert_eq!(failed.load(Ordering::SeqCst), 0);

    let (status, _) = infer.terminate();
    assert!(status.success(), "{}", infer.log());
    let production = server.ask("GET", "/api/beira/models/iris/production?minutes=60", None).1;
    let totals = production["totals"].as_array().unwrap();
    let counted: u64 = totals.iter().map(|total| total["predictions"].as_u64().unwrap()).sum();
    assert_eq!(counted, asked.load(Ordering::SeqCst), "every prediction is counted once: {production}");
    assert!(totals.iter().all(|total| total["origin"] == "server" && total["host"] == "beira-infer"), "{totals:?}");
}

#[test]
fn sigterm_ends_it_in_time_and_says_what_could_not_be_sent() {
    let folder = tempfile::tempdir().unwrap();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap(); // accepts, never answers
    let url = format!("http://{}", silent.local_addr().unwrap());
    let mut infer = Process::start(folder.path(), "infer", &["infer", "--model", IRIS, "--telemetry", &url]);
    infer.post("/predict/iris", json!([flower(), flower()]));
    let (status, took) = infer.terminate();
    assert!(status.success(), "{}", infer.log());
    assert!(took < Duration::from_secs(8), "{took:?}: Cloud Run kills after 10 s");
    let log = infer.log();
    let line = log.lines().find(|line| line.contains("the last counters could not be sent")).expect(&log);
    let line: Value = serde_json::from_str(line).unwrap();
    assert!(line.to_string().contains("\"predictions\":2"), "{line}");
}

#[test]
fn what_is_refused_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let check = |arguments: &[&str], expected: &str| {
        let done = Command::new(BEIRA).arg("infer").args(arguments).env_remove("MLFLOW_TRACKING_URI").output().unwrap();
        let text = String::from_utf8_lossy(&done.stderr);
        assert!(!done.status.success() && text.contains(expected), "{arguments:?}: {text}");
    };
    check(&["--model", IRIS, "--host", "0.0.0.0"], "--auth none");
    check(&["--model", "models:/iris@champion"], "--server URL");
    check(&["--model", "models:/iris"], "models:/NAME@ALIAS");
    check(&["--model", "models:/iris@champion", "--server", "http://127.0.0.1:9"], "cannot be downloaded");
    let damaged = module(folder.path(), "damaged", &[]);
    let mut bytes = std::fs::read(&damaged).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&damaged, bytes).unwrap();
    check(&["--model", damaged.to_str().unwrap()], "the model damaged:");
}
