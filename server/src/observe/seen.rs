//! One request, seen from its first to its last moment: its trace goes on, a line is logged, a span is kept.

use std::future::Future;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use axum::response::Response;
use tracing::Level;

use super::otlp::{Otlp, Span};
use super::trace::{CURRENT, Context};
use crate::clock::now_ns;

/// The header of W3C trace context.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A request under way.
pub struct Seen {
    context: Context,
    start: Instant,
    /// For a span.
    start_ns: Option<u64>,
    /// For a line of the log.
    said: Option<Said>,
}

/// What the client said that a line repeats.
struct Said {
    path: String,
    size: Option<String>,
    agent: Option<String>,
}

impl Seen {
    /// Reads what the log will say, if it will. The query is left out: it may hold features.
    pub fn begin(uri: &Uri, headers: &HeaderMap, spans: bool) -> Seen {
        let header = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let said = tracing::enabled!(Level::INFO).then(|| Said {
            path: uri.path().to_owned(),
            size: header(header::CONTENT_LENGTH).map(str::to_owned),
            agent: header(header::USER_AGENT).map(str::to_owned),
        });
        let context = Context::begin(header(TRACEPARENT));
        Seen { context, start: Instant::now(), start_ns: spans.then(now_ns), said }
    }

    /// Runs the handler with the trace at hand, so that whatever it logs belongs to it.
    pub async fn scope<T>(&self, handler: impl Future<Output = T>) -> T {
        CURRENT.scope(self.context, handler).await
    }

    /// Answers the trace's header, logs, keeps the span. `route` is the declared path.
    pub fn end(self, method: &Method, route: &str, response: &mut Response, otlp: Option<&Otlp>) -> Duration {
        let (elapsed, status) = (self.start.elapsed(), response.status().as_u16());
        if let Ok(value) = HeaderValue::from_bytes(&self.context.header()) {
            response.headers_mut().insert(TRACEPARENT, value);
        }
        if let Some(said) = self.said {
            CURRENT.sync_scope(self.context, || {
                let answered = response.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
                tracing::info!(
                    route,
                    httpRequest.requestMethod = method.as_str(),
                    httpRequest.requestUrl = said.path,
                    httpRequest.status = status,
                    httpRequest.latency = format!("{:.6}s", elapsed.as_secs_f64()),
                    httpRequest.requestSize = said.size,
                    httpRequest.responseSize = answered,
                    httpRequest.userAgent = said.agent,
                    "request"
                );
            });
        }
        if let (Some(otlp), Some(start_ns)) = (otlp, self.start_ns) {
            otlp.span(Span {
                context: self.context,
                name: format!("{method} {route}"),
                method: method.to_string(),
                route: route.to_owned(),
                status,
                start_ns,
                end_ns: start_ns + u64::try_from(elapsed.as_nanos()).unwrap_or_default(),
            });
        }
        elapsed
    }
}
