//! A socket that is served until it is time to stop, and then not longer than it takes to finish.

use std::convert::Infallible;
use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;

use crate::doors::House;
use crate::error::StartError;

/// Time for the head of a request, and for a connection that asks nothing.
const PATIENCE: Duration = Duration::from_secs(75);
/// How long to wait before the next connection is accepted, when there were too many.
const FULL: Duration = Duration::from_secs(1);

/// Takes the address, or says who may have it.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { address: address.to_string(), source })
}

/// Serves until `stop` ends, then accepts nobody, and gives requests in flight `drain` to finish.
pub async fn serve(listener: TcpListener, house: House, stop: impl Future<Output = ()>, drain: Duration) {
    let open = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    http.writev(false); // head and body in one piece: quicker for small answers, which nearly all are
    let house = Arc::new(house);
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            // The client was gone before it was its turn.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => continue,
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted for a moment");
                tokio::time::sleep(FULL).await;
                continue;
            }
        };
        stream.set_nodelay(true).ok(); // a small answer must not wait for an acknowledgement
        let house = house.clone();
        let answer = move |request: Request<Incoming>| {
            let house = house.clone();
            async move { Ok::<_, Infallible>(house.answer(request).await) }
        };
        let connection = http.serve_connection(TokioIo::new(stream), service_fn(answer));
        let watched = open.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, "a connection broke off");
            }
        });
    }
    drop(listener);
    tokio::select! {
        () = open.shutdown() => {}
        () = tokio::time::sleep(drain) => {
            tracing::warn!(seconds = drain.as_secs_f64(), "requests were cut off: they did not end in time");
        }
    }
}
