//! `beira serve`: tracking, registry, artifacts, predictions, telemetry and the dashboard in one process.
//!
//! HTTP in, store out. `app.rs` is the one list of routes; each names the permission it demands.
//! This crate does not know training, the dashboard's code or the web host.

mod app;
mod artifacts;
mod auth;
mod beira;
mod clock;
mod config;
mod error;
mod fields;
mod ids;
mod metrics;
mod mlflow;
mod modules;
pub mod observe;
mod oip;
mod predict;
mod requests;
mod route;
mod static_files;
mod store;
mod telemetry;
mod traffic;
mod watch;
mod windows;

use std::future::Future;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;

pub use app::App;
pub use auth::Permission;
pub use config::{Config, PredictionKey};
pub use error::StartError as Error;
pub use monitoring::alarm::Sustained;
pub use route::Declared;
pub use watch::{Watch, Webhook};

/// Time that requests in flight are given at shutdown.
const DRAIN: Duration = Duration::from_secs(8);

/// Serves until `shutdown` ends; then finishes what is in flight, writes the last counters and closes the store.
pub async fn serve(config: Config, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
    let address = config.address()?;
    let listener =
        TcpListener::bind(address).await.map_err(|source| Error::Listen { address: address.to_string(), source })?;
    let app = App::open(config).await?;
    let (router, _) = app.router();
    let listener = listener.tap_io(|stream| {
        stream.set_nodelay(true).ok(); // a small answer must not wait for an acknowledgement
    });
    let (ended, draining) = tokio::sync::oneshot::channel();
    let signal = async move {
        shutdown.await;
        ended.send(()).ok();
    };
    tracing::info!(%address, "serving");
    let serving = axum::serve(listener, router).with_graceful_shutdown(signal).into_future();
    let served = tokio::select! {
        served = serving => served,
        () = async {
            draining.await.ok();
            tokio::time::sleep(DRAIN).await;
        } => Ok(()),
    };
    app.close().await;
    served.map_err(Error::Serve)
}
