//! Lists, a page at a time: the pages are the list, whatever it is ordered by and whatever happens in between.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use beira_server::housekeeping::gc::{What, gc};
use beira_server::housekeeping::{Kept, Progress};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::database::{self, on_both};
use crate::support::TestServer;

on_both! {
    pages_of_runs_are_the_list_in_every_order
    rows_that_come_and_go_between_pages_shift_nothing
    every_list_has_pages_and_takes_no_token_of_another
    a_history_comes_whole_and_in_pages_and_sampled
    a_history_whose_run_is_collected_meanwhile_ends
}

const API: &str = "/api/2.0/mlflow";

/// One list of the API, and where ids stand in its rows.
#[derive(Clone, Copy)]
struct List {
    path: &'static str,
    rows: &'static str,
    id: &'static str,
}

const RUNS: List = List { path: "/api/2.0/mlflow/runs/search", rows: "runs", id: "/info/run_name" };
const LISTS: [(List, &str); 6] = [
    (List { path: "/api/2.0/mlflow/experiments/search", rows: "experiments", id: "/name" }, ""),
    (RUNS, "experiment_ids"),
    (List { path: "/api/2.0/mlflow/registered-models/search", rows: "registered_models", id: "/name" }, "GET"),
    (List { path: "/api/2.0/mlflow/model-versions/search", rows: "model_versions", id: "/version" }, "GET"),
    (List { path: "/api/2.0/mlflow/logged-models/search", rows: "models", id: "/info/name" }, "experiment_ids"),
    (List { path: "/api/3.0/mlflow/traces/search", rows: "traces", id: "/trace_id" }, "locations"),
];

impl List {
    /// Status and answer; `GET` lists take their fields from the query string.
    async fn ask(self, server: &TestServer, fields: &Value) -> (StatusCode, Value) {
        if !LISTS.iter().any(|(list, kind)| list.path == self.path && *kind == "GET") {
            return server.ask(Method::POST, self.path, &fields.to_string()).await;
        }
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), |text| text.replace(' ', "%20"));
        let mut query = Vec::new();
        for (name, value) in fields.as_object().unwrap() {
            let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            query.extend(values.iter().map(|value| format!("{name}={}", text(value))));
        }
        server.ask(Method::GET, &format!("{}?{}", self.path, query.join("&")), "").await
    }

    /// A page's ids, and the token of the next one.
    async fn page(self, server: &TestServer, fields: &Value, size: usize, token: &Value) -> (Vec<String>, Value) {
        let mut fields = fields.clone();
        fields["max_results"] = size.into();
        if !token.is_null() {
            fields["page_token"] = token.clone();
        }
        let (status, answer) = self.ask(server, &fields).await;
        assert_eq!(status, StatusCode::OK, "{fields}: {answer}");
        let rows = answer[self.rows].as_array().cloned().unwrap_or_default();
        let id = |row: &Value| match row.pointer(self.id).unwrap() {
            Value::String(id) => id.clone(),
            other => other.to_string(),
        };
        (rows.iter().map(id).collect(), answer["next_page_token"].clone())
    }

    /// All pages.
    async fn walk(self, server: &TestServer, fields: &Value, size: usize) -> Vec<String> {
        let (mut all, mut token) = self.page(server, fields, size, &Value::Null).await;
        while !token.is_null() {
            let (page, next) = self.page(server, fields, size, &token).await;
            assert!(!page.is_empty() && page.len() <= size, "{fields}: {page:?}");
            all.extend(page);
            token = next;
        }
        all
    }
}

async fn run(server: &TestServer, name: &str) -> String {
    let body = json!({"experiment_id": "0", "run_name": name, "start_time": 7});
    let created = server.post(&format!("{API}/runs/create"), body).await;
    created["run"]["info"]["run_id"].as_str().unwrap().to_owned()
}

/// Runs that began at the same time; of what they are ordered by some have nothing, some NaN, some the same.
async fn pages_of_runs_are_the_list_in_every_order() {
    let server = TestServer::start().await;
    for i in 0..11 {
        let id = run(&server, &format!("run {i}")).await;
        let value = [json!("NaN"), json!(0.1 + 0.2), json!(-1e-300), json!("Infinity"), json!(0)][i % 5].clone();
        let mut batch = json!({"run_id": id, "tags": [{"key": "of three", "value": (i % 3).to_string()}]});
        if i % 4 != 0 {
            batch["metrics"] = json!([{"key": "m", "value": value, "timestamp": 1}]);
            let text = ["", "a'b", "é"][i % 3];
            batch["params"] = json!([{"key": "p", "value": text}]);
        }
        server.post(&format!("{API}/runs/log-batch"), batch).await;
        if i % 2 == 0 {
            let end = json!({"run_id": id, "status": "FINISHED", "end_time": 100 + i % 3});
            server.post(&format!("{API}/runs/update"), end).await;
        }
    }
    let keys = ["metrics.m", "params.p", "tags.`of three`", "end_time", "start_time", "run_name", "run_id", "status"];
    let mut orders = vec![json!([]), json!(["tags.`of three`", "metrics.m DESC", "params.p ASC"])];
    orders.extend(keys.iter().flat_map(|key| [json!([format!("{key} ASC")]), json!([format!("{key} DESC")])]));
    for order in orders {
        let fields = json!({"experiment_ids": ["0"], "order_by": order, "filter": "run_name LIKE 'run %'"});
        let (whole, token) = RUNS.page(&server, &fields, 11, &Value::Null).await;
        assert_eq!((whole.len(), token), (11, Value::Null), "{order}");
        for size in [1, 3] {
            assert_eq!(RUNS.walk(&server, &fields, size).await, whole, "{order} by {size}");
        }
    }
}

