//! A version's module, its predictions, and what hosts count with it.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::database::on_both;
use crate::support::TestServer;

on_both! {
    predictions_follow_the_champion_and_are_counted
    a_flush_is_counted_once
    what_does_not_compile_says_why
}

/// Scaler and logistic regression, by skl2onnx: input `X` `[N, 4]`, outputs `label` and `probabilities`.
pub const IRIS: &[u8] = include_bytes!("iris.onnx");

/// A registered model `iris` whose version 1 is compiled.
pub async fn serving() -> TestServer {
    let server = TestServer::start().await;
    assert_eq!(server.put("/api/2.0/mlflow-artifacts/artifacts/models/iris/model.onnx", IRIS).await, StatusCode::OK);
    server.post("/api/2.0/mlflow/registered-models/create", json!({"name": "iris"})).await;
    let version = json!({"name": "iris", "source": "mlflow-artifacts:/models/iris"});
    server.post("/api/2.0/mlflow/model-versions/create", version).await;
    assert_eq!(compiled(&server).await["error"], Value::Null);
    server
}

pub async fn compiled(server: &TestServer) -> Value {
    for _ in 0..600 {
        let model = server.get("/api/beira/models/iris").await;
        if model["versions"][0]["error"] != "compiling" {
            return model["versions"][0].clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("not compiled within 30 s");
}

pub async fn champion(server: &TestServer) {
    let alias = json!({"name": "iris", "alias": "champion", "version": "1"});
    server.post("/api/2.0/mlflow/registered-models/alias", alias).await;
}

pub fn flower() -> Value {
    json!({"X[0]": 5.1, "X[1]": 3.5, "X[2]": 1.4, "X[3]": 0.2})
}

async fn predictions_follow_the_champion_and_are_counted() {
    let server = serving().await;
    let (status, answer) = server.ask(Method::POST, "/predict/iris", &flower().to_string()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(answer["detail"].as_str().unwrap().contains("set_registered_model_alias"), "{answer}");
    champion(&server).await;

    let one = server.post("/predict/iris", flower()).await;
    assert_eq!(one["label"], 0);
    let many = server.post("/predict/iris", json!([flower(), flower()])).await;
    assert_eq!(many, json!([one, one]));
    let (status, answer) =
        server.ask(Method::POST, "/predict/iris", r#"[{"X[0]": "a", "X[1]": 1, "X[2]": 1, "color": 3}]"#).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let mut locs: Vec<String> =
        answer["detail"].as_array().unwrap().iter().map(|fault| fault["loc"].to_string()).collect();
    locs.sort();
    assert_eq!(locs, [r#"["body",0,"X[0]"]"#, r#"["body",0,"X[3]"]"#, r#"["body",0,"color"]"#]);
    let rows = Value::Array(vec![flower(); 1001]);
    let (status, _) = server.ask(Method::POST, "/predict/iris", &rows.to_string()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);

    let tensor = json!({"name": "X", "shape": [1, 4], "datatype": "FP32", "data": [[5.1, 3.5, 1.4, 0.2]]});
    let infer = server.post("/v2/models/iris/versions/1/infer", json!({"id": "7", "inputs": [tensor]})).await;
    assert_eq!((&infer["id"], &infer["outputs"][0]["data"]), (&json!("7"), &json!([0])));
    let metadata = server.get("/v2/models/iris").await;
    assert_eq!(metadata["inputs"], json!([{"name": "X", "datatype": "FP32", "shape": [-1, 4]}]));
    let (status, answer) = server.ask(Method::POST, "/v2/models/iris/infer", r#"{"inputs": []}"#).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer["error"].is_string(), "{answer}");

    let server = TestServer::open(server.stop().await).await; // what was counted is on the disk
    let production = server.get("/api/beira/models/iris/production?minutes=60").await;
    let total = &production["totals"][0];
    assert_eq!((&total["predictions"], &total["errors"], &total["origin"]), (&json!(4), &json!(3), &json!("server")));
    assert!(total["latency"]["p50_us"].as_f64().unwrap() > 0.0);
    let kinds: Vec<&Value> = production["events"].as_array().unwrap().iter().map(|event| &event["kind"]).collect();
    assert_eq!(kinds, ["registered", "alias"]);
    let overview = server.get("/api/beira/overview").await;
    assert_eq!(overview["models"][0]["predictions"], json!([{"origin": "server", "predictions": 4}]));
    let metrics = server.get("/metrics").await;
    let line = r#"model_predictions_total{model="iris",version="1",origin="server"} 4"#;
    assert!(metrics.as_str().unwrap().contains(line), "{metrics}");
}

async fn a_flush_is_counted_once() {
    let server = serving().await;
    let sha256 = compiled(&server).await["module"]["sha256"].as_str().unwrap().to_owned();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
    let flush = json!({
        "id": "0123456789abcdef0123456789abcdef", "module_sha256": sha256, "edges_sha256": "", "origin": "browser",
        "host": "chromium", "window_start_ms": now, "counters": {"predictions": 20, "errors": 1},
    });
    let send = async |change: &dyn Fn(&mut Value)| {
        let mut body = flush.clone();
        change(&mut body);
        let request = axum::http::Request::builder()
            .method(Method::POST)
            .uri("/telemetry/counters")
            .header("content-type", "text/plain") // as sendBeacon says
            .header("origin", "https://shop.example")
            .body(axum::body::Body::from(body.to_string()))
            .unwrap();
        let response = server.send(request).await;
        let status = response.status().as_u16();
        let answer: Value = serde_json::from_slice(&crate::support::bytes(response).await).unwrap();
        (status, answer["counted"].clone(), answer)
    };
    assert_eq!(send(&|_| {}).await.2, json!({"counted": true, "model": "iris", "version": "1"}));
    assert_eq!(send(&|_| {}).await.1, false); // a replay
    let (status, counted, _) = send(&|flush| {
        flush["id"] = "f".repeat(32).into();
        flush["probe"] = true.into();
    })
    .await;
    assert_eq!((status, counted), (200, json!(false)));
    // A clock far ahead: counted at the server's minute.
    let (_, counted, _) = send(&|flush| {
        flush["id"] = "e".repeat(32).into();
        flush["window_start_ms"] = (now + 86_400_000).into();
    })
    .await;
    assert_eq!(counted, true);
    let refused: [(u16, &dyn Fn(&mut Value)); 5] = [
        (404, &|flush| flush["module_sha256"] = "0".repeat(64).into()),
        (409, &|flush| flush["edges_sha256"] = "0".repeat(64).into()),
        (422, &|flush| flush["id"] = "short".into()),
        (422, &|flush| flush["counters"]["predictions"] = (1u64 << 50).into()),
        (422, &|flush| flush["counters"]["predictions"] = (-1).into()),
    ];
    for (expected, change) in refused {
        let (status, _, answer) = send(change).await;
        assert_eq!(status, expected, "{answer}");
    }
    let production = server.get("/api/beira/models/iris/production?minutes=60").await;
    assert_eq!(production["totals"].as_array().unwrap().len(), 1);
    assert_eq!((&production["totals"][0]["predictions"], &production["totals"][0]["errors"]), (&json!(40), &json!(2)));
    assert_eq!(production["totals"][0].get("latency").unwrap_or(&Value::Null), &Value::Null); // not measurable, never 0
}

async fn what_does_not_compile_says_why() {
    let server = TestServer::start().await;
    server.put("/api/2.0/mlflow-artifacts/artifacts/broken/model.onnx", "not a model").await;
    server.post("/api/2.0/mlflow/registered-models/create", json!({"name": "iris"})).await;
    let version = json!({"name": "iris", "source": "mlflow-artifacts:/broken"});
    server.post("/api/2.0/mlflow/model-versions/create", version).await;
    let error = compiled(&server).await["error"].clone();
    assert!(error.as_str().unwrap().contains("ONNX"), "{error}");
    champion(&server).await;
    let (status, answer) = server.ask(Method::POST, "/predict/iris", "{}").await;
    assert_eq!(status, StatusCode::CONFLICT, "{answer}");

    let report = |bytes: &'static [u8]| {
        let request = axum::http::Request::builder().method(Method::POST).uri("/api/beira/compile");
        server.send(request.body(axum::body::Body::from(bytes)).unwrap())
    };
    let answer: Value = serde_json::from_slice(&crate::support::bytes(report(b"x").await).await).unwrap();
    assert!(answer["module"].is_null() && answer["error"].is_string(), "{answer}");
    let answer: Value = serde_json::from_slice(&crate::support::bytes(report(IRIS).await).await).unwrap();
    let url = answer["module"]["url"].as_str().unwrap_or_else(|| panic!("{answer}"));
    let (status, _) = server.ask(Method::GET, url, "").await;
    assert_eq!(status, StatusCode::OK);
    assert!(answer["operators"].as_array().unwrap().iter().any(|op| op["op"] == "Scaler"), "{answer}");
}
