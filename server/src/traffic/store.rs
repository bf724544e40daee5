//! This server's own counters into its own store, every second and at shutdown.

use std::time::Duration;

use contract::Origin;

use super::Traffic;
use crate::error::Result;
use crate::store::Store;
use crate::windows::{self, Window};

/// Name of the runtime in these counters.
const HOST: &str = "wasmtime";

/// Writes what was counted; keeps it when the store refuses.
pub async fn flush(traffic: &Traffic, store: &Store) -> Result<()> {
    let counted = traffic.take();
    if counted.is_empty() {
        return Ok(());
    }
    let writing = counted.clone();
    let written = store
        .write(move |tx| {
            Box::pin(async move {
                for counted in &writing {
                    let (name, Some(version)) = (&*counted.target.name, counted.target.version) else { continue };
                    let window = Window { name, version, minute: counted.minute, origin: Origin::Server, host: HOST };
                    if windows::known(tx, name, version).await? {
                        windows::add(tx, &window, &counted.counters).await?;
                    }
                }
                Ok(())
            })
        })
        .await;
    if written.is_err() {
        traffic.put_back(counted);
    }
    written
}

/// Flushes every second, for as long as the process lives.
pub async fn flush_every_second(traffic: Traffic, store: Store) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        if let Err(error) = flush(&traffic, &store).await {
            tracing::error!(%error, "counters could not be written; they are kept for the next try");
        }
    }
}
