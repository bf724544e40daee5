//! A model in production whose inputs change: drift, late labels, the alarm, who is told, what is exported.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use beira_server::observe::google;
use beira_server::observe::otlp::Otlp;
use beira_server::{Secret, Sustained, Watch, Webhook};
use contract::profile::{Bins, HeldOut, Profile, Reference, Score};
use host_native::{Batch, Module, count, seal};
use monitoring::hmac::hmac_sha256;
use serde_json::{Value, json};

use crate::database::on_both;
use crate::support::TestServer;

on_both! {
    labels_find_their_predictions
    a_shift_fires_labels_confirm_and_rolling_back_ends_it
    metrics_and_spans_reach_a_collector
}

/// Scaler and logistic regression over three classes: input `X` `[N, 4]`, outputs `label` and `probabilities`.
const IRIS: &[u8] = include_bytes!("iris.onnx");
const NAMES: [&str; 4] = ["X[0]", "X[1]", "X[2]", "X[3]"];

/// Numbers in 0..1 (Knuth's MMIX constants).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Flowers as the training data has them.
    fn flowers(&mut self, rows: usize) -> Vec<[f32; 4]> {
        let low_high = [(4.3, 7.9), (2.0, 4.4), (1.0, 6.9), (0.1, 2.5)];
        (0..rows).map(|_| low_high.map(|(low, high)| (low + (high - low) * self.next()) as f32)).collect()
    }
}

/// The module with a profile of 2,000 such flowers.
fn sealed() -> Vec<u8> {
    let compiled = inference_wasm::compile(IRIS, &inference_wasm::Options::default()).unwrap();
    let module = Module::load(&compiled.wasm).unwrap();
    let rows = Random(1).flowers(2000);
    let region = rows.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
    let batch = Batch { rows: rows.len(), inputs: vec![region] };
    let outputs = module.run(&batch).unwrap();
    let column = |i: usize| rows.iter().map(|row| row[i]).collect::<Vec<_>>();
    let features = NAMES.iter().enumerate().map(|(i, name)| Reference {
        name: (*name).to_owned(),
        bins: monitoring::reference::quantile_edges(&column(i), 10),
        counts: Vec::new(),
        missing: 0,
    });
    let score = Score {
        output: "probabilities".to_owned(),
        element: None,
        bins: Bins::Edges((1..10).map(|i| f64::from(i) / 10.0).collect()),
        counts: Vec::new(),
        held_out: None,
    };
    let mut profile = Profile { rows: 2000, features: features.collect(), score: Some(score), ..Default::default() };
    let mut counters = monitoring::count::empty(Some(&profile));
    count::count(module.manifest(), &profile, &batch, &outputs, &mut counters);
    profile.features.iter_mut().zip(counters.features).for_each(|(feature, counted)| feature.counts = counted.counts);
    if let Some(score) = &mut profile.score {
        // Nine in ten answers are right, wherever the score lies.
        score.held_out = Some(HeldOut::Hits(counters.score.iter().map(|rows| rows * 9 / 10).collect()));
        score.counts = counters.score;
    }
    profile.edges_sha256 = monitoring::reference::edges_sha256(&profile);
    let golden = seal::pseudo_rows(module.manifest(), 3);
    seal::seal(&compiled.wasm, &golden, Some(profile)).unwrap()
}

