//! Metric points on their way: gathered on a thread of their own and put into the outbox in batches, so that
//! training never waits for the network and the dashboard sees it live.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use contract::mlflow::Metric;
use serde_json::json;

use super::outbox::{Item, Outbox};
use crate::Error;

/// Time between two batches.
const PAUSE: Duration = Duration::from_millis(200);
/// Most points in a batch that the API takes.
const BATCH: usize = 1000;

/// A stream to one run.
pub(crate) struct Stream {
    sender: Sender<Metric>,
    thread: JoinHandle<Result<(), Error>>,
}

impl Stream {
    pub(super) fn new(outbox: Arc<Outbox>, run: String) -> Stream {
        let (sender, receiver) = channel();
        let thread = std::thread::spawn(move || forward(&outbox, &run, &receiver));
        Stream { sender, thread }
    }

    /// A sender of points; a point that cannot be sent any more is dropped, `finish` says why.
    pub fn sender(&self) -> Sender<Metric> {
        self.sender.clone()
    }

    /// Sends what is left and answers the first error.
    pub(super) fn finish(self) -> Result<(), Error> {
        drop(self.sender);
        self.thread.join().unwrap_or(Ok(()))
    }
}

/// Ends when every sender is gone, or at the first error.
fn forward(outbox: &Outbox, run: &str, receiver: &Receiver<Metric>) -> Result<(), Error> {
    let mut points: Vec<Metric> = Vec::new();
    let mut sent = Instant::now();
    loop {
        let wait = PAUSE.saturating_sub(sent.elapsed());
        let closed = match receiver.recv_timeout(wait) {
            Ok(point) => {
                points.push(point);
                false
            }
            Err(error) => error == RecvTimeoutError::Disconnected,
        };
        if closed || points.len() >= BATCH || sent.elapsed() >= PAUSE {
            for batch in points.chunks(BATCH) {
                let body = json!({"run_id": run, "metrics": batch});
                outbox.push(&Item::Post { path: "mlflow/runs/log-batch".to_owned(), body }, None)?;
            }
            points.clear();
            sent = Instant::now();
        }
        if closed {
            return Ok(());
        }
    }
}
