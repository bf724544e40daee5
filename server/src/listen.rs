//! A socket that is served until it is time to stop, and then not longer than it takes to finish.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::ServiceExt;
use axum::extract::Request;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use crate::doors::House;
use crate::error::StartError;

/// Takes the address, or says who may have it.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { address: address.to_string(), source })
}

/// Serves until `stop` ends, then accepts nobody, and gives requests in flight `drain` to finish.
pub async fn serve(
    listener: TcpListener,
    house: House,
    stop: impl Future<Output = ()> + Send + 'static,
    drain: Duration,
) -> Result<(), StartError> {
    let listener = listener.tap_io(|stream| {
        stream.set_nodelay(true).ok(); // a small answer must not wait for an acknowledgement
    });
    let (ended, draining) = tokio::sync::oneshot::channel();
    let signal = async move {
        stop.await;
        ended.send(()).ok();
    };
    let serving = axum::serve(listener, ServiceExt::<Request>::into_make_service(house))
        .with_graceful_shutdown(signal)
        .into_future();
    tokio::select! {
        served = serving => served.map_err(StartError::Serve),
        () = async {
            draining.await.ok();
            tokio::time::sleep(drain).await;
        } => {
            tracing::warn!(seconds = drain.as_secs_f64(), "requests were cut off: they did not end in time");
            Ok(())
        }
    }
}
