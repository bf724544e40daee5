//! OTLP over HTTP with JSON: metrics and spans to a collector, or straight to Google Cloud.
//!
//! Set up by OpenTelemetry's own variables: `OTEL_EXPORTER_OTLP_ENDPOINT` (or `…_METRICS_ENDPOINT`,
//! `…_TRACES_ENDPOINT`), `…_HEADERS`, `…_TIMEOUT`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`,
//! `OTEL_METRIC_EXPORT_INTERVAL`, `OTEL_BSP_SCHEDULE_DELAY`, `OTEL_TRACES_SAMPLER_ARG`, `OTEL_SDK_DISABLED`.
//! Written by hand: the shapes are these two files, and the crates for it would bring a second HTTP client.

mod google;
mod json;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use percent_encoding::percent_decode_str;

use super::family::Family;
use super::http;
use super::trace::Context;
use crate::clock::now_ns;

/// Most spans waiting; more are dropped and counted.
const SPANS: usize = 8192;
/// Most spans of one message.
const BATCH: usize = 512;

/// The exporter.
pub struct Otlp {
    metrics: Option<String>,
    traces: Option<String>,
    headers: Vec<(String, String)>,
    attributes: Vec<(String, String)>,
    timeout: Duration,
    metrics_every: Duration,
    traces_every: Duration,
    /// Share of traces that begin here and are recorded.
    share: f64,
    spans: Mutex<VecDeque<Span>>,
    dropped: AtomicU64,
    start_ns: u64,
    google: google::Google,
}

/// One request as a trace shows it.
#[derive(Clone, Debug)]
pub struct Span {
    /// Where it stands.
    pub context: Context,
    /// `POST /predict/{name}`: the declared path, never what the client wrote.
    pub name: String,
    /// Method and route by themselves.
    pub method: String,
    /// See `method`.
    pub route: String,
    /// Status.
    pub status: u16,
    /// Start and end, nanoseconds since 1970.
    pub start_ns: u64,
    /// See `start_ns`.
    pub end_ns: u64,
}

impl std::fmt::Debug for Otlp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Otlp") // the headers may hold a token
    }
}

/// Gives all metrics as they stand.
pub type Collect = Arc<dyn Fn() -> BoxFuture<'static, Vec<Family>> + Send + Sync>;

