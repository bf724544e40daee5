//! One test for each class of holes that were found in servers like this one. Those of rights are in `accounts.rs`,
//! of other names and origins in `routes.rs`.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use beira_server::{Auth, Config};
use serde_json::{Value, json};

use crate::database::on_both;
use crate::production::{IRIS, compiled};
use crate::support::{TestServer, bytes};

on_both! {
    no_local_file_is_read_by_a_source_or_a_location
    no_path_leads_out_of_the_artifacts
    no_link_leads_out_of_the_artifacts
    nobody_comes_in_by_a_default_and_nobody_signs_up
    nothing_that_was_uploaded_runs_in_a_browser
    the_server_asks_no_address_that_a_client_names
    what_is_uploaded_is_never_unpickled_or_unpacked
    errors_tell_nothing_of_the_database
    a_token_that_asks_too_often_waits
}

const API: &str = "/api/2.0/mlflow";
const FILES: &str = "/api/2.0/mlflow-artifacts/artifacts";

/// Spellings of `../../secret` and of absolute paths.
const OUTSIDE: [&str; 22] = [
    "../secret",
    "../../secret",
    "a/../../secret",
    "a/b/../../../secret",
    "..%2fsecret",
    "%2e%2e/secret",
    "%2e%2e%2fsecret",
    "%2E%2E%2Fsecret",
    "%252e%252e%252fsecret",
    "%25252e%25252e/secret",
    "..%252fsecret",
    "..%5csecret",
    "..\\secret",
    "a\\..\\secret",
    "%5c..%5csecret",
    "..%00/secret",
    "a%00",
    "./secret",
    "a/./secret",
    ".%2e/secret",
    "%2e./secret",
    "a/..%2f..%2fsecret",
];