/// A server with `iris` version 1, champion, from a run.
async fn serving(change: impl FnOnce(&mut beira_server::Config)) -> (TestServer, String) {
    let server = TestServer::with(tempfile::tempdir().unwrap(), change).await;
    let run = server.post("/api/2.0/mlflow/runs/create", json!({"experiment_id": "0"})).await;
    let run = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    for (file, bytes) in [("model.onnx", IRIS.to_vec()), ("model.wasm", sealed())] {
        let path = format!("/api/2.0/mlflow-artifacts/artifacts/models/iris/{file}");
        assert_eq!(server.put(&path, bytes).await, StatusCode::OK);
    }
    server.post("/api/2.0/mlflow/registered-models/create", json!({"name": "iris"})).await;
    let version = json!({"name": "iris", "source": "mlflow-artifacts:/models/iris", "run_id": run});
    server.post("/api/2.0/mlflow/model-versions/create", version).await;
    for i in 0.. {
        let model = server.get("/api/beira/models/iris").await;
        if model["versions"][0]["error"] != "compiling" {
            assert_eq!(model["versions"][0]["error"], Value::Null);
            break;
        }
        assert!(i < 600, "not compiled within 30 s");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let alias = json!({"name": "iris", "alias": "champion", "version": "1"});
    server.post("/api/2.0/mlflow/registered-models/alias", alias).await;
    (server, run)
}

fn records(rows: &[[f32; 4]]) -> Value {
    rows.iter()
        .map(|row| NAMES.iter().zip(row).map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<Value>())
        .collect()
}

/// Asks until `done` says so.
async fn until(server: &TestServer, path: &str, done: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..300 {
        let answer = server.get(path).await;
        if done(&answer) {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not within 30 s: {}", server.get(path).await);
}

const PRODUCTION: &str = "/api/beira/models/iris/production";

async fn labels_find_their_predictions() {
    let (server, _) = serving(|_| ()).await;
    let rows = records(&Random(5).flowers(60));
    let plain = server.post("/predict/iris", rows.clone()).await;
    let answers = server.post("/predict/iris?ids=1", rows).await;
    let mut without = answers.clone();
    let ids: Vec<Value> = without
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .map(|row| row.as_object_mut().unwrap().remove("prediction_id").unwrap())
        .collect();
    assert_eq!(without, plain);
    let tensor = json!({"name": "X", "shape": [1, 4], "datatype": "FP32", "data": [5.1, 3.5, 1.4, 0.2]});
    let infer = server.post("/v2/models/iris/infer?ids=1", json!({"inputs": [tensor]})).await;
    assert_eq!(infer["outputs"][2]["name"], "prediction_id");

    // Right for 45 of 60: the class with the greatest probability.
    let label = |i: usize| (answers[i]["label"].as_i64().unwrap() + i64::from(i.is_multiple_of(4))) % 3;
    let labels: Vec<Value> = (0..60).map(|i| json!({"id": ids[i], "label": label(i)})).collect();
    let send = json!({"model": "iris", "labels": labels});
    let told = server.post("/telemetry/labels", send.clone()).await;
    assert_eq!(told, json!({"counted": 60, "duplicates": 0}));
    assert_eq!(server.post("/telemetry/labels", send).await, json!({"counted": 0, "duplicates": 60}));
    let production = server.get(PRODUCTION).await;
    let day = &production["realised"][0];
    assert_eq!((&day["version"], &day["browser"]), (&json!("1"), &json!(false)));
    let accuracy = &day["performance"]["metrics"][0];
    assert_eq!((&accuracy["name"], &accuracy["value"]), (&json!("accuracy"), &json!(0.75)));
    assert!((accuracy["reference"].as_f64().unwrap() - 0.9).abs() < 0.01, "{accuracy}");
    assert_eq!(accuracy["state"], "degraded");

    // One bad label, and none is counted; every fault is said.
    let id = ids[0].as_str().unwrap();
    let forged = format!("{}{}", &id[..60], "0".repeat(id.len() - 60));
    let unsigned = format!("{:02x}{}", 0x21, &id[2..50]); // as a server without a key would write it
    let other = format!("{}{}{}", &unsigned[..2], "00".repeat(8), &unsigned[18..]);
    let bad = json!({"labels": [
        {"id": "nonsense", "label": 0},
        {"id": forged, "label": 0},
        {"id": other, "label": 0},
        {"id": id, "label": 7},
        {"id": id, "label": null},
        {"id": unsigned, "label": 0},
    ]});
    let (status, answer) = server.ask(Method::POST, "/telemetry/labels", &bad.to_string()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let faults: Vec<String> =
        answer["detail"].as_array().unwrap().iter().map(|f| format!("{} {}", f["loc"], f["type"])).collect();
    assert_eq!(
        faults,
        [
            r#"["body","labels",0,"id"] "prediction_id""#,
            r#"["body","labels",1,"id"] "prediction_id_forged""#,
            r#"["body","labels",2,"id"] "prediction_id_module""#,
            r#"["body","labels",3,"label"] "enum""#,
            r#"["body","labels",4,"label"] "enum""#,
        ]
    );
    for (body, kind) in
        [("{", "json_invalid"), (r#"{"labels": 3}"#, "json_invalid"), (r#"{"labels": [], "x": 1}"#, "json_invalid")]
    {
        let (status, answer) = server.ask(Method::POST, "/telemetry/labels", body).await;
        assert_eq!((status, &answer["detail"][0]["type"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(kind)), "{body}");
    }
    // An unsigned id could be anyone's: it stands apart.
    let told = server.post("/telemetry/labels", json!({"labels": [{"id": unsigned, "label": "0"}]})).await;
    assert_eq!(told, json!({"counted": 0, "duplicates": 1}), "its nonce was counted already");
    let fresh = format!("{}{}", &unsigned[..34], "ab".repeat(8));
    let told = server.post("/telemetry/labels", json!({"labels": [{"id": fresh, "label": "0"}]})).await;
    assert_eq!(told["counted"], 1);
    let production = server.get(PRODUCTION).await;
    let apart = production["realised"].as_array().unwrap().iter().find(|day| day["browser"] == true).unwrap();
    assert_eq!(apart["performance"]["rows"], 1);
}

/// What a receiver of webhooks got: headers and body.
type Received = Arc<Mutex<Vec<(HeaderMap, String)>>>;

/// A server on a free port that keeps what is posted; the first `failures` times it answers 500.
async fn receiver(failures: usize) -> (String, Received) {
    let received = Received::default();
    let kept = received.clone();
    let take = move |headers: HeaderMap, body: Bytes| async move {
        let mut all = kept.lock().unwrap();
        all.push((headers, String::from_utf8(body.to_vec()).unwrap()));
        if all.len() <= failures { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
    };
    let router = Router::new().route("/{*path}", post(take));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, received)
}

async fn a_shift_fires_labels_confirm_and_rolling_back_ends_it() {
    let (address, received) = receiver(1).await;
    let webhook = Webhook::new(&format!("{address}/hook"), "a secret").unwrap();
    let (server, run) = serving(|config| {
        config.watch = Watch {
            every: Duration::from_millis(200),
            window: Duration::from_secs(60),
            sustained: Sustained { k: 1, n: 1 },
            webhook: Some(webhook),
            ..Watch::default()
        };
        config.prediction_key = Some(Secret("shared with the edge".to_owned()));
    })
    .await;
    let mut random = Random(9);
    server.post("/predict/iris", records(&random.flowers(600))).await;
    let quiet = until(&server, PRODUCTION, |answer| answer["alarms"][0]["state"] == "ok").await;
    assert_eq!(quiet["alarms"][0]["features"][0]["state"], "ok");

    // Petals grow: the third feature alone.
    let mut ids = Vec::new();
    for _ in 0..3 {
        let mut rows = random.flowers(800);
        rows.iter_mut().for_each(|row| row[2] = 6.0 + row[2] / 7.0);
        let answers = server.post("/predict/iris?ids=1", records(&rows)).await;
        ids.extend(
            answers
                .as_array()
                .unwrap()
                .iter()
                .map(|row| (row["prediction_id"].clone(), row["label"].as_i64().unwrap())),
        );
    }
    let firing = until(&server, PRODUCTION, |answer| answer["alarms"][0]["state"] == "firing").await;
    let alarm = &firing["alarms"][0];
    assert_eq!(alarm["features"][0]["name"], "X[2]", "{alarm}");
    assert_eq!((&alarm["causes"][0], &alarm["trusted"]), (&json!("drift:X[2]"), &json!(true)));
    assert_eq!((&alarm["model"], &alarm["version"], &alarm["run_id"]), (&json!("iris"), &json!("1"), &json!(run)));

    // Half of the answers turn out wrong.
    let labels: Vec<Value> =
        ids.iter().enumerate().map(|(i, (id, class))| json!({"id": id, "label": (class + i as i64 % 2) % 3})).collect();
    assert_eq!(server.post("/telemetry/labels", json!({"labels": labels})).await["counted"], 2400);
    let confirmed =
        |answer: &Value| answer["alarms"][0]["causes"].as_array().unwrap().contains(&json!("realised:accuracy"));
    until(&server, PRODUCTION, confirmed).await;

    let delivered = |events: usize| {
        let received = received.clone();
        async move {
            for _ in 0..300 {
                if received.lock().unwrap().len() > events {
                    return received.lock().unwrap().clone();
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            panic!("not told within 30 s");
        }
    };
    let told = delivered(2).await; // firing, refused once, and confirmed
    let notices: Vec<Value> = told.iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    let events: Vec<&Value> = notices.iter().map(|notice| &notice["event"]).collect();
    assert_eq!(events, ["firing", "firing", "confirmed"]);
    assert_eq!(notices[0]["id"], notices[1]["id"], "the same notice, sent again");
    assert_eq!(notices[0]["features"][0]["name"], "X[2]");
    for (headers, body) in &told {
        let header = |name: &str| headers[name].to_str().unwrap();
        let signed = format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp"));
        let expected = STANDARD.encode(hmac_sha256(b"a secret", &[signed.as_bytes()]));
        assert_eq!(header("webhook-signature"), format!("v1,{expected}"));
        assert_eq!(header("idempotency-key"), header("webhook-id"));
        assert!(headers.contains_key("traceparent"));
    }

    // The run knows it, and so do the exporters.
    let run = server.get(&format!("/api/2.0/mlflow/runs/get?run_id={run}")).await;
    let metrics = run["run"]["data"]["metrics"].as_array().unwrap();
    let value =
        |key: &str| metrics.iter().find(|metric| metric["key"] == key).map(|metric| metric["value"].as_f64().unwrap());
    assert!(value("production/psi/X_2_").unwrap() > 1.0, "{metrics:?}");
    assert!((value("production/realised_accuracy").unwrap() - 0.5).abs() < 0.01);
    assert_eq!(value("production/alarm"), Some(3.0));
    let text = server.get("/metrics").await;
    for line in [
        r#"model_alarm_state{model="iris",version="1",trusted="true"} 3"#,
        r#"model_drift_psi{model="iris",version="1",feature="X[2]"} "#,
        r#"model_performance{model="iris",version="1",metric="accuracy",kind="realised"} 0.5"#,
        r#"model_performance{model="iris",version="1",metric="accuracy",kind="reference"} 0.89"#,
    ] {
        assert!(text.as_str().unwrap().contains(line), "{line} is not in {text}");
    }
    every_metric_of_the_dashboards_is_exported(text.as_str().unwrap());

    // Rolled back: what the version did is over at the next look.
    let version = json!({"name": "iris", "source": "mlflow-artifacts:/models/iris"});
    server.post("/api/2.0/mlflow/model-versions/create", version).await;
    let alias = json!({"name": "iris", "alias": "champion", "version": "2"});
    server.post("/api/2.0/mlflow/registered-models/alias", alias).await;
    let first = |answer: &Value| {
        let alarms = answer["alarms"].as_array().unwrap();
        alarms.iter().find(|alarm| alarm["version"] == "1").unwrap()["state"].clone()
    };
    let over = until(&server, PRODUCTION, |answer| first(answer) == "no_data").await;
    let texts: Vec<&str> = over["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["kind"] == "alarm")
        .map(|event| event["text"].as_str().unwrap().split(", ").next().unwrap())
        .collect();
    assert_eq!(texts, ["alarm: drift of X[2]", "alarm confirmed by labels: drift of X[2]", "alarm resolved"]);
    assert!(delivered(3).await.last().unwrap().1.contains(r#""event":"resolved""#));
}

/// Every word of a query that is followed by `{`, `[` or stands where a metric stands is a series of `/metrics`.
fn every_metric_of_the_dashboards_is_exported(metrics: &str) {
    let words = |text: &str| -> Vec<String> {
        let quoted = text.split('"').step_by(2).collect::<Vec<_>>().join(" ");
        let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        quoted
            .split(|c| !name(c))
            .filter(|word| word.starts_with("model_") || word.starts_with("http_server") || word.starts_with("beira_"))
            .map(str::to_owned)
            .collect()
    };
    let mut asked = 0;
    for query in google::queries() {
        let names = words(&query);
        assert!(!names.is_empty(), "no metric in {query}");
        for name in names {
            asked += 1;
            let series = [format!("\n{name}{{"), format!("\n{name} ")];
            assert!(series.iter().any(|series| metrics.contains(series)), "{name} of {query} is not exported");
        }
    }
    assert!(asked > 15);
    let files = google::files(Some("shop"));
    assert!(files.iter().any(|(name, text)| name == "apply.sh" && text.matches("--project=shop").count() == 5));
    for (_, text) in files.iter().filter(|(name, _)| name.ends_with(".json")) {
        serde_json::from_str::<Value>(text).unwrap();
    }
}

async fn metrics_and_spans_reach_a_collector() {
    let (address, received) = receiver(0).await;
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", address.clone()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-team=edge%20ml".to_owned()),
        ("OTEL_SERVICE_NAME", "shop".to_owned()),
        ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned()),
    ];
    let otlp =
        Otlp::from_env(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone()));
    let (server, _) = serving(|config| config.otlp = otlp.unwrap()).await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let request = axum::http::Request::builder()
        .method(Method::POST)
        .uri("/predict/iris")
        .header("host", "localhost")
        .header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"))
        .body(axum::body::Body::from(records(&Random(3).flowers(5)).to_string()))
        .unwrap();
    let response = server.send(request).await;
    assert_eq!(response.status(), StatusCode::OK);
    let answered = response.headers()["traceparent"].to_str().unwrap().to_owned();
    assert!(answered.starts_with(&format!("00-{trace}-")) && !answered.contains("b7ad6b7169203331"), "{answered}");
    server.stop().await; // the last metrics go out at the end, whatever the interval

    let all = received.lock().unwrap().clone();
    assert!(all.iter().all(|(headers, _)| headers["x-team"] == "edge ml"));
    let bodies: Vec<Value> = all.iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    let spans: Vec<&Value> = bodies
        .iter()
        .filter_map(|body| body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array())
        .flatten()
        .collect();
    let span = spans.iter().find(|span| span["traceId"] == trace).unwrap_or_else(|| panic!("{spans:?}"));
    assert_eq!((&span["name"], &span["parentSpanId"]), (&json!("POST /predict/{name}"), &json!("b7ad6b7169203331")));
    assert!(answered.contains(span["spanId"].as_str().unwrap()));
    let metrics = bodies.iter().rev().find_map(|body| body["resourceMetrics"].get(0)).unwrap();
    let resource = metrics["resource"]["attributes"].as_array().unwrap();
    assert!(resource.contains(&json!({"key": "service.name", "value": {"stringValue": "shop"}})));
    let metric = |name: &str| {
        let all = metrics["scopeMetrics"][0]["metrics"].as_array().unwrap();
        all.iter().find(|metric| metric["name"] == name).unwrap_or_else(|| panic!("{name} is not in {all:?}")).clone()
    };
    let predictions = metric("model_predictions_total");
    assert_eq!(predictions["sum"]["dataPoints"][0]["asDouble"], 5.0);
    assert_eq!(
        (&predictions["sum"]["isMonotonic"], &predictions["sum"]["aggregationTemporality"]),
        (&json!(true), &json!(2))
    );
    let durations = metric("http_server_request_duration_seconds");
    let point = &durations["histogram"]["dataPoints"][0];
    assert_eq!(point["bucketCounts"].as_array().unwrap().len(), point["explicitBounds"].as_array().unwrap().len() + 1);
}