impl Otlp {
    /// The exporter that the environment asks for; `None` when it asks for none. An error names the variable.
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Arc<Otlp>>, String> {
        let variable = |name: &str| variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        if variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let base = variable("OTEL_EXPORTER_OTLP_ENDPOINT");
        let endpoint = |signal: &str, path: &str| {
            if variable(&format!("OTEL_{signal}_EXPORTER")).as_deref() == Some("none") {
                return None;
            }
            let own = variable(&format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"));
            own.or_else(|| base.as_ref().map(|base| format!("{}/{path}", base.trim_end_matches('/'))))
        };
        let (metrics, traces) = (endpoint("METRICS", "v1/metrics"), endpoint("TRACES", "v1/traces"));
        if metrics.is_none() && traces.is_none() {
            return Ok(None);
        }
        for url in metrics.iter().chain(&traces) {
            if !(url.starts_with("http://") || url.starts_with("https://")) {
                return Err("OTEL_EXPORTER_OTLP_ENDPOINT must begin with http:// or https://".to_owned());
            }
        }
        if variable("OTEL_EXPORTER_OTLP_PROTOCOL").is_some_and(|protocol| protocol != "http/json") {
            return Err("OTEL_EXPORTER_OTLP_PROTOCOL: this server speaks http/json alone; collectors take it at \
                        the port of http/protobuf (4318)"
                .to_owned());
        }
        let milliseconds = |name: &str, usual: u64| match variable(name) {
            None => Ok(Duration::from_millis(usual)),
            Some(text) => match text.parse::<u64>() {
                Ok(ms) if ms > 0 => Ok(Duration::from_millis(ms)),
                _ => Err(format!("{name} must be a number of milliseconds")),
            },
        };
        let pairs = |name: &str| -> Result<Vec<(String, String)>, String> {
            let text = variable(name).unwrap_or_default();
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts
                .map(|part| {
                    let (key, value) = part.split_once('=').ok_or_else(|| format!("{name} must be key=value,…"))?;
                    let value = percent_decode_str(value.trim()).decode_utf8();
                    Ok((key.trim().to_owned(), value.map_err(|_| format!("{name} is not UTF-8"))?.into_owned()))
                })
                .collect()
        };
        let share = match variable("OTEL_TRACES_SAMPLER_ARG") {
            None => 1.0,
            Some(text) => text
                .parse()
                .ok()
                .filter(|share| (0.0..=1.0).contains(share))
                .ok_or("OTEL_TRACES_SAMPLER_ARG must be between 0 and 1")?,
        };
        let mut attributes = pairs("OTEL_RESOURCE_ATTRIBUTES")?;
        let mut add = |key: &str, value: Option<String>| {
            if let Some(value) = value.filter(|_| attributes.iter().all(|(known, _)| known != key)) {
                attributes.push((key.to_owned(), value));
            }
        };
        let service = variable("OTEL_SERVICE_NAME").or_else(|| variable("K_SERVICE"));
        add("service.name", Some(service.unwrap_or_else(|| "beira".to_owned())));
        add("service.version", Some(env!("CARGO_PKG_VERSION").to_owned()));
        add("service.instance.id", Some(uuid::Uuid::new_v4().to_string()));
        add("faas.version", variable("K_REVISION"));
        add("gcp.project_id", variable("GOOGLE_CLOUD_PROJECT"));
        let google = google::Google::new(variable("GCE_METADATA_HOST"));
        Ok(Some(Arc::new(Otlp {
            metrics,
            traces,
            headers: pairs("OTEL_EXPORTER_OTLP_HEADERS")?,
            attributes,
            timeout: milliseconds("OTEL_EXPORTER_OTLP_TIMEOUT", 10_000)?,
            metrics_every: milliseconds("OTEL_METRIC_EXPORT_INTERVAL", 60_000)?,
            traces_every: milliseconds("OTEL_BSP_SCHEDULE_DELAY", 5_000)?,
            share,
            spans: Mutex::default(),
            dropped: AtomicU64::new(0),
            start_ns: now_ns(),
            google,
        })))
    }

    /// Takes a finished span, when its trace is recorded.
    pub fn span(&self, span: Span) {
        let begins_here = span.context.parent.is_none();
        // The first half of the trace's id decides, so that all its parts agree.
        let chance = (span.context.trace >> 64) as u64 as f64 / u64::MAX as f64;
        if self.traces.is_none() || !span.context.sampled || (begins_here && chance > self.share) {
            return;
        }
        let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        if spans.len() < SPANS {
            spans.push_back(span);
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Spans that found the queue full.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Exports again and again, for as long as the process lives.
    pub async fn run(self: Arc<Self>, collect: Collect) {
        let ticks = |every| {
            let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            ticks
        };
        let (mut metrics, mut traces) = (ticks(self.metrics_every), ticks(self.traces_every));
        let mut well = true;
        loop {
            let sent = tokio::select! {
                _ = metrics.tick() => self.send_metrics(&collect).await,
                _ = traces.tick() => self.send_spans().await,
            };
            match &sent {
                Err(why) if well => tracing::warn!(why, "OTLP: nothing arrives; it is tried again"),
                Ok(()) if !well => tracing::info!("OTLP: it arrives again"),
                _ => {}
            }
            well = sent.is_ok();
        }
    }

    /// Sends everything once more, at the end.
    pub async fn flush(&self, collect: &Collect) {
        for sent in [self.send_spans().await, self.send_metrics(collect).await] {
            if let Err(why) = sent {
                tracing::warn!(why, "OTLP: the last metrics or spans were lost");
            }
        }
    }

    async fn send_metrics(&self, collect: &Collect) -> Result<(), String> {
        let Some(url) = &self.metrics else { return Ok(()) };
        let families = collect().await;
        let attributes = self.google.resource(url, &self.attributes).await?;
        self.post(url, json::metrics(&attributes, &families, self.start_ns, now_ns()).to_string()).await
    }

    async fn send_spans(&self) -> Result<(), String> {
        let Some(url) = &self.traces else { return Ok(()) };
        loop {
            let batch: Vec<Span> = {
                let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
                let most = spans.len().min(BATCH);
                spans.drain(..most).collect()
            };
            if batch.is_empty() {
                return Ok(());
            }
            let sent = async {
                let attributes = self.google.resource(url, &self.attributes).await?;
                self.post(url, json::spans(&attributes, &batch).to_string()).await
            };
            if let Err(why) = sent.await {
                let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
                let room = SPANS.saturating_sub(spans.len());
                self.dropped.fetch_add(batch.len().saturating_sub(room) as u64, Ordering::Relaxed);
                batch.into_iter().take(room).rev().for_each(|span| spans.push_front(span));
                return Err(why);
            }
        }
    }

    async fn post(&self, url: &str, body: String) -> Result<(), String> {
        let mut headers = self.google.headers(url, &self.headers).await?;
        headers.extend(self.headers.iter().cloned());
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
        match http::post(url, headers, body.into_bytes(), self.timeout).await? {
            200..300 => Ok(()),
            status => Err(format!("the collector answered {status}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], expected: &str) {
        let get = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let found = match Otlp::from_env(get) {
            Ok(None) => "nothing".to_owned(),
            Ok(Some(otlp)) => format!("{:?} {:?}", otlp.metrics, otlp.traces).replace("Some", ""),
            Err(what) => what,
        };
        assert!(found.starts_with(expected), "{variables:?}: {found}");
    }

    #[test]
    fn the_variables_of_opentelemetry() {
        const BASE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
        check(&[], "nothing");
        check(&[(BASE, "http://c:4318/"), ("OTEL_SDK_DISABLED", "true")], "nothing");
        check(&[(BASE, "http://c:4318/")], r#"("http://c:4318/v1/metrics") ("http://c:4318/v1/traces")"#);
        check(&[(BASE, "http://c:4318"), ("OTEL_TRACES_EXPORTER", "none")], r#"("http://c:4318/v1/metrics") None"#);
        check(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c/x")], r#"None ("http://c/x")"#);
        check(&[(BASE, "c:4317")], "OTEL_EXPORTER_OTLP_ENDPOINT must");
        check(&[(BASE, "http://c"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")], "OTEL_EXPORTER_OTLP_PROTOCOL:");
        check(&[(BASE, "http://c"), ("OTEL_EXPORTER_OTLP_HEADERS", "nothing")], "OTEL_EXPORTER_OTLP_HEADERS must");
        check(&[(BASE, "http://c"), ("OTEL_BSP_SCHEDULE_DELAY", "soon")], "OTEL_BSP_SCHEDULE_DELAY must");
        check(&[(BASE, "http://c"), ("OTEL_TRACES_SAMPLER_ARG", "2")], "OTEL_TRACES_SAMPLER_ARG must");
    }
}
