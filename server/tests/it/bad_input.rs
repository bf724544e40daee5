//! What nobody should send: answered with 4xx and a sentence, soon.

use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::database::on_both;
use crate::support::TestServer;

on_both! {
    requests_that_are_refused_with_a_sentence
    more_values_than_a_statement_takes
    an_upload_that_lies_about_its_length
}

const API: &str = "/api/2.0/mlflow";

/// A 4xx with a sentence that does not speak of the database, within two seconds.
async fn refused(server: &TestServer, path: &str, body: &str, expected: &str) {
    let start = Instant::now();
    let (status, answer) = server.ask(Method::POST, &format!("{API}/{path}"), body).await;
    let message = answer["message"].as_str().unwrap_or_default();
    let shown: String = body.chars().take(100).collect();
    assert!(status.is_client_error(), "{path} {shown}: {status} {answer}");
    assert!(message.contains(expected), "{path} {shown}: {message}");
    assert!(message.len() < 1000 && !message.to_lowercase().contains("sql"), "{path} {shown}: {message}");
    assert!(start.elapsed() < Duration::from_secs(2), "{path} {shown}: {:?}", start.elapsed());
}

async fn requests_that_are_refused_with_a_sentence() {
    let server = TestServer::start().await;
    let run = server.post(&format!("{API}/runs/create"), json!({})).await["run"]["info"]["run_id"].clone();
    let id = run.as_str().unwrap();

    refused(
        &server,
        "runs/log-metric",
        &format!(r#"{{"run_id": "{id}", "key": "a", "value": NaN, "timestamp": 1}}"#),
        "not JSON",
    )
    .await;
    for body in ["{", "[]", "7", "\"", r#"{"a": "\ud800"}"#, "{\"a\": \"\x01\"}", "{}}", "\u{feff}{}"] {
        refused(&server, "runs/create", body, "").await;
    }
    refused(&server, "runs/create", &"[".repeat(100_000), "not JSON").await;
    let both = format!(r#"{{"run_id": "{id}", "runId": "{id}", "key": "a", "value": 1, "timestamp": 1}}"#);
    refused(&server, "runs/log-metric", &both, "specifies both 'run_id' and 'runId'").await;

    let search = |filter: String| json!({"experiment_ids": ["0"], "filter": filter}).to_string();
    refused(&server, "runs/search", &search("a".repeat(1 << 20)), "more than").await;
    refused(&server, "runs/search", &search("metrics.a > 1 AND ".repeat(60_000)), "more than").await;
    refused(&server, "runs/search", &search("(".repeat(200_000)), "nested deeper").await;
    refused(&server, "runs/search", &search("NOT ".repeat(60_000)), "nested deeper").await;
    refused(&server, "runs/search", &search(format!("run_id IN ('{}')", ["a"; 15_000].join("','"))), "more than").await;
    let orders: Vec<String> = (0..100).map(|i| format!("metrics.m{i}")).collect();
    let body = json!({"experiment_ids": ["0"], "order_by": orders}).to_string();
    refused(&server, "runs/search", &body, "more than 30 entries").await;

    // A page token of another query, of another list, and of nobody.
    for _ in 0..2 {
        server.post(&format!("{API}/runs/create"), json!({})).await;
    }
    let first = json!({"experiment_ids": ["0"], "max_results": 1});
    let token = server.post(&format!("{API}/runs/search"), first).await["next_page_token"].clone();
    for (path, body) in [
        ("runs/search", json!({"experiment_ids": ["1"], "page_token": token})),
        ("runs/search", json!({"experiment_ids": ["0"], "filter": "metrics.a > 1", "page_token": token})),
        ("logged-models/search", json!({"experiment_ids": ["0"], "page_token": token})),
        ("runs/search", json!({"experiment_ids": ["0"], "page_token": "e30="})),
        ("runs/search", json!({"experiment_ids": ["0"], "page_token": "%%%"})),
    ] {
        refused(&server, path, &body.to_string(), "Invalid page token").await;
    }

    // What no database takes: never a 5xx. SQLite keeps NUL.
    let tag = json!({"run_id": id, "key": "k", "value": "a\u{0}b"});
    let (status, answer) = server.ask(Method::POST, &format!("{API}/runs/set-tag"), &tag.to_string()).await;
    assert!(!status.is_server_error(), "{answer}");
    for field in ["max_results", "run_view_type", "experiment_ids", "order_by", "filter"] {
        for value in [json!({}), json!([[]]), json!(1e300), json!("\u{0}"), json!(i64::MIN), json!(true)] {
            let body = json!({"experiment_ids": ["0"], field: value});
            let (status, answer) = server.ask(Method::POST, &format!("{API}/runs/search"), &body.to_string()).await;
            assert!(!status.is_server_error(), "{body}: {answer}");
        }
    }
}

async fn more_values_than_a_statement_takes() {
    let server = TestServer::start().await;
    let ids: Vec<String> = (0..40_000).map(|id| id.to_string()).collect();
    refused(&server, "runs/search", &json!({"experiment_ids": ids}).to_string(), "more than 10000 entries").await;
    refused(&server, "logged-models/search", &json!({"experiment_ids": ids}).to_string(), "more than 10000").await;
    let most =
        json!({"experiment_ids": &ids[..10_000], "filter": format!("run_id IN ('{}')", ids[..10_000].join("','"))});
    assert_eq!(server.post(&format!("{API}/runs/search"), most).await, json!({}));
}

/// Ten gigabytes are announced and a few bytes come: nothing is set aside for them, and nothing is left.
async fn an_upload_that_lies_about_its_length() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let config = beira_server::Config {
        port,
        db: crate::database::of(folder.path()),
        artifacts: folder.path().join("artifacts").into(),
        ..beira_server::Config::default()
    };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = beira_server::serve(config, async { drop(stopped.await) });
    let story = async {
        lies(port).await;
        stop.send(()).unwrap();
    };
    let (served, ()) = tokio::join!(serving, story);
    served.unwrap();
}

async fn lies(port: u16) {
    let connect = async || loop {
        match tokio::net::TcpStream::connect(("127.0.0.1", port)).await {
            Ok(stream) => break stream,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let before = resident();
    for _ in 0..8 {
        let mut stream = connect().await;
        let head = "PUT /api/2.0/mlflow-artifacts/artifacts/big.bin HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10737418240\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&[7; 1000]).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    assert!(resident() < before + (64 << 20), "{before} bytes before, {} after", resident());
    // More than the limit of an artifact is refused before any of it comes.
    let mut stream = connect().await;
    let head = "PUT /api/2.0/mlflow-artifacts/artifacts/big.bin HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1099511627776\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    // More than was announced is the next request, and no good one.
    let mut stream = connect().await;
    let head = "PUT /api/2.0/mlflow-artifacts/artifacts/small.bin HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\n\r\nabcdef\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("HTTP/1.1 400"), "{answer}");
    // Two lengths, or a length and chunks: two readers could see two requests there.
    for smuggled in ["content-length: 3\r\ncontent-length: 4", "content-length: 3\r\ntransfer-encoding: chunked"] {
        let mut stream = connect().await;
        let head =
            format!("PUT /api/2.0/mlflow-artifacts/artifacts/x HTTP/1.1\r\nhost: localhost\r\n{smuggled}\r\n\r\nabc");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400"), "{smuggled}: {answer}");
    }
    let mut stream = connect().await;
    stream
        .write_all(b"GET /api/2.0/mlflow-artifacts/artifacts HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let listed: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(listed, json!({"files": [{"path": "small.bin", "is_dir": false, "file_size": 3}]}));
}

/// Memory of this process in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}
