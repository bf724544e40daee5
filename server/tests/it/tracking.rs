//! `/api/2.0/mlflow`: what the Python client never sends, and what must survive.

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::database::on_both;
use crate::support::TestServer;

on_both! {
    a_fresh_server_has_the_default_experiment_alone
    bad_input_is_answered_in_mlflows_words
    a_batch_is_all_or_nothing_and_may_come_twice
    runs_are_ordered_numbers_first_then_nan_then_missing
    many_writers_share_commits_and_nothing_acknowledged_is_lost
}

const RUNS: &str = "/api/2.0/mlflow/runs";

async fn run(server: &TestServer) -> String {
    let answer = server.post(&format!("{RUNS}/create"), json!({"experiment_id": "0"})).await;
    answer["run"]["info"]["run_id"].as_str().unwrap().to_owned()
}

async fn a_fresh_server_has_the_default_experiment_alone() {
    let server = TestServer::start().await;
    let found = server.post("/ajax-api/2.0/mlflow/experiments/search", json!({"max_results": 10})).await;
    let experiments = found["experiments"].as_array().unwrap();
    assert_eq!(experiments.len(), 1);
    assert_eq!(experiments[0]["name"], "Default");
    assert_eq!(experiments[0]["artifact_location"], "mlflow-artifacts:/0");
    assert_eq!(server.get("/version").await, json!("3.17.2"));
    assert_eq!(server.get("/health").await, json!("OK"));
}

