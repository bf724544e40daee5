//! What every serving command does with its process: logs, runtime, signals.

use std::future::Future;
use std::sync::Arc;

use anyhow::Context;
use server::Secret;
use server::observe::otlp::Otlp;
use tokio::runtime::Builder;

/// JSON lines on standard error, filtered by RUST_LOG, else by `default`.
pub fn logs(default: &str) {
    server::observe::log::start(default);
}

/// The exporter that OpenTelemetry's variables ask for.
pub fn otlp() -> anyhow::Result<Option<Arc<Otlp>>> {
    Otlp::from_env(|name| std::env::var(name).ok()).map_err(anyhow::Error::msg)
}

/// The bearer token for the tracking server, as MLflow's client takes it from `MLFLOW_TRACKING_TOKEN`.
pub fn token() -> Option<Secret> {
    std::env::var("MLFLOW_TRACKING_TOKEN").ok().filter(|token| !token.is_empty()).map(Secret)
}

/// Runs to the end on threads for every core.
#[cfg(feature = "full")]
pub fn run<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    finish(Builder::new_multi_thread(), work)
}

/// Runs to the end on threads for half the cores, where what takes its time has threads of its own: SQLite's writer and its
/// readers. One for every core would wake each other for every request: on two cores a fifth fewer runs a second.
#[cfg(feature = "full")]
pub fn run_on_half<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2)));
    finish(builder, work)
}

/// Runs to the end on this thread, what takes its time on others. Where requests are answered in microseconds, one thread
/// hands out a tenth more answers than two on two cores, and the slowest of a hundred waits a fifth as long.
pub fn run_here<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    finish(Builder::new_current_thread(), work)
}

/// Does not wait for threads that still wait for somebody else.
fn finish<T>(mut builder: Builder, work: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = builder.enable_all().build().context("cannot start the runtime")?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(result)
}

/// Ends with the first SIGINT or SIGTERM.
pub async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    interrupt.await.ok();
}
