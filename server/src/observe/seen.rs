//! One request, seen from its first to its last moment: its trace goes on, a line is logged, a span is kept.

use std::future::Future;
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;

use super::otlp::{Otlp, Span};
use super::trace::{CURRENT, Context};
use crate::clock::now_ns;

/// The header of W3C trace context.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A request under way.
pub struct Seen {
    context: Context,
    start: Instant,
    start_ns: u64,
    method: String,
    path: String,
    size: Option<String>,
    agent: Option<String>,
}

impl Seen {
    /// Reads what the log will say. The query is left out: it may hold features.
    pub fn begin(request: &Request) -> Seen {
        let header = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
        Seen {
            context: Context::begin(header(TRACEPARENT)),
            start: Instant::now(),
            start_ns: now_ns(),
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            size: header(header::CONTENT_LENGTH).map(str::to_owned),
            agent: header(header::USER_AGENT).map(str::to_owned),
        }
    }

    /// Runs the handler with the trace at hand, so that whatever it logs belongs to it.
    pub async fn scope<T>(&self, handler: impl Future<Output = T>) -> T {
        CURRENT.scope(self.context, handler).await
    }

    /// Answers the trace's header, logs, keeps the span. `route` is the declared path.
    pub fn end(self, route: &str, response: &mut Response, otlp: Option<&Otlp>) -> Duration {
        let (elapsed, status) = (self.start.elapsed(), response.status().as_u16());
        if let Ok(value) = HeaderValue::from_str(&self.context.header()) {
            response.headers_mut().insert(TRACEPARENT, value);
        }
        CURRENT.sync_scope(self.context, || {
            let answered = response.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
            tracing::info!(
                route,
                httpRequest.requestMethod = self.method,
                httpRequest.requestUrl = self.path,
                httpRequest.status = status,
                httpRequest.latency = format!("{:.6}s", elapsed.as_secs_f64()),
                httpRequest.requestSize = self.size,
                httpRequest.responseSize = answered,
                httpRequest.userAgent = self.agent,
                "request"
            );
        });
        if let Some(otlp) = otlp {
            otlp.span(Span {
                context: self.context,
                name: format!("{} {route}", self.method),
                method: self.method,
                route: route.to_owned(),
                status,
                start_ns: self.start_ns,
                end_ns: self.start_ns + u64::try_from(elapsed.as_nanos()).unwrap_or_default(),
            });
        }
        elapsed
    }
}
