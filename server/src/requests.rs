//! How long requests took, by route: counters for `/metrics`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::{Method, StatusCode};

use crate::observe::family::{Family, Point, Value};
use crate::observe::names::{self, BOUNDS};

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

    /// For the exporters.
    pub fn family(&self) -> Family {
        let mut family = Family::new(&names::REQUESTS);
        for ((method, route), durations) in lock(&self.0).iter() {
            for (status, histogram) in lock(&durations.0).iter() {
                let labels = vec![
                    ("http_request_method", method.clone()),
                    ("http_route", route.clone()),
                    ("http_response_status_code", status.to_string()),
                ];
                family.points.push(Point { labels, value: Value::Durations(histogram.counts, histogram.sum) });
            }
        }
        family
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
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