async fn bad_input_is_answered_in_mlflows_words() {
    let server = TestServer::start().await;
    let id = run(&server).await;
    let hint = "See the API docs for more information about request parameters.";
    let refused = async |path: &str, body: &str, expected: &str| {
        assert_eq!(server.refused(&format!("{RUNS}/{path}"), body).await, expected, "{path} {body}");
    };
    refused("log-metric", "{", "400 BAD_REQUEST The body is not JSON: line 1, column 1.").await;
    let nan = format!(r#"{{"run_id": "{id}", "key": "a", "value": NaN, "timestamp": 1}}"#);
    refused("log-metric", &nan, "400 BAD_REQUEST The body is not JSON: line 1, column 69.").await;
    let text = format!("400 INVALID_PARAMETER_VALUE Missing value for required parameter 'key'. {hint}");
    refused("log-metric", &json!({"run_id": id}).to_string(), &text).await;
    let text = format!(
        "400 INVALID_PARAMETER_VALUE Invalid value 7 for parameter 'key' supplied:  Hint: Value was of type 'int'. {hint}"
    );
    refused("log-parameter", &json!({"run_id": id, "key": 7}).to_string(), &text).await;
    refused(
        "delete-tag",
        &json!({"run_id": id, "key": "k"}).to_string(),
        &format!("404 RESOURCE_DOES_NOT_EXIST No tag with name: k in run with id {id}"),
    )
    .await;
    refused(
        "log-metric",
        r#"{"run_id": "nobody", "key": "a", "value": 1, "timestamp": 1}"#,
        "404 RESOURCE_DOES_NOT_EXIST Run with id=nobody not found",
    )
    .await;
    refused("search", r#"{"experiment_ids": ["0"], "filter": "metrics.a OR 1"}"#, "400 INVALID_PARAMETER_VALUE Invalid filter_string: after 'a' one of =, !=, >, >=, <, <=, LIKE, ILIKE, IN, NOT IN, IS NULL, IS NOT NULL is expected.").await;
    refused(
        "search",
        r#"{"experiment_ids": ["0"], "page_token": "?"}"#,
        "400 INVALID_PARAMETER_VALUE Invalid page token, could not base64-decode",
    )
    .await;
    refused(
        "search",
        r#"{"experiment_ids": ["x"]}"#,
        "400 INVALID_PARAMETER_VALUE Invalid experiment ID 'x'. Experiment ID must be a valid integer.",
    )
    .await;
    let (status, _) = server.ask(Method::GET, "/api/3.0/mlflow/traces/x", "").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

async fn a_batch_is_all_or_nothing_and_may_come_twice() {
    let server = TestServer::start().await;
    let id = run(&server).await;
    let metric = |key: &str, step: i64, value: f64| json!({"key": key, "value": value, "timestamp": 10, "step": step});
    let batch = json!({
        "run_id": id,
        "metrics": [metric("a", 1, 0.5), metric("a", 3, 0.25), metric("a", 2, 9.0), metric("b", 0, 1.0)],
        "params": [{"key": "p", "value": ""}],
        "tags": [{"key": "mlflow.runName", "value": "named"}],
    });
    server.post(&format!("{RUNS}/log-batch"), batch.clone()).await;
    server.post(&format!("{RUNS}/log-batch"), batch).await;
    let changed = json!({"run_id": id, "metrics": [metric("c", 0, 1.0)], "params": [{"key": "p", "value": "x"}]});
    let refused = server.refused(&format!("{RUNS}/log-batch"), &changed.to_string()).await;
    assert!(
        refused.contains("Params were already logged='[{'key': 'p', 'old_value': '', 'new_value': 'x'}]'"),
        "{refused}"
    );
    let run = server.get(&format!("{RUNS}/get?run_id={id}")).await;
    assert_eq!(
        run["run"]["data"]["metrics"],
        json!([
            {"key": "a", "value": 0.25, "timestamp": 10, "step": 3},
            {"key": "b", "value": 1.0, "timestamp": 10, "step": 0},
        ])
    );
    assert_eq!(run["run"]["info"]["run_name"], "named");
    let history =
        server.get(&format!("/api/2.0/mlflow/metrics/get-history?run_id={id}&metric_key=a&max_results=2")).await;
    assert_eq!(history["metrics"].as_array().unwrap().len(), 2);
    let token = history["next_page_token"].as_str().unwrap();
    let rest = server
        .get(&format!("/api/2.0/mlflow/metrics/get-history?run_id={id}&metric_key=a&max_results=2&page_token={token}"))
        .await;
    assert_eq!(rest, json!({"metrics": [{"key": "a", "value": 0.25, "timestamp": 10, "step": 3}]}));
}

async fn runs_are_ordered_numbers_first_then_nan_then_missing() {
    let server = TestServer::start().await;
    for (name, value) in [("low", json!(1)), ("nan", json!("NaN")), ("none", json!(null)), ("high", json!(2))] {
        let created = server.post(&format!("{RUNS}/create"), json!({"experiment_id": "0", "run_name": name})).await;
        let id = &created["run"]["info"]["run_id"];
        if !value.is_null() {
            let metric = json!({"run_id": id, "key": "m", "value": value, "timestamp": 1});
            server.post(&format!("{RUNS}/log-metric"), metric).await;
        }
    }
    let names = async |filter: &str, order: &str| {
        let body = json!({"experiment_ids": ["0"], "filter": filter, "order_by": [order]});
        let found = server.post(&format!("{RUNS}/search"), body).await;
        let runs = found["runs"].as_array().cloned().unwrap_or_default();
        runs.iter().map(|run| run["info"]["run_name"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("", "metrics.m ASC").await, "low high nan none");
    assert_eq!(names("", "metrics.m DESC").await, "high low nan none");
    assert_eq!(names("metrics.m != 1", "metrics.m ASC").await, "high nan");
    assert_eq!(names("metrics.m >= 1", "run_name").await, "high low");
    assert_eq!(names("run_name ILIKE 'N%'", "run_name").await, "nan none");
    assert_eq!(names("run_name LIKE 'N%'", "run_name").await, "");
}

async fn many_writers_share_commits_and_nothing_acknowledged_is_lost() {
    let server = TestServer::start().await;
    let id = run(&server).await;
    let writes = (0..200).map(|step| {
        let body = json!({"run_id": id, "key": "loss", "value": step, "timestamp": 1, "step": step});
        let path = format!("{RUNS}/log-metric");
        let server = &server;
        async move {
            // Every tenth is refused; its neighbours in the same transaction must not notice.
            let bad = json!({"run_id": "nobody", "key": "loss", "value": 0, "timestamp": 1});
            if step % 10 == 0 {
                server.refused(&path, &bad.to_string()).await;
            }
            server.post(&path, body).await;
        }
    });
    futures_util::future::join_all(writes).await;
    let server = TestServer::open(server.stop().await).await;
    let history = server.get(&format!("/api/2.0/mlflow/metrics/get-history?run_id={id}&metric_key=loss")).await;
    assert_eq!(history["metrics"].as_array().unwrap().len(), 200);
}
