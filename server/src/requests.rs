//! How long requests took, by route: counters for `/metrics`.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use axum::http::{Method, StatusCode};

use crate::observe::family::{Family, Point, Value};
use crate::observe::names::{self, BOUNDS};

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

    /// For the exporters.
    pub fn family(&self) -> Family {
        let mut family = Family::new(&names::REQUESTS);
        let all = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for ((method, route, status), histogram) in all.iter() {
            let labels = vec![
                ("http_request_method", method.clone()),
                ("http_route", route.clone()),
                ("http_response_status_code", status.to_string()),
            ];
            family.points.push(Point { labels, value: Value::Durations(histogram.counts, histogram.sum) });
        }
        family
    }
}
