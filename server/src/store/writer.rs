//! One task writes: it takes whatever is queued, runs each job in a savepoint, commits once, then answers all.
//!
//! It never waits for company, so a lone writer pays one commit, and many at once share one
//! (group commit). What was answered is on the disk (`synchronous=FULL`).

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sqlx::SqliteConnection;
use sqlx::{Connection, Executor};
use tokio::sync::{mpsc, oneshot};

use crate::error::{Error, Result};

/// Most jobs of one transaction.
const BATCH: usize = 256;

/// A queued job: does its work, and returns how to answer once the commit is known.
type Job = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, (bool, Answer)> + Send>;
type Answer = Box<dyn FnOnce(std::result::Result<(), Arc<sqlx::Error>>) + Send>;

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
    /// Starts the task; it ends with the last handle.
    pub fn start(connection: SqliteConnection) -> Writer {
        let (queue, jobs) = mpsc::channel(4096);
        tokio::spawn(write(connection, jobs));
        Writer { queue }
    }

    /// Queues `job` and waits until what it did is durable.
    pub async fn run<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            Box::pin(async move {
                let result = job(connection).await;
                let keep = result.is_ok();
                let answer: Answer = Box::new(move |committed| {
                    let result = match committed {
                        Ok(()) => result,
                        Err(error) => Err(Error::internal(format!("commit failed: {error}"))),
                    };
                    sender.send(result).ok();
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

async fn write(mut connection: SqliteConnection, mut jobs: mpsc::Receiver<Message>) {
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
            let committed = transaction(&mut connection, work, &mut answers).await.map_err(Arc::new);
            if committed.is_err() {
                connection.execute("ROLLBACK").await.ok(); // an error here means there is no transaction left
            }
            answers.into_iter().for_each(|answer| answer(committed.clone()));
        }
        if let Some(sender) = closing {
            connection.close().await.ok();
            sender.send(()).ok();
            return;
        }
    }
}

async fn transaction(
    connection: &mut SqliteConnection,
    work: Vec<Job>,
    answers: &mut Vec<Answer>,
) -> std::result::Result<(), sqlx::Error> {
    connection.execute("BEGIN IMMEDIATE").await?;
    let alone = work.len() == 1;
    let mut kept = 0;
    for job in work {
        if !alone {
            connection.execute("SAVEPOINT job").await?;
        }
        let (keep, answer) = job(connection).await;
        answers.push(answer);
        kept += usize::from(keep);
        if !alone {
            if !keep {
                connection.execute("ROLLBACK TO job").await?;
            }
            connection.execute("RELEASE job").await?;
        }
    }
    // A lone job that failed leaves nothing to keep.
    connection.execute(if kept == 0 { "ROLLBACK" } else { "COMMIT" }).await?;
    Ok(())
}
