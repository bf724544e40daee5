//! Counters on their way to the server: each message keeps its idempotency key until it has been taken.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use contract::{Flush, Origin};

use crate::secret::Secret;
use crate::traffic::{Counted, Traffic};

/// Time for one message, and for one round of them: short, so that the last round need not wait for a stuck one.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Sends counters to one server.
pub struct Flusher {
    url: String,
    runtime: String,
    ingest_key: Option<Secret>,
    /// Sent or not, we do not know: to be sent again as they are.
    waiting: Mutex<VecDeque<Flush>>,
}

/// What became of a message.
enum Sent {
    Taken,
    /// The server will never take it.
    Refused(String),
}

impl Flusher {
    /// For `server`, `http://…`; `runtime` is how the counters name this process, `ingest_key` its token there.
    pub fn new(server: &str, runtime: &str, ingest_key: Option<Secret>) -> Flusher {
        let url = format!("{}/telemetry/counters", server.trim_end_matches('/'));
        Flusher { url, runtime: runtime.to_owned(), ingest_key, waiting: Mutex::default() }
    }

    /// Sends what waits, else what was counted since. While the server is away, counts of a minute
    /// stay together in `traffic`, so that memory does not grow with requests.
    fn flush(&self, traffic: &Traffic, deadline: Instant) -> Result<(), String> {
        let mut waiting = self.lock();
        loop {
            if waiting.is_empty() {
                waiting.extend(traffic.take().into_iter().map(|counted| self.message(counted)));
            }
            let Some(flush) = waiting.front() else { return Ok(()) };
            let left = deadline.saturating_duration_since(Instant::now()).min(TIMEOUT);
            if left.is_zero() {
                return Err("there was no time left".to_owned());
            }
            if let Sent::Refused(why) = self.send(flush, left)? {
                let predictions = flush.counters.predictions;
                tracing::warn!(predictions, error = why, "the server refused counters, they are lost");
            }
            waiting.pop_front();
        }
    }

    /// The last flush of the process; says what could not be delivered.
    pub fn last(&self, traffic: &Traffic, time: Duration) {
        let Err(error) = self.flush(traffic, Instant::now() + time) else { return };
        let waiting = self.lock();
        let lost = waiting.iter().map(|flush| &flush.counters);
        let (mut predictions, mut errors) = lost.fold((0, 0), |(p, e), c| (p + c.predictions, e + c.errors));
        for counted in traffic.take() {
            predictions += counted.counters.predictions;
            errors += counted.counters.errors;
        }
        tracing::error!(predictions, errors, error, "the last counters could not be sent, they are lost");
    }

    fn message(&self, counted: Counted) -> Flush {
        let module = &counted.target.module;
        let edges = module.seal().and_then(|seal| seal.profile.as_ref()).map(|profile| profile.edges_sha256.clone());
        Flush {
            id: uuid::Uuid::new_v4().simple().to_string(),
            ingest_key: self.ingest_key.as_ref().map(|Secret(key)| key.clone()),
            module_sha256: module.sha256().to_owned(),
            edges_sha256: edges.unwrap_or_default(),
            origin: Origin::Server,
            host: self.runtime.clone(),
            window_start_ms: u64::try_from(counted.minute).unwrap_or_default(),
            probe: false,
            counters: counted.counters,
        }
    }

    fn send(&self, flush: &Flush, time: Duration) -> Result<Sent, String> {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(time));
        let answer = config.build().new_agent().post(&self.url).send_json(flush);
        let mut response = answer.map_err(|error| format!("{} cannot be reached: {error}", self.url))?;
        let status = response.status();
        let body: serde_json::Value = response.body_mut().read_json().unwrap_or_default();
        let why = || format!("{} answered {status} {}", self.url, body["detail"].as_str().unwrap_or_default());
        match status.as_u16() {
            200..300 => Ok(Sent::Taken),
            408 | 425 | 429 => Err(why()),
            400..500 => Ok(Sent::Refused(why())),
            _ => Err(why()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Flush>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Flushes now and then, for as long as the process lives.
pub async fn every(flusher: Arc<Flusher>, traffic: Traffic, period: Duration) {
    let mut told = String::new();
    loop {
        tokio::time::sleep(period).await;
        let (flusher, traffic) = (flusher.clone(), traffic.clone());
        let flushed = tokio::task::spawn_blocking(move || flusher.flush(&traffic, Instant::now() + TIMEOUT)).await;
        let trouble = flushed.unwrap_or_else(|error| Err(error.to_string())).err().unwrap_or_default();
        if !trouble.is_empty() && trouble != told {
            tracing::warn!(error = trouble, "counters wait for the server");
        }
        told = trouble;
    }
}
