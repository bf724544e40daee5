//! Traces as OpenTelemetry's exporters send them in JSON, and as nobody should.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::database::on_both;
use crate::support::{TestServer, bytes};

on_both! {
    spans_become_a_trace_that_is_found
    what_is_no_span_is_refused
    two_exporters_write_one_trace
}

const TRACES: &str = "/api/3.0/mlflow/traces";
const ID: &str = "tr-000102030405060708090a0b0c0d0e0f";

async fn export(server: &TestServer, experiment: Option<&str>, body: &str) -> (StatusCode, String) {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri("/v1/traces")
        .header("host", "localhost")
        .header("content-type", "application/json; charset=utf-8");
    if let Some(experiment) = experiment {
        request = request.header("x-mlflow-experiment-id", experiment);
    }
    let response = server.send(request.body(Body::from(body.to_owned())).unwrap()).await;
    let status = response.status();
    (status, String::from_utf8(bytes(response).await).unwrap())
}

/// A span from second `from` to `until`; with a parent it is no root.
fn span(id: u8, parent: Option<u8>, from: u64, until: u64) -> Value {
    let mut span = json!({
        "traceId": "000102030405060708090a0b0c0d0e0f",
        "spanId": format!("{id:016x}"),
        "name": format!("step {id}"),
        "startTimeUnixNano": (from * 1_000_000_000).to_string(),
        "endTimeUnixNano": (until * 1_000_000_000).to_string(),
        "attributes": [
            {"key": "mlflow.spanInputs", "value": {"kvlistValue": {"values": [{"key": "x", "value": {"intValue": "1"}}]}}},
            {"key": "mlflow.traceTag.team", "value": {"stringValue": "edge"}},
        ],
    });
    if let Some(parent) = parent {
        span["parentSpanId"] = format!("{parent:016x}").into();
    }
    span
}

fn spans(spans: &[Value]) -> String {
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]});
    json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}).to_string()
}

async fn found(server: &TestServer, filter: &str) -> usize {
    let locations = json!([{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}]);
    let answer = server.post(&format!("{TRACES}/search"), json!({"locations": locations, "filter": filter})).await;
    answer["traces"].as_array().map_or(0, Vec::len)
}

async fn spans_become_a_trace_that_is_found() {
    let server = TestServer::start().await;
    // A child first: the trace goes on until its root is there.
    assert_eq!(export(&server, Some("0"), &spans(&[span(2, Some(1), 11, 12)])).await, (StatusCode::OK, "{}".into()));
    let info = server.get(&format!("{TRACES}/{ID}")).await;
    assert_eq!(info["trace"]["trace_info"]["state"], "IN_PROGRESS");
    assert_eq!(export(&server, Some("0"), &spans(&[span(1, None, 10, 14)])).await.0, StatusCode::OK);
    let trace = &server.get(&format!("{TRACES}/get?trace_id={ID}")).await["trace"];
    let expected = json!({
        "trace_id": ID,
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}},
        "request_time": "1970-01-01T00:00:10Z",
        "execution_duration": "4s",
        "state": "OK",
        "request_preview": "{\"x\":1}",
        "tags": {
            "mlflow.artifactLocation": format!("mlflow-artifacts:/0/traces/{ID}/artifacts"),
            "mlflow.trace.spansLocation": "TRACKING_STORE",
            "service.name": "shop",
            "team": "edge",
        },
    });
    assert_eq!(trace["trace_info"], expected);
    let names: Vec<&str> = trace["spans"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["step 1", "step 2"]);
    for (filter, expected) in [
        ("", 1),
        ("trace.status = 'OK'", 1),
        ("tags.team = 'edge' AND execution_time_ms >= 4000", 1),
        ("timestamp_ms > 10000", 0),
        ("span.name LIKE 'step%' AND NOT span.type = 'LLM'", 1),
        ("text ILIKE '%STEP 2%'", 1),
        ("run_id = 'none' OR request_id IN ('x')", 0),
    ] {
        assert_eq!(found(&server, filter).await, expected, "{filter}");
    }
    let deleted = json!({"experiment_id": "0", "max_timestamp_millis": 10_000});
    assert_eq!(server.post(&format!("{TRACES}/delete-traces"), deleted).await, json!({"traces_deleted": 1}));
    assert_eq!(found(&server, "").await, 0);
    let (status, _) = server.ask(Method::GET, &format!("{TRACES}/{ID}"), "").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

async fn what_is_no_span_is_refused() {
    let server = TestServer::start().await;
    let deep = format!("{}1{}", r#"{"arrayValue":{"values":["#.repeat(200), "]}}".repeat(200));
    let mut nested = span(1, None, 1, 2);
    nested["attributes"] = json!([{"key": "deep", "value": "DEEP"}]);
    for (experiment, body, expected) in [
        (None, spans(&[span(1, None, 1, 2)]), StatusCode::BAD_REQUEST),
        (Some("abc"), spans(&[span(1, None, 1, 2)]), StatusCode::BAD_REQUEST),
        (Some("4711"), spans(&[span(1, None, 1, 2)]), StatusCode::NOT_FOUND),
        (Some("0"), "{".to_owned(), StatusCode::BAD_REQUEST),
        (Some("0"), "{}".to_owned(), StatusCode::BAD_REQUEST),
        (Some("0"), spans(&[json!({"name": "without ids"})]), StatusCode::BAD_REQUEST),
        (Some("0"), spans(&[json!({"traceId": "xy", "spanId": "01"})]), StatusCode::BAD_REQUEST),
        (Some("0"), spans(&[nested]).replace("\"DEEP\"", &deep), StatusCode::BAD_REQUEST),
    ] {
        let (status, answer) = export(&server, experiment, &body).await;
        assert_eq!(status, expected, "{} {answer}", &body[..body.len().min(80)]);
    }
    assert_eq!(found(&server, "").await, 0);
    for (path, body) in [("search", "{}"), ("batchGetInfos", "{}"), ("delete-traces", r#"{"experiment_id": "0"}"#)] {
        let refused = server.refused(&format!("{TRACES}/{path}"), body).await;
        assert!(refused.starts_with("400 INVALID_PARAMETER_VALUE"), "{refused}");
    }
    let info = json!({"trace": {"trace_info": {"trace_id": "../x", "request_time": "1970-01-01T00:00:10Z",
        "trace_location": {"mlflow_experiment": {"experiment_id": "0"}}}}});
    assert!(server.refused(TRACES, &info.to_string()).await.starts_with("400 INVALID_PARAMETER_VALUE"));
}

async fn two_exporters_write_one_trace() {
    let server = TestServer::start().await;
    let bodies: Vec<String> =
        (1..=20).map(|i| spans(&[span(i, (i > 1).then_some(1), 10 + u64::from(i), 40)])).collect();
    let all = futures_util::future::join_all(bodies.iter().map(|body| export(&server, Some("0"), body))).await;
    assert!(all.iter().all(|(status, _)| *status == StatusCode::OK), "{all:?}");
    let trace = &server.get(&format!("{TRACES}/get?trace_id={ID}")).await["trace"];
    assert_eq!(trace["spans"].as_array().unwrap().len(), 20);
    assert_eq!(trace["trace_info"]["request_time"], "1970-01-01T00:00:11Z");
    assert_eq!(trace["trace_info"]["execution_duration"], "29s");
}
