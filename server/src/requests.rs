//! How long requests took, by route: counters for `/metrics`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::{Method, StatusCode};

/// Upper bounds in seconds: OpenTelemetry's, and finer ones below, since a tabular prediction takes less than a millisecond.
const BOUNDS: [f64; 17] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// The metric.
const NAME: &str = "http_server_request_duration_seconds";

/// Durations by method, route and status; a clone counts into the same ones.
#[derive(Clone, Default)]
pub struct Requests(Arc<Mutex<BTreeMap<(String, String), Arc<Durations>>>>);

/// Durations of one route, by status.
#[derive(Default)]
pub struct Durations(Mutex<BTreeMap<u16, Histogram>>);

#[derive(Default)]
struct Histogram {
    counts: [u64; BOUNDS.len() + 1],
    sum: f64,
}

impl Requests {
    /// Where a route counts. `route` is the declared path, never what the client wrote.
    pub fn of(&self, method: &Method, route: &str) -> Arc<Durations> {
        lock(&self.0).entry((method.to_string(), route.to_owned())).or_default().clone()
    }

    /// Prometheus text.
    pub fn write(&self, text: &mut String) {
        let _ = writeln!(text, "# HELP {NAME} Time to answer a request.\n# TYPE {NAME} histogram");
        for ((method, route), durations) in lock(&self.0).iter() {
            durations.write(method, route, text);
        }
    }
}

impl Durations {
    /// Counts one request.
    pub fn record(&self, status: StatusCode, elapsed: Duration) {
        let seconds = elapsed.as_secs_f64();
        let mut all = lock(&self.0);
        let histogram = all.entry(status.as_u16()).or_default();
        histogram.counts[BOUNDS.partition_point(|bound| *bound < seconds)] += 1;
        histogram.sum += seconds;
    }

    fn write(&self, method: &str, route: &str, text: &mut String) {
        for (status, histogram) in lock(&self.0).iter() {
            let labels = format!(
                "http_request_method=\"{method}\",http_route=\"{route}\",http_response_status_code=\"{status}\""
            );
            let mut sum = 0;
            for (i, count) in histogram.counts.iter().enumerate() {
                sum += count;
                let bound = BOUNDS.get(i).map_or("+Inf".to_owned(), f64::to_string);
                let _ = writeln!(text, "{NAME}_bucket{{{labels},le=\"{bound}\"}} {sum}");
            }
            let _ = writeln!(text, "{NAME}_sum{{{labels}}} {}\n{NAME}_count{{{labels}}} {sum}", histogram.sum);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
