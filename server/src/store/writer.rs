//! One thread writes: it takes whatever is queued, runs each job in a savepoint, commits once, then answers all.
//!
//! It never waits for company, so a lone writer pays one commit, and many at once share one
//! (group commit). What was answered is on the disk (`synchronous=FULL`).

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::{Connection, query};
use crate::error::{Error, Result};

/// Most jobs of one transaction.
const BATCH: usize = 256;

/// A queued job: does its work, and returns how to answer once the commit is known.
type Job = Box<dyn for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, (bool, Answer)> + Send>;
type Answer = Box<dyn FnOnce(Result<()>) + Send>;

enum Message {
    Job(Job),
    Close(oneshot::Sender<()>),
}

/// Handle to the writer.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Message>,
}

impl Writer {
    /// Starts the thread; it ends with the last handle.
    pub fn start(connection: Connection) -> std::io::Result<Writer> {
        let (queue, jobs) = mpsc::channel(4096);
        let runtime = Handle::current();
        let thread = std::thread::Builder::new().name("store-writer".to_owned());
        thread.spawn(move || runtime.block_on(write(connection, jobs)))?;
        Ok(Writer { queue })
    }

    /// Queues `job` and waits until what it did is durable.
    pub async fn run<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            Box::pin(async move {
                let result = job(connection).await;
                let keep = result.is_ok();
                let answer: Answer = Box::new(move |committed| {
                    sender.send(committed.and(result)).ok();
                });
                (keep, answer)
            })
        });
        self.queue.send(Message::Job(job)).await.map_err(|_| Error::internal("the store is closed"))?;
        answer.await.map_err(|_| Error::internal("the store's writer ended"))?
    }

    /// Closes the file; jobs queued later fail.
    pub async fn close(&self) {
        let (sender, closed) = oneshot::channel();
        if self.queue.send(Message::Close(sender)).await.is_ok() {
            closed.await.ok();
        }
    }
}

async fn write(mut connection: Connection, mut jobs: mpsc::Receiver<Message>) {
    let mut batch = Vec::new();
    while jobs.recv_many(&mut batch, BATCH).await > 0 {
        let mut closing = None;
        let mut work = Vec::with_capacity(batch.len());
        for message in batch.drain(..) {
            match message {
                Message::Job(job) => work.push(job),
                Message::Close(sender) => closing = Some(sender),
            }
        }
        if !work.is_empty() {
            let mut answers = Vec::with_capacity(work.len());
            let committed = transaction(&mut connection, work, &mut answers).await;
            if committed.is_err() {
                query("ROLLBACK").execute(&mut connection).await.ok(); // an error here means there is no transaction left
            }
            answers.into_iter().for_each(|answer| answer(committed.clone()));
        }
        if let Some(sender) = closing {
            drop(connection);
            sender.send(()).ok();
            return;
        }
    }
}

async fn transaction(connection: &mut Connection, work: Vec<Job>, answers: &mut Vec<Answer>) -> Result<()> {
    query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    let alone = work.len() == 1;
    let mut kept = 0;
    for job in work {
        if !alone {
            query("SAVEPOINT job").execute(&mut *connection).await?;
        }
        let (keep, answer) = job(&mut *connection).await;
        answers.push(answer);
        kept += usize::from(keep);
        if !alone {
            if !keep {
                query("ROLLBACK TO job").execute(&mut *connection).await?;
            }
            query("RELEASE job").execute(&mut *connection).await?;
        }
    }
    // A lone job that failed leaves nothing to keep.
    query(if kept == 0 { "ROLLBACK" } else { "COMMIT" }).execute(connection).await?;
    Ok(())
}
