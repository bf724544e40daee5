//! Counters that leave as lines of a log: merged exactly once, however the lines arrive.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::database::on_both;
use crate::production::{compiled, serving};
use crate::support::TestServer;

on_both! {
    shuffled_and_repeated_lines_count_once
    what_cannot_be_true_is_refused_and_the_rest_counts
}

/// What an instance of the plugin logs after `predictions` rows, at this minute.
fn line(sha256: &str, instance: char, sequence: u64, predictions: u64, minutes_ago: u64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
    let snapshot = json!({
        "instance": instance.to_string().repeat(32), "sequence": sequence, "module_sha256": sha256, "edges_sha256": "",
        "host": "proxy-wasm", "time_ms": now - minutes_ago * 60_000,
        "counters": {"predictions": predictions, "errors": sequence},
    });
    format!("[2026-11-25 04:00:00.000][12][info][wasm] wasm log beira: beira-snapshot {snapshot}\n")
}

async fn send(server: &TestServer, text: &str) -> Value {
    let (status, answer) = server.ask(Method::POST, "/telemetry/logs", text).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

/// Predictions and errors at the edge.
async fn counted(server: &TestServer) -> (u64, u64) {
    let production = server.get("/api/beira/models/iris/production?minutes=600").await;
    let totals = production["totals"].as_array().unwrap().iter().filter(|total| total["host"] == "proxy-wasm");
    totals.fold((0, 0), |(predictions, errors), total| {
        assert_eq!(total["origin"], "edge");
        (predictions + total["predictions"].as_u64().unwrap(), errors + total["errors"].as_u64().unwrap())
    })
}

async fn shuffled_and_repeated_lines_count_once() {
    let server = serving().await;
    let sha256 = compiled(&server).await["module"]["sha256"].as_str().unwrap().to_owned();
    let lines: Vec<String> = [('a', 1, 1), ('a', 2, 10), ('a', 3, 30), ('a', 4, 31), ('b', 1, 5), ('b', 2, 7)]
        .map(|(instance, sequence, predictions)| line(&sha256, instance, sequence, predictions, 9 - sequence))
        .to_vec();
    let mut state = 7u64;
    for round in 0..20 {
        let mut shuffled: Vec<&str> = lines.iter().chain(&lines[1..3]).map(String::as_str).collect();
        for i in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            shuffled.swap(i, (state >> 33) as usize % (i + 1));
        }
        let half = round % shuffled.len();
        for part in [&shuffled[..half], &shuffled[half..]] {
            send(&server, &part.concat()).await;
        }
        assert_eq!(counted(&server).await, (38, 6), "round {round}");
    }
    let later = line(&sha256, 'b', 9, 107, 0); // what came between is lost; the sums are not
    let answer = send(&server, &later).await;
    assert_eq!(answer, json!({"snapshots": 1, "counted": 1, "predictions": 100}));
    assert_eq!(counted(&server).await, (138, 13));
    let folder = server.stop().await; // what is known of an instance is on the disk
    let server = TestServer::open(folder).await;
    assert_eq!(send(&server, &later).await["counted"], 0);
}

async fn what_cannot_be_true_is_refused_and_the_rest_counts() {
    let server = serving().await;
    let sha256 = compiled(&server).await["module"]["sha256"].as_str().unwrap().to_owned();
    let good = line(&sha256, 'a', 2, 10, 0);
    let text = [
        good.clone(),
        line(&sha256, 'a', 3, 9, 0), // fewer than before
        line(&"0".repeat(64), 'c', 1, 1, 0),
        good.replace("aaaaaaaa", "short"),
        good.replace(r#""edges_sha256":"""#, r#""edges_sha256":"1""#),
        "beira-snapshot {}\n".to_owned(),
    ]
    .concat();
    let answer = send(&server, &text).await;
    assert_eq!((&answer["snapshots"], &answer["counted"], &answer["predictions"]), (&json!(6), &json!(1), &json!(10)));
    let refused: Vec<&str> = answer["refused"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    assert_eq!(
        refused,
        [
            "A line has the mark of a snapshot, but no snapshot behind it.",
            &format!("No registered model has the module {}.", "0".repeat(64)),
            &format!("The counts of module {sha256} are on other edges than its profile's."),
            "body.id: must be 32 hex digits",
            "predictions: fewer than an earlier snapshot of the same instance counted",
        ]
    );
    assert_eq!(counted(&server).await, (10, 2));
    assert_eq!(send(&server, "").await["snapshots"], 0);
    let (status, _) = server.ask(Method::POST, "/telemetry/logs", &"x".repeat(5 << 20)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}