async fn no_local_file_is_read_by_a_source_or_a_location() {
    let server = TestServer::start().await;
    let secret = server.folder.path().join("secret");
    std::fs::write(&secret, "hunter2").unwrap();
    let (path, folder) = (secret.display().to_string(), server.folder.path().display().to_string());
    server.post(&format!("{API}/registered-models/create"), json!({"name": "m"})).await;
    let mut places = vec![
        path.clone(),
        format!("file://{path}"),
        format!("file:{path}"),
        format!("file://localhost{path}"),
        format!("FILE://{path}"),
        format!("file:///..{path}"),
        format!("local://{path}"),
        format!("//{path}"),
        format!("http://x/#/../..{path}"),
        format!("mlflow-artifacts:/x#{path}"),
        format!("mlflow-artifacts:/?x={path}"),
        "secret".to_owned(),
        "..".to_owned(),
        "~/secret".to_owned(),
        "data:text/plain,x".to_owned(),
        "\\\\host\\share".to_owned(),
    ];
    places.extend(OUTSIDE.iter().map(|path| format!("mlflow-artifacts:/{path}")));
    places.extend(OUTSIDE.iter().map(|path| format!("s3://bucket/{path}")));
    for place in &places {
        let experiment = json!({"name": place, "artifact_location": place});
        let (status, answer) =
            server.ask(Method::POST, &format!("{API}/experiments/create"), &experiment.to_string()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{place}: {answer}");
        for source in [place.clone(), format!("runs:/{place}"), format!("models:/{place}")] {
            let version = json!({"name": "m", "source": source});
            let (status, answer) =
                server.ask(Method::POST, &format!("{API}/model-versions/create"), &version.to_string()).await;
            assert!(status.is_client_error(), "{source}: {status} {answer}");
            assert!(!answer.to_string().contains("hunter2"), "{answer}");
        }
    }
    // A remote place is kept for clients, and this server neither lists nor reads it.
    let far = json!({"name": "far", "artifact_location": format!("http://127.0.0.1:9{folder}")});
    let experiment = server.post(&format!("{API}/experiments/create"), far).await["experiment_id"].clone();
    let run = server.post(&format!("{API}/runs/create"), json!({"experiment_id": experiment})).await;
    let run = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    for path in [format!("{API}/artifacts/list?run_id={run}"), format!("/get-artifact?run_uuid={run}&path=secret")] {
        assert_eq!(server.ask(Method::GET, &path, "").await.0, StatusCode::BAD_REQUEST, "{path}");
    }
}

async fn no_path_leads_out_of_the_artifacts() {
    let server = TestServer::start().await;
    let root = server.folder.path().join("artifacts");
    std::fs::create_dir_all(root.join("modules")).unwrap();
    for place in [server.folder.path().join("secret"), root.join("secret"), root.join("modules/secret")] {
        std::fs::write(place, "hunter2").unwrap();
    }
    let run = server.post(&format!("{API}/runs/create"), json!({})).await;
    let run = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    let logged = server.post(&format!("{API}/logged-models"), json!({"experiment_id": "0"})).await;
    let logged = logged["model"]["info"]["model_id"].as_str().unwrap().to_owned();
    assert_eq!(server.put(&format!("{FILES}/0/{run}/artifacts/own"), "own").await, StatusCode::OK);
    let ajax = "/ajax-api/2.0/mlflow";
    for path in OUTSIDE.iter().map(|path| path.replace('\\', "%5C")) {
        let query = path.replace('%', "%25");
        let mut asked = vec![
            (Method::POST, format!("{ajax}/upload-artifact?run_uuid={run}&path={query}")),
            (Method::GET, format!("{API}/artifacts/list?run_id={run}&path={query}")),
            (Method::GET, format!("/get-artifact?run_uuid={run}&path={query}")),
            (
                Method::GET,
                format!("{API}/logged-models/{logged}/artifacts/directories?artifact_directory_path={query}"),
            ),
            (Method::GET, format!("{ajax}/logged-models/{logged}/artifacts/files?artifact_file_path={query}")),
            (Method::GET, format!("{FILES}?path={query}")),
            (Method::GET, format!("/api/2.0/mlflow-artifacts/presigned/{path}")),
        ];
        asked.extend([Method::GET, Method::PUT, Method::DELETE].map(|method| (method, format!("{FILES}/{path}"))));
        let action = |action: &str| format!("/api/2.0/mlflow-artifacts/mpu/{action}/{path}");
        asked.extend(["create", "complete", "abort"].map(|name| (Method::POST, action(name))));
        for (method, asked) in asked {
            let body = json!({"path": path, "num_parts": 1, "upload_id": path, "parts": []}).to_string();
            let (status, answer) = server.ask(method.clone(), &asked, &body).await;
            assert!(
                status.is_client_error() || status == StatusCode::NOT_IMPLEMENTED,
                "{method} {asked}: {status} {answer}"
            );
            assert!(!answer.to_string().contains("hunter2"), "{method} {asked}: {answer}");
        }
        // The web package and the dashboard are files too.
        for asked in [format!("/npm/{path}"), format!("/{path}"), format!("/docs/{path}")] {
            let (_, answer) = server.ask(Method::GET, &asked, "").await;
            assert!(!answer.to_string().contains("hunter2"), "{asked}: {answer}");
        }
    }
    for place in [server.folder.path().join("secret"), root.join("secret"), root.join("modules/secret")] {
        assert_eq!(std::fs::read_to_string(&place).unwrap(), "hunter2", "{}", place.display());
    }
}

/// Whoever may write into a folder lays links to a file and to a folder outside.
async fn no_link_leads_out_of_the_artifacts() {
    let server = TestServer::start().await;
    let outside = server.folder.path().join("outside");
    std::fs::create_dir_all(outside.join("deep")).unwrap();
    std::fs::write(outside.join("deep/secret"), "hunter2").unwrap();
    assert_eq!(server.put(&format!("{FILES}/0/run/own"), "own").await, StatusCode::OK);
    let inside = server.folder.path().join("artifacts/files/0/run");
    std::os::unix::fs::symlink(&outside, inside.join("folder")).unwrap();
    std::os::unix::fs::symlink(outside.join("deep/secret"), inside.join("file")).unwrap();
    let listed = server.get(&format!("{FILES}?path=0/run")).await;
    assert_eq!(listed, json!({"files": [{"path": "own", "is_dir": false, "file_size": 3}]}));
    for path in ["0/run/file", "0/run/folder/deep/secret", "0/run/folder/new"] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let (status, answer) = server.ask(method.clone(), &format!("{FILES}/{path}"), "x").await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{method} {path}: {answer}");
        }
    }
    let (status, _) = server.ask(Method::GET, &format!("{FILES}?path=0/run/folder/deep"), "").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(server.ask(Method::DELETE, &format!("{FILES}/0/run"), "").await.0, StatusCode::OK);
    assert!(!inside.join("own").exists());
    assert_eq!(std::fs::read_to_string(outside.join("deep/secret")).unwrap(), "hunter2");
    assert!(!outside.join("new").exists());
}

