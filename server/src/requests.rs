//! How long requests took, by route: counters for `/metrics`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Mutex;
use std::time::Duration;

use axum::http::{Method, StatusCode};

/// Upper bounds in seconds: OpenTelemetry's, and finer ones below, since a tabular prediction takes less than a millisecond.
const BOUNDS: [f64; 17] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Durations by method, route and status.
#[derive(Default)]
pub struct Requests(Mutex<BTreeMap<(String, String, u16), Histogram>>);

#[derive(Default)]
struct Histogram {
    counts: [u64; BOUNDS.len() + 1],
    sum: f64,
}

impl Requests {
    /// Counts one request. `route` is the declared path, never what the client wrote.
    pub fn record(&self, method: &Method, route: &str, status: StatusCode, elapsed: Duration) {
        let seconds = elapsed.as_secs_f64();
        let key = (method.to_string(), route.to_owned(), status.as_u16());
        let mut all = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let histogram = all.entry(key).or_default();
        histogram.counts[BOUNDS.partition_point(|bound| *bound < seconds)] += 1;
        histogram.sum += seconds;
    }

    /// Prometheus text.
    pub fn write(&self, text: &mut String) {
        const NAME: &str = "http_server_request_duration_seconds";
        let _ = writeln!(text, "# HELP {NAME} Time to answer a request.\n# TYPE {NAME} histogram");
        let all = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for ((method, route, status), histogram) in all.iter() {
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
