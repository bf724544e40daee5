//! `/api/2.0/mlflow-artifacts`: files of any name and size in and out, and nothing outside the folder.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::database::on_both;
use crate::support::{TestServer, bytes};

on_both! {
    odd_names_and_large_files_come_back_as_they_went
    nothing_leads_outside
    an_upload_that_breaks_off_leaves_nothing
    a_range_is_a_part_of_the_file
    parts_are_put_together_in_a_folder
    what_is_longer_than_the_limit_is_refused_and_leaves_nothing
    pages_upload_small_files_and_read_those_of_models
}

const ROOT: &str = "/api/2.0/mlflow-artifacts/artifacts";

async fn get(server: &TestServer, path: &str) -> (StatusCode, Vec<u8>, axum::http::HeaderMap) {
    let request = Request::builder().uri(path).header("host", "localhost").body(Body::empty()).unwrap();
    let response = server.send(request).await;
    let (status, headers) = (response.status(), response.headers().clone());
    (status, bytes(response).await, headers)
}

/// Status, `content-range` and body of a file that is asked for with these headers.
async fn ranged(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> (u16, String, String) {
    let mut request = Request::builder().uri(path).header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = server.send(request.body(Body::empty()).unwrap()).await;
    let range = response.headers().get("content-range").map_or("", |value| value.to_str().unwrap()).to_owned();
    (response.status().as_u16(), range, String::from_utf8(bytes(response).await).unwrap())
}

async fn a_range_is_a_part_of_the_file() {
    let server = TestServer::start().await;
    let path = format!("{ROOT}/digits.txt");
    server.put(&path, "0123456789").await;
    let (_, _, headers) = get(&server, &path).await;
    assert_eq!(headers["accept-ranges"], "bytes");
    let tag = headers["etag"].to_str().unwrap();
    let check = async |headers: &[(&str, &str)], status: u16, range: &str, body: &str| {
        let expected = (status, range.to_owned(), body.to_owned());
        assert_eq!(ranged(&server, &path, headers).await, expected, "{headers:?}");
    };
    check(&[("range", "bytes=2-4")], 206, "bytes 2-4/10", "234").await;
    check(&[("range", "bytes=7-")], 206, "bytes 7-9/10", "789").await;
    check(&[("range", "bytes=7-99")], 206, "bytes 7-9/10", "789").await;
    check(&[("range", "bytes=-2")], 206, "bytes 8-9/10", "89").await;
    check(&[("range", "bytes=2-4"), ("if-range", tag)], 206, "bytes 2-4/10", "234").await;
    check(&[("range", "bytes=2-4"), ("if-range", "\"older\"")], 200, "", "0123456789").await;
    check(&[("range", "bytes=0-1,3-4")], 200, "", "0123456789").await;
    check(&[("range", "bytes=10-")], 416, "bytes */10", "").await;
    assert_eq!(ranged(&server, &format!("{ROOT}/none"), &[("range", "bytes=0-1")]).await.0, 404);
}

/// Sends a part to its address; returns the tag of the answer.
async fn part(server: &TestServer, address: &Value, body: &[u8]) -> Option<String> {
    let path = address.as_str().unwrap().strip_prefix("http://127.0.0.1:8080").unwrap();
    let request = Request::builder().method(Method::PUT).uri(path).header("host", "localhost");
    let response = server.send(request.body(Body::from(body.to_vec())).unwrap()).await;
    response.status().is_success().then(|| response.headers()["etag"].to_str().unwrap().to_owned())
}

async fn parts_are_put_together_in_a_folder() {
    const MPU: &str = "/api/2.0/mlflow-artifacts/mpu";
    let server = TestServer::start().await;
    let wanted = json!({"path": "/home/me/large.bin", "num_parts": 3});
    let upload = server.post(&format!("{MPU}/create/1/run"), wanted.clone()).await;
    let id = &upload["upload_id"];
    let addresses: Vec<&Value> = upload["credentials"].as_array().unwrap().iter().map(|c| &c["url"]).collect();
    assert_eq!(addresses.len(), 3);
    let contents = [vec![1u8; 5_000_000], vec![2u8; 9_000_000], vec![3u8; 7]];
    let mut parts = Vec::new();
    for number in [3usize, 1, 2] {
        let etag = part(&server, addresses[number - 1], &contents[number - 1]).await.unwrap();
        parts.push(json!({"part_number": number, "etag": etag}));
    }
    let complete = format!("{MPU}/complete/1/run");
    let whole = |parts: &[Value]| json!({"path": "large.bin", "upload_id": id, "parts": parts}).to_string();
    let mut wrong = parts.clone();
    wrong[0]["etag"] = "\"another\"".into();
    for (path, body, expected) in [
        (complete.as_str(), whole(&parts[..2]), "400 INVALID_PARAMETER_VALUE"),
        (&complete, whole(&wrong), "400 INVALID_PARAMETER_VALUE"),
        (&complete, whole(&[]), "400 INVALID_PARAMETER_VALUE"),
        (&format!("{MPU}/complete/2/run"), whole(&parts), "400 INVALID_PARAMETER_VALUE"),
        (&format!("{MPU}/complete/%2e%2e/run"), whole(&parts), "400 INVALID_PARAMETER_VALUE"),
        (&complete, whole(&parts).replace(id.as_str().unwrap(), &"0".repeat(32)), "404 RESOURCE_DOES_NOT_EXIST"),
        (&complete, whole(&parts).replace(id.as_str().unwrap(), "../files"), "404 RESOURCE_DOES_NOT_EXIST"),
    ] {
        let refused = server.refused(path, &body).await;
        assert!(refused.starts_with(expected), "{path} {body}: {refused}");
    }
    assert_eq!(server.get(&format!("{ROOT}?path=1/run")).await, json!({}));
    server.post(&complete, serde_json::from_str(&whole(&parts)).unwrap()).await;
    let (_, back, _) = get(&server, &format!("{ROOT}/1/run/large.bin")).await;
    assert!(back == contents.concat());
    assert!(part(&server, addresses[0], b"late").await.is_none(), "the upload has ended");
    let upload = server.post(&format!("{MPU}/create"), wanted).await;
    let abort = json!({"path": "large.bin", "upload_id": upload["upload_id"]});
    server.post(&format!("{MPU}/abort"), abort).await;
    assert!(part(&server, &upload["credentials"][0]["url"], b"late").await.is_none());
    assert_eq!(server.get(ROOT).await, json!({"files": [{"path": "1", "is_dir": true}]}));
    for parts in [0, 10_001] {
        let refused =
            server.refused(&format!("{MPU}/create"), &json!({"path": "x", "num_parts": parts}).to_string()).await;
        assert!(refused.starts_with("400"), "{refused}");
    }
}

/// With a limit of 20 MB: whole, or in parts.
async fn what_is_longer_than_the_limit_is_refused_and_leaves_nothing() {
    let server = TestServer::with(tempfile::tempdir().unwrap(), |config| config.artifact_bytes_max = 20_000_000).await;
    let upload = async |name: &str, chunks: usize| {
        let sent = (0..chunks).map(|_| Ok::<_, std::io::Error>(vec![7u8; 1_000_000]));
        let request = Request::builder().method(Method::PUT).uri(format!("{ROOT}/{name}")).header("host", "localhost");
        let body = Body::from_stream(futures_util::stream::iter(sent));
        let response = server.send(request.body(body).unwrap()).await;
        (response.status(), String::from_utf8(bytes(response).await).unwrap())
    };
    assert_eq!(upload("fits", 20).await.0, StatusCode::OK);
    for (name, chunks) in [("large", 21), ("endless", 10_000)] {
        let (status, answer) = upload(name, chunks).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{name}: {answer}");
        assert!(answer.contains("longer than 20000000 bytes"), "{name}: {answer}");
    }
    const MPU: &str = "/api/2.0/mlflow-artifacts/mpu";
    let begun = server.post(&format!("{MPU}/create"), json!({"path": "parts", "num_parts": 3})).await;
    let mut parts = Vec::new();
    for (number, credential) in (1..).zip(begun["credentials"].as_array().unwrap()) {
        let etag = part(&server, &credential["url"], &[7; 7_000_000]).await.unwrap();
        parts.push(json!({"part_number": number, "etag": etag}));
    }
    let complete = json!({"path": "parts", "upload_id": begun["upload_id"], "parts": parts});
    let refused = server.refused(&format!("{MPU}/complete"), &complete.to_string()).await;
    assert!(refused.starts_with("413"), "{refused}");
    let fits = json!({"path": "fits", "is_dir": false, "file_size": 20_000_000});
    assert_eq!(server.get(ROOT).await, json!({"files": [fits]}));
}

async fn pages_upload_small_files_and_read_those_of_models() {
    let server = TestServer::start().await;
    let run = server.post("/api/2.0/mlflow/runs/create", json!({"experiment_id": "0"})).await;
    let run = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    let upload = |path: &str| format!("/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path={path}");
    let (status, answer) = server.ask(Method::POST, &upload("notes/a%20b.txt"), "hello").await;
    assert_eq!((status, answer), (StatusCode::OK, json!({})));
    for (path, body, expected) in [
        (upload("x"), String::new(), "400 INVALID_PARAMETER_VALUE Request must specify data."),
        (upload("../x"), "x".to_owned(), "400 INVALID_PARAMETER_VALUE Invalid path"),
        (
            upload("x"),
            "x".repeat((10 << 20) + 1),
            "400 INVALID_PARAMETER_VALUE Artifact size is too large. Max size is 10MB.",
        ),
        (
            upload("x").replace(&run, "nobody"),
            "x".to_owned(),
            "404 RESOURCE_DOES_NOT_EXIST Run with id=nobody not found",
        ),
    ] {
        assert_eq!(server.refused(&path, &body).await, expected, "{path}");
    }
    let (status, content, headers) = get(&server, &format!("/get-artifact?run_uuid={run}&path=notes/a%20b.txt")).await;
    assert_eq!((status, content.as_slice()), (StatusCode::OK, b"hello".as_slice()));
    assert_eq!(headers["content-disposition"], "attachment; filename*=UTF-8''a%20b.txt");
    let list = server.get(&format!("/api/2.0/mlflow/artifacts/list?run_id={run}&path=notes")).await;
    assert_eq!(list["files"], json!([{"path": "notes/a b.txt", "is_dir": false, "file_size": 5}]));

    let model = server.post("/api/2.0/mlflow/logged-models", json!({"experiment_id": "0", "name": "m"})).await;
    let model = model["model"]["info"]["model_id"].as_str().unwrap().to_owned();
    server.put(&format!("{ROOT}/0/models/{model}/artifacts/MLmodel"), "flavors: {}").await;
    let path = format!("/ajax-api/2.0/mlflow/logged-models/{model}/artifacts");
    let list = server.get(&format!("{path}/directories")).await;
    assert_eq!(list["files"], json!([{"path": "MLmodel", "is_dir": false, "file_size": 11}]));
    let (status, content, _) = get(&server, &format!("{path}/files?artifact_file_path=MLmodel")).await;
    assert_eq!((status, content.as_slice()), (StatusCode::OK, b"flavors: {}".as_slice()));
    assert_eq!(get(&server, &format!("{path}/files?artifact_file_path=../x")).await.0, StatusCode::BAD_REQUEST);

    for kind in ["upload", "download"] {
        let path = format!("/api/2.0/mlflow/artifacts/presigned-{kind}-url");
        let refused = server.refused(&path, &json!({"run_id": run, "path": "x"}).to_string()).await;
        assert_eq!(
            refused,
            "400 INVALID_PARAMETER_VALUE x lies behind this server, for which there are no presigned URLs."
        );
    }
    let (status, _) = server.ask(Method::GET, "/api/2.0/mlflow-artifacts/presigned/0/x", "").await;
    assert_eq!(status, StatusCode::NOT_IMPLEMENTED);
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