async fn rows_that_come_and_go_between_pages_shift_nothing() {
    let server = TestServer::start().await;
    let mut ids = Vec::new();
    for name in ["b", "d", "f", "h"] {
        ids.push(run(&server, name).await);
    }
    let fields = json!({"experiment_ids": ["0"], "order_by": ["run_name"]});
    let (first, token) = RUNS.page(&server, &fields, 2, &Value::Null).await;
    assert_eq!(first, ["b", "d"]);
    for name in ["a", "c", "e"] {
        run(&server, name).await;
    }
    for id in &ids[..2] {
        server.post(&format!("{API}/runs/delete"), json!({"run_id": id})).await;
    }
    let (second, token) = RUNS.page(&server, &fields, 2, &token).await;
    assert_eq!(second, ["e", "f"]);
    assert_eq!(RUNS.page(&server, &fields, 2, &token).await, (vec!["h".to_owned()], Value::Null));
}

async fn every_list_has_pages_and_takes_no_token_of_another() {
    let server = TestServer::start().await;
    for i in 0..5 {
        let name = format!("n{i}");
        server.post(&format!("{API}/experiments/create"), json!({"name": name})).await;
        let run = run(&server, &name).await;
        server.post(&format!("{API}/registered-models/create"), json!({"name": name})).await;
        let source = json!({"name": "n0", "source": format!("runs:/{run}/model"), "run_id": run});
        server.post(&format!("{API}/model-versions/create"), source).await;
        server.post(&format!("{API}/logged-models"), json!({"experiment_id": "0", "name": name})).await;
        let location = json!({"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}});
        let info = json!({"trace_id": format!("tr-{i}"), "trace_location": location, "state": "OK",
            "request_time": "2026-01-01T00:00:00Z", "tags": {"t": (i % 2).to_string()}});
        server.post("/api/3.0/mlflow/traces", json!({"trace": {"trace_info": info}})).await;
    }
    let locations = json!([{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}]);
    let fields = |list: &str, order: &[&str]| match list {
        "experiment_ids" => json!({"experiment_ids": ["0"], "order_by": order}),
        "locations" => json!({"locations": locations, "order_by": order}),
        _ => json!({"order_by": order}),
    };
    let mut tokens = Vec::new();
    for (list, kind) in LISTS {
        let orders: &[&[&str]] = match list.rows {
            "experiments" => &[&[], &["name DESC"], &["last_update_time", "experiment_id"]],
            "registered_models" => &[&[], &["name DESC"], &["last_updated_timestamp DESC"]],
            "model_versions" => &[&[], &["version_number ASC"], &["name", "creation_timestamp DESC"]],
            "traces" => &[&[], &["tags.t DESC"], &["execution_time"], &["name ASC", "timestamp DESC"]],
            _ => &[&[]],
        };
        for order in orders {
            let fields = fields(kind, order);
            let (whole, _) = list.page(&server, &fields, 100, &Value::Null).await;
            assert!(whole.len() >= 5, "{}: {whole:?}", list.rows);
            assert_eq!(list.walk(&server, &fields, 2).await, whole, "{} by {order:?}", list.rows);
        }
        tokens.push(list.page(&server, &fields(kind, &[]), 2, &Value::Null).await.1);
    }
    let models = LISTS[4].0;
    for order in ["name", "metrics.none", "source_run_id", "status"] {
        for ascending in [true, false] {
            let order = json!([{"field_name": order, "ascending": ascending}]);
            let fields = json!({"experiment_ids": ["0"], "order_by": order});
            let (whole, _) = models.page(&server, &fields, 100, &Value::Null).await;
            assert_eq!(models.walk(&server, &fields, 2).await, whole, "{order}");
        }
    }
    for (i, (list, kind)) in LISTS.into_iter().enumerate() {
        for (j, token) in tokens.iter().enumerate() {
            let mut fields = fields(kind, &[]);
            fields["max_results"] = 2.into();
            fields["page_token"] = token.clone();
            let (status, answer) = list.ask(&server, &fields).await;
            let expected = if i == j { StatusCode::OK } else { StatusCode::BAD_REQUEST };
            assert_eq!(status, expected, "{} with {}'s: {answer}", list.rows, LISTS[j].0.rows);
        }
    }
}

async fn a_history_whose_run_is_collected_meanwhile_ends() {
    let server = TestServer::start().await;
    let id = run(&server, "gone").await;
    let total = 16_000;
    for start in (0..total).step_by(1000) {
        let point = |i: i64| json!({"key": "m", "value": 0.5, "timestamp": i, "step": i});
        let batch: Vec<Value> = (start..start + 1000).map(point).collect();
        server.post(&format!("{API}/runs/log-batch"), json!({"run_id": id, "metrics": batch})).await;
    }
    let request = Request::get(format!("{API}/metrics/get-history?run_id={id}&metric_key=m"));
    let response = server.send(request.header("host", "localhost").body(Body::empty()).unwrap()).await;
    let mut parts = response.into_body().into_data_stream();
    let mut text = parts.next().await.unwrap().unwrap().to_vec();

    server.post(&format!("{API}/runs/delete"), json!({"run_id": id})).await;
    let artifacts = server.folder.path().join("artifacts").into();
    let kept = Kept { db: database::of(server.folder.path()), artifacts, default_artifact_root: None };
    let what = What { older_than: -1000, ..What::default() };
    let gone = gc(&kept, &what, &(Arc::new(|_: &str| ()) as Progress)).await.unwrap();
    assert_eq!(gone.runs, 1);

    while let Some(part) = parts.next().await {
        text.extend(part.unwrap());
    }
    let history: Value = serde_json::from_slice(&text).unwrap();
    let came = history["metrics"].as_array().unwrap().len() as i64;
    assert!(came >= 5000 && came < total, "{came} points");
}

async fn a_history_comes_whole_and_in_pages_and_sampled() {
    let server = TestServer::start().await;
    let id = run(&server, "long").await;
    // Steps count down while time goes up; NaN stands beside 0.
    let total = 11_000;
    let point = |i: i64| {
        let value = if i % 100 == 1 { json!("NaN") } else { json!(i / 100 * 100 % 7) };
        json!({"key": "m", "value": value, "timestamp": i / 100, "step": total - i / 2})
    };
    let all: Vec<Value> = (0..total).map(point).collect();
    for batch in all.chunks(1000) {
        server.post(&format!("{API}/runs/log-batch"), json!({"run_id": id, "metrics": batch})).await;
    }
    let path = format!("{API}/metrics/get-history?run_id={id}&metric_key=m");
    let whole = server.get(&path).await;
    let whole = whole["metrics"].as_array().unwrap();
    assert!(whole.len() > 5000, "{} points are one part", whole.len());
    let place = |point: &Value| (point["timestamp"].as_i64(), point["step"].as_i64());
    assert!(whole.is_sorted_by_key(place));
    let distinct: std::collections::HashSet<String> = all.iter().map(ToString::to_string).collect();
    assert_eq!(whole.len(), distinct.len());

    let (mut pages, mut token) = (Vec::new(), String::new());
    loop {
        let mut page = server.get(&format!("{path}&max_results=5500&page_token={token}")).await;
        pages.append(page["metrics"].as_array_mut().unwrap());
        match page["next_page_token"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(&pages, whole);
    let other = format!("{API}/metrics/get-history?run_id={id}&metric_key=n&page_token={token}");
    let (status, answer) = server.ask(Method::GET, &other, "").await;
    assert_eq!((status, &answer["error_code"]), (StatusCode::BAD_REQUEST, &json!("INVALID_PARAMETER_VALUE")));

    let sampled = format!("{API}/metrics/get-history-bulk-interval?run_ids={id}&metric_key=m&max_results=10");
    let sampled = server.get(&sampled).await;
    let steps: Vec<i64> = sampled["metrics"].as_array().unwrap().iter().map(|m| m["step"].as_i64().unwrap()).collect();
    assert!(steps.len() == 10 && steps.is_sorted(), "{steps:?}");
    assert_eq!((steps[0], steps[9]), (total - (total - 1) / 2, total));
    // Many points are chosen by their time.
    let id = run(&server, "very long").await;
    let total = 60_000;
    for start in (0..total).step_by(1000) {
        let point = |i: i64| json!({"key": "m", "value": 0.5, "timestamp": 1_700_000_000_000 + 10 * i, "step": i});
        let batch: Vec<Value> = (start..start + 1000).map(point).collect();
        server.post(&format!("{API}/runs/log-batch"), json!({"run_id": id, "metrics": batch})).await;
    }
    let sampled = format!("{API}/metrics/get-history-bulk-interval?run_ids={id}&metric_key=m&max_results=11");
    let steps = |answer: &Value| -> Vec<i64> {
        answer["metrics"].as_array().unwrap().iter().map(|m| m["step"].as_i64().unwrap()).collect()
    };
    let whole = steps(&server.get(&sampled).await);
    assert!(whole.len() == 11 && whole[0] == 0 && whole[10] == total - 1, "{whole:?}");
    assert!(whole.windows(2).all(|pair| (5_900..=6_100).contains(&(pair[1] - pair[0]))), "{whole:?}");
    let part = steps(&server.get(&format!("{sampled}&start_step=100&end_step=110")).await);
    assert_eq!(part, (100..=110).collect::<Vec<_>>());
}
