//! Requests to an MLflow server.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::Value;

use crate::artifacts::http::{Asker, asker};
use crate::housekeeping::Failed;
use crate::url::encoded;

/// Longest JSON that is read.
const MOST: usize = 1 << 30;

/// A server. It is asked as MLflow's environment variables say: a token, or user and password.
pub struct Http {
    asker: Asker<Body>,
    server: String,
    authorization: Option<HeaderValue>,
}

impl Http {
    /// The server at an address.
    pub fn new(server: &str) -> Result<Http, Failed> {
        let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let basic = || {
            let (user, password) = (variable("MLFLOW_TRACKING_USERNAME")?, variable("MLFLOW_TRACKING_PASSWORD")?);
            Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
        };
        let authorization = variable("MLFLOW_TRACKING_TOKEN").map(|token| format!("Bearer {token}")).or_else(basic);
        let authorization = authorization.map(|text| HeaderValue::try_from(text).map_err(|e| Failed(e.to_string())));
        let server = server.trim_end_matches('/').to_owned();
        Ok(Http { asker: asker(), server, authorization: authorization.transpose()? })
    }

    /// `GET` with a query.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failed> {
        let pairs: Vec<String> = query.iter().map(|(key, value)| format!("{key}={}", encoded(value))).collect();
        let path = if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) };
        self.json(Method::GET, &path, Body::empty()).await
    }

    /// A request with JSON.
    pub async fn send(&self, method: Method, path: &str, body: &Value) -> Result<Value, Failed> {
        self.json(method, path, Body::from(body.to_string())).await
    }

    /// `POST`.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Failed> {
        self.send(Method::POST, path, body).await
    }

    /// A body as it comes.
    pub async fn fetch(&self, path: &str) -> Result<Body, Failed> {
        Ok(Body::new(self.answer(Method::GET, path, Body::empty(), None).await?.into_body()))
    }

    /// `PUT` of a file.
    pub async fn put(&self, path: &str, body: Body) -> Result<(), Failed> {
        self.answer(Method::PUT, path, body, Some("application/octet-stream")).await.map(drop)
    }

    async fn json(&self, method: Method, path: &str, body: Body) -> Result<Value, Failed> {
        let answer = self.answer(method, path, body, Some("application/json")).await?;
        let bytes = read(answer).await.ok_or_else(|| Failed(format!("{}{path}: the answer broke off", self.server)))?;
        serde_json::from_slice(&bytes).map_err(|error| Failed(format!("{}{path}: {error}", self.server)))
    }

    async fn answer(
        &self,
        method: Method,
        path: &str,
        body: Body,
        kind: Option<&str>,
    ) -> Result<Response<Incoming>, Failed> {
        let failed = |what: String| Failed(format!("{}{path}: {what}", self.server));
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.server));
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let request = request.body(body).map_err(|error| failed(error.to_string()))?;
        let answer = self.asker.request(request).await.map_err(|error| failed(causes(&error)))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let said = read(answer).await.unwrap_or_default();
        let said: Value = serde_json::from_slice(&said).unwrap_or_default();
        Err(failed(format!("{}: {}", status.as_u16(), said["message"].as_str().unwrap_or(reason(status)))))
    }
}

fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("refused")
}

async fn read(answer: Response<Incoming>) -> Option<Bytes> {
    Some(Limited::new(answer.into_body(), MOST).collect().await.ok()?.to_bytes())
}

/// An error with what caused it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
