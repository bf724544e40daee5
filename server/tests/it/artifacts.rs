//! `/api/2.0/mlflow-artifacts`: files of any name and size in and out, and nothing outside the folder.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::json;

use crate::database::on_both;
use crate::support::{TestServer, bytes};

on_both! {
    odd_names_and_large_files_come_back_as_they_went
    nothing_leads_outside
    an_upload_that_breaks_off_leaves_nothing
}

const ROOT: &str = "/api/2.0/mlflow-artifacts/artifacts";

async fn get(server: &TestServer, path: &str) -> (StatusCode, Vec<u8>, axum::http::HeaderMap) {
    let request = Request::builder().uri(path).header("host", "localhost").body(Body::empty()).unwrap();
    let response = server.send(request).await;
    let (status, headers) = (response.status(), response.headers().clone());
    (status, bytes(response).await, headers)
}

async fn odd_names_and_large_files_come_back_as_they_went() {
    let server = TestServer::start().await;
    let large: Vec<u8> = (0..20_000_000u32).map(|i| (i % 251) as u8).collect();
    for (name, content) in [
        ("plain.txt", b"text".to_vec()),
        ("img%2Bstep%2B1%20%25.png", b"png".to_vec()),
        ("%C3%A4%5B1%5D%23x.json", b"{}".to_vec()),
        ("empty", Vec::new()),
        ("large.bin", large),
    ] {
        assert_eq!(
            server.put(&format!("{ROOT}/1/run/artifacts/{name}"), content.clone()).await,
            StatusCode::OK,
            "{name}"
        );
        let (status, back, headers) = get(&server, &format!("{ROOT}/1/run/artifacts/{name}")).await;
        assert_eq!(status, StatusCode::OK, "{name}");
        assert!(back == content, "{name}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert!(headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    }
    let list = server.get(&format!("{ROOT}?path=1/run/artifacts")).await;
    let names: Vec<&str> =
        list["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(names, ["empty", "img+step+1 %.png", "large.bin", "plain.txt", "ä[1]#x.json"]);
    assert_eq!(server.get(&format!("{ROOT}?path=1")).await, json!({"files": [{"path": "run", "is_dir": true}]}));
    assert_eq!(server.get(&format!("{ROOT}?path=nowhere")).await, json!({}));
    let (status, _) = server.ask(Method::DELETE, &format!("{ROOT}/1/run"), "").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(server.get(&format!("{ROOT}?path=1")).await, json!({}));
}

async fn nothing_leads_outside() {
    let server = TestServer::start().await;
    std::fs::write(server.folder.path().join("secret"), "s").unwrap();
    for path in [
        "%2e%2e/secret",
        "%2e%2e%2f%2e%2e%2fsecret",
        "a/%2e%2e/%2e%2e/secret",
        "%252e%252e/secret",
        "..%5Csecret",
        "a%00",
    ] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let (status, _) = server.ask(method.clone(), &format!("{ROOT}/{path}"), "x").await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{method} {path}");
        }
        let (status, _) = server.ask(Method::GET, &format!("{ROOT}?path={path}"), "").await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "list {path}");
    }
    let (status, _, _) = get(&server, &format!("{ROOT}/nothing")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

async fn an_upload_that_breaks_off_leaves_nothing() {
    let server = TestServer::start().await;
    let parts = futures_util::stream::iter([
        Ok(vec![7u8; 9 << 20]),
        Ok(vec![7u8; 9 << 20]),
        Err(std::io::Error::other("the line went dead")),
    ]);
    assert_eq!(server.put(&format!("{ROOT}/cut.bin"), Body::from_stream(parts)).await, StatusCode::BAD_REQUEST);
    assert_eq!(server.get(ROOT).await, json!({}));
}