async fn nobody_comes_in_by_a_default_and_nobody_signs_up() {
    let server = TestServer::with(tempfile::tempdir().unwrap(), |config| config.auth = Some(Auth::Tokens)).await;
    // admin:password1234, admin:admin, mlflow:mlflow, and nothing at all
    for basic in ["YWRtaW46cGFzc3dvcmQxMjM0", "YWRtaW46YWRtaW4=", "bWxmbG93Om1sZmxvdw==", "Og=="] {
        let request = Request::builder()
            .uri(format!("{API}/experiments/get?experiment_id=0"))
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, format!("Basic {basic}"))
            .body(Body::empty())
            .unwrap();
        assert_eq!(server.send(request).await.status(), StatusCode::UNAUTHORIZED);
    }
    for path in [
        "/signup",
        "/api/2.0/mlflow/users/create",
        "/api/2.0/mlflow/users/create-ui",
        "/api/2.0/mlflow/users/update-admin",
        "/ajax-api/3.0/jobs",
        "/ajax-api/3.0/jobs/search",
        "/graphql",
        "/api/3.0/mlflow/gateway/secrets/create",
        "/api/2.0/mlflow/webhooks/create",
    ] {
        let (status, answer) = server.ask(Method::POST, path, r#"{"username": "eve", "password": "x"}"#).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {answer}");
    }
    #[cfg(unix)]
    if let beira_server::Database::File(file) = crate::database::of(server.folder.path()) {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "it holds keys");
    }
}

async fn nothing_that_was_uploaded_runs_in_a_browser() {
    let server = TestServer::start().await;
    let run = server.post(&format!("{API}/runs/create"), json!({})).await;
    let run = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    for name in ["x.html", "x.svg", "x.xml", "x.js", "x", "MLmodel", "x.htm%22%3B", "x%0D%0Aset-cookie:a=b.html"] {
        assert_eq!(
            server.put(&format!("{FILES}/0/{run}/artifacts/{name}"), "<script>").await,
            StatusCode::OK,
            "{name}"
        );
        for path in [format!("{FILES}/0/{run}/artifacts/{name}"), format!("/get-artifact?run_uuid={run}&path={name}")] {
            let request = Request::builder().uri(&path).header(header::HOST, "localhost").body(Body::empty()).unwrap();
            let response = server.send(request).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
            assert!(header("content-disposition").starts_with("attachment"), "{path}");
            assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
            assert!(header("content-security-policy").starts_with("sandbox;"), "{path}");
            assert!(!response.headers().contains_key("set-cookie"), "{path}");
        }
    }
    // No address that is a script becomes a link.
    server.post(&format!("{API}/registered-models/create"), json!({"name": "m"})).await;
    for link in
        ["javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)", "data:text/html,x", "//evil.example"]
    {
        let version = json!({"name": "m", "source": format!("runs:/{run}/m"), "run_link": link}).to_string();
        let (status, _) = server.ask(Method::POST, &format!("{API}/model-versions/create"), &version).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{link}");
    }
    // What a client named comes back as JSON, never as a page.
    for path in
        ["/api/2.0/mlflow/runs/get?run_id=<script>", "/v2/models/<script>", "/modules/<script>/1", "/<script>.x"]
    {
        let path = path.replace('<', "%3C").replace('>', "%3E");
        let request = Request::builder().uri(&path).header(header::HOST, "localhost").body(Body::empty()).unwrap();
        let response = server.send(request).await;
        let kind = response.headers().get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap().to_owned());
        let text = String::from_utf8(bytes(response).await).unwrap();
        assert!(
            kind.is_none_or(|kind| !kind.starts_with("text/html")) || !text.contains("<script>.x"),
            "{path}: {text}"
        );
    }
}

async fn the_server_asks_no_address_that_a_client_names() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = TestServer::start().await;
    let url = |scheme: &str| format!("{scheme}://{address}/x");
    server.post(&format!("{API}/registered-models/create"), json!({"name": "m", "description": url("http")})).await;
    for (i, scheme) in ["http", "https", "ftp", "s3", "gs", "mlflow-artifacts"].into_iter().enumerate() {
        let place = url(scheme);
        let experiment =
            json!({"name": format!("e{i}"), "artifact_location": place, "tags": [{"key": "k", "value": place}]});
        let experiment = server.post(&format!("{API}/experiments/create"), experiment).await["experiment_id"].clone();
        let run = server.post(&format!("{API}/runs/create"), json!({"experiment_id": experiment})).await;
        let run = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();
        let dataset = json!({"name": "d", "digest": "1", "source_type": scheme, "source": place});
        let inputs = json!({"run_id": run, "datasets": [{"dataset": dataset}]});
        server.post(&format!("{API}/runs/log-inputs"), inputs).await;
        // Its files are looked for by the worker that compiles.
        let version = json!({"name": "m", "source": place, "run_link": url("http")}).to_string();
        server.ask(Method::POST, &format!("{API}/model-versions/create"), &version).await;
        for path in [
            format!("{API}/artifacts/list?run_id={run}"),
            format!("/get-artifact?run_uuid={run}&path=x"),
            format!("/model-versions/get-artifact?name=m&version={}&path=x", i + 1),
            format!("/modules/m/{}", i + 1),
            format!("{FILES}?path={place}"),
        ] {
            server.ask(Method::GET, &path, "").await;
        }
    }
    let nobody = tokio::time::timeout(std::time::Duration::from_millis(1500), listener.accept()).await;
    assert!(nobody.is_err(), "the server asked {address}");
}

