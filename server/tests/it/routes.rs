//! All routes: what each demands, and who is kept out.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use beira_server::Permission;

use crate::support::TestServer;

#[tokio::test]
async fn every_route_declares_what_it_demands() {
    let server = TestServer::start().await;
    let lines: Vec<String> = server
        .routes
        .iter()
        .filter(|route| !route.path.starts_with("/ajax-api"))
        .map(|route| {
            let about = route.resource.map_or("list".to_owned(), |resource| format!("{resource:?}"));
            format!("{:7} {:7} {}: {about}", format!("{:?}", route.permission), route.method, route.path)
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn both_prefixes_of_mlflow_are_one_table() {
    let server = TestServer::start().await;
    let of = |prefix: &str| -> Vec<(String, Method, Permission)> {
        let strip = |path: &str| path.strip_prefix(prefix).map(ToOwned::to_owned);
        server.routes.iter().filter_map(|r| Some((strip(&r.path)?, r.method.clone(), r.permission))).collect()
    };
    let mut ajax = of("/ajax-api");
    let own = ["get-artifact", "upload-artifact", "get-history-bulk", "search-datasets", "artifacts/files"];
    ajax.retain(|(path, ..)| !own.iter().any(|end| path.ends_with(end))); // the user interface's own
    let mut api = of("/api");
    api.retain(|(path, ..)| !path.starts_with("/beira"));
    assert_eq!(api, ajax);
}

/// A page of another site may read what is public and send counters; it may do nothing else.
#[tokio::test]
async fn pages_of_other_origins_change_nothing() {
    let server = TestServer::start().await;
    for route in &server.routes {
        let path = route.path.replace(['{', '}', '*'], "");
        let request = Request::builder()
            .method(&route.method)
            .uri(&path)
            .header("host", "127.0.0.1:8080")
            .header("origin", "https://evil.example")
            .header("content-type", "application/json")
            .body(Body::empty())
            .unwrap();
        let response = server.send(request).await;
        let open = response.headers().contains_key("access-control-allow-origin");
        let expected = matches!(route.permission, Permission::Public | Permission::Module | Permission::Ingest);
        assert_eq!(open, expected, "{} {}", route.method, route.path);
        if !expected && route.method != Method::GET {
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{} {}", route.method, route.path);
        }
    }
}

#[tokio::test]
async fn other_host_names_are_refused_everywhere() {
    let server = TestServer::start().await;
    for path in ["/", "/health", "/api/beira/overview", "/modules/a/1", "/npm/index.js"] {
        let request = Request::builder().uri(path).header("host", "evil.example:8080").body(Body::empty()).unwrap();
        assert_eq!(server.send(request).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413() {
    let server = TestServer::start().await;
    let body = format!("{{\"x\": \"{}\"}}", "a".repeat(17 << 20));
    let (status, answer) = server.ask(Method::POST, "/api/2.0/mlflow/runs/log-batch", &body).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{answer}");
}
