//! A server on a fresh folder, asked without a socket.

use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use beira_server::{App, Config, Declared, House};
use serde_json::Value;

use crate::database;

/// A running application.
pub struct TestServer {
    pub app: App,
    pub routes: Vec<Declared>,
    router: House,
    pub folder: tempfile::TempDir,
}

impl TestServer {
    pub async fn start() -> TestServer {
        Self::open(tempfile::tempdir().unwrap()).await
    }

    /// Opens the state that another server left in `folder`.
    pub async fn open(folder: tempfile::TempDir) -> TestServer {
        Self::with(folder, |_| ()).await
    }

    /// A server with other settings than the usual.
    pub async fn with(folder: tempfile::TempDir, change: impl FnOnce(&mut Config)) -> TestServer {
        let mut config = Config {
            db: database::of(folder.path()),
            artifacts: folder.path().join("artifacts").into(),
            ..Config::default()
        };
        change(&mut config);
        let app = App::open(config).await.unwrap();
        let (router, routes) = app.router();
        TestServer { app, routes, router, folder }
    }

    /// Closes the store, keeps the folder.
    pub async fn stop(self) -> tempfile::TempDir {
        self.app.close().await;
        self.folder
    }

    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.answer(request).await
    }

    pub async fn ask(&self, method: Method, path: &str, body: &str) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "127.0.0.1:8080")
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response = self.send(request).await;
        let status = response.status();
        let bytes = bytes(response).await;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// GET that must succeed.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, "").await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    /// POST that must succeed.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, body) = self.ask(Method::POST, path, &body.to_string()).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    /// POST that must fail: status, code and sentence.
    pub async fn refused(&self, path: &str, body: &str) -> String {
        let (status, body) = self.ask(Method::POST, path, body).await;
        assert!(!status.is_success(), "{path}: {body}");
        format!(
            "{} {} {}",
            status.as_u16(),
            body["error_code"].as_str().unwrap_or("-"),
            body["message"].as_str().unwrap_or("-")
        )
    }

    pub async fn put(&self, path: &str, body: impl Into<Body>) -> StatusCode {
        let request =
            Request::builder().method(Method::PUT).uri(path).header("host", "localhost").body(body.into()).unwrap();
        self.send(request).await.status()
    }
}

pub async fn bytes(response: Response<Body>) -> Vec<u8> {
    axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()
}