/// A model's folder holds a pickle and an archive that would leave a mark, beside the ONNX file.
async fn what_is_uploaded_is_never_unpickled_or_unpacked() {
    let server = TestServer::start().await;
    let mark = server.folder.path().join("mark");
    let pickle = format!("cos\nsystem\n(S'touch {}'\ntR.", mark.display());
    let folder = format!("{FILES}/models/iris");
    for (name, content) in [
        ("model.pkl", pickle.clone().into_bytes()),
        ("python_model.pkl", pickle.clone().into_bytes()),
        ("model.tar.gz", vec![0x1f, 0x8b, 8, 0]),
        ("MLmodel", b"a: !!python/object/apply:os.system ['touch mark']\n".to_vec()),
        ("model.onnx", IRIS.to_vec()),
    ] {
        assert_eq!(server.put(&format!("{folder}/{name}"), content).await, StatusCode::OK);
    }
    server.post(&format!("{API}/registered-models/create"), json!({"name": "iris"})).await;
    let version = json!({"name": "iris", "source": "mlflow-artifacts:/models/iris"});
    server.post(&format!("{API}/model-versions/create"), version).await;
    assert_eq!(compiled(&server).await["error"], Value::Null);
    assert!(!mark.exists());
    let names: Vec<_> =
        std::fs::read_dir(server.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        names.iter().all(|name| ["artifacts", "beira.db", "postgres"]
            .iter()
            .any(|own| name.to_string_lossy().starts_with(own))),
        "{names:?}"
    );
}

async fn errors_tell_nothing_of_the_database() {
    let server = TestServer::start().await;
    crate::database::break_runs(server.folder.path());
    for (path, body) in [
        ("runs/create", json!({"run_name": "hunter2"})),
        ("runs/search", json!({"experiment_ids": ["0"], "filter": "params.a = 'hunter2'"})),
        ("runs/log-metric", json!({"run_id": "hunter2", "key": "a", "value": 1, "timestamp": 1})),
    ] {
        let (status, answer) = server.ask(Method::POST, &format!("{API}/{path}"), &body.to_string()).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{path}: {answer}");
        let expected = "The server could not finish the request; its log says why.";
        assert_eq!(answer, json!({"error_code": "INTERNAL_ERROR", "message": expected}), "{path}");
    }
}

async fn a_token_that_asks_too_often_waits() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::with(folder, |config| {
        *config = Config { auth: Some(Auth::Tokens), rate_limit: 5, ..config.clone() };
    })
    .await;
    let tokens = beira_server::Tokens::open(&crate::database::of(server.folder.path())).await.unwrap();
    let token = async || {
        let new = beira_server::NewToken {
            role: beira_server::Role::Viewer,
            name: String::new(),
            experiments: Vec::new(),
            models: Vec::new(),
            expires: None,
        };
        tokens.create(new).await.unwrap()
    };
    let (busy, calm) = (token().await, token().await);
    let ask = async |token: &str| {
        let request = Request::builder()
            .uri(format!("{API}/experiments/get?experiment_id=0"))
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        let response = server.send(request.body(Body::empty()).unwrap()).await;
        (
            response.status().as_u16(),
            response.headers().get(header::RETRY_AFTER).map(|value| value.to_str().unwrap().to_owned()),
        )
    };
    let mut answers = Vec::new();
    for _ in 0..30 {
        answers.push(ask(&busy).await);
    }
    let refused = answers.iter().filter(|answer| **answer == (429, Some("1".to_owned()))).count();
    let served = answers.iter().filter(|answer| **answer == (200, None)).count();
    assert_eq!(refused + served, 30, "{answers:?}");
    assert!((10..=15).contains(&served), "{served} of 30 within a moment, at 5 a second");
    assert_eq!(ask(&calm).await, (200, None));
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert_eq!(ask(&busy).await, (200, None));
}
