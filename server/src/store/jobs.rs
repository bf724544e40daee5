//! Jobs on PostgreSQL: each is a transaction of its own, run again when it met another one.
//!
//! READ COMMITTED, with locks where a job reads what it will write: throughput does not fall when many write at once,
//! as it would with SERIALIZABLE's false alarms.

use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::postgres::PgPool;

use super::{Connection, trouble};
use crate::error::{Error, Result};
use crate::observe::trace;

/// Attempts of a job before its error is the answer.
const ATTEMPTS: u32 = 40;

/// Runs `job` in a transaction and returns once it is committed. It goes on when the caller goes away.
pub async fn run<T, F>(pool: PgPool, job: F) -> Result<T>
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T>> + Clone + Send + 'static,
{
    let attempts = async move {
        let mut attempt = 0;
        loop {
            match once(&pool, job.clone()).await {
                Err((error, true)) if attempt < ATTEMPTS => tracing::debug!(%error, "a job runs again"),
                answer => return answer.map_err(|(error, _)| error),
            }
            attempt += 1;
            let jitter = trace::id() % 4;
            tokio::time::sleep(Duration::from_millis(u64::from(attempt) + jitter)).await;
        }
    };
    tokio::spawn(attempts).await.unwrap_or_else(|_| Err(Error::internal("a job of the store panicked")))
}

/// The error says whether the job may run again: nothing of it was committed, and it could go better.
async fn once<T, F>(pool: &PgPool, job: F) -> Result<T, (Error, bool)>
where
    F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T>>,
{
    let again = |error: sqlx::Error| (trouble::is_lost(&error) || trouble::is_collision(&error), error);
    let transaction = pool.begin().await.map_err(|error| {
        let (again, error) = again(error);
        (error.into(), again)
    })?;
    let mut connection = Connection::Postgres(transaction);
    let result = job(&mut connection).await;
    let Connection::Postgres(transaction) = connection else {
        return Err((Error::internal("a job changed its connection"), false));
    };
    match result {
        // Of a commit whose answer is lost nobody knows whether it happened.
        Ok(answer) => match transaction.commit().await {
            Ok(()) => Ok(answer),
            Err(error) => {
                let collided = trouble::is_collision(&error);
                Err((error.into(), collided))
            }
        },
        Err(error) => {
            transaction.rollback().await.ok(); // a lost connection rolls back by itself
            let again = matches!(&error, Error::Store(error) if error.is_lost() || error.is_collision());
            Err((error, again))
        }
    }
}
