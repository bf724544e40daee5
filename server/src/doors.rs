//! What every request passes and every answer carries: the check of the Host, and the headers of caution.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Bytes, HttpBody};
use axum::http::{HeaderName, HeaderValue, Request, header};
use axum::response::{IntoResponse, Response};
use axum::routing::future::RouteFuture;
use axum::{BoxError, Router};
use futures_util::FutureExt;
use futures_util::future::{Either, Map, Ready, ready};
use tower::Service;

use crate::auth;
use crate::error::{Code, Error};

/// Under which names this server may be reached.
#[derive(Clone)]
pub struct Doors(Arc<Inner>);

struct Inner {
    allowed_hosts: Vec<String>,
    any_name: bool,
}

impl Doors {
    /// `loopback`: only this machine reaches the server. Off it, with `auth_none` and no names
    /// listed, what stands in front decides about names.
    pub fn new(loopback: bool, auth_none: bool, allowed_hosts: &[String]) -> Doors {
        let any_name = !loopback && auth_none && allowed_hosts.is_empty();
        Doors(Arc::new(Inner { allowed_hosts: allowed_hosts.to_vec(), any_name }))
    }
}

/// All routes behind the doors. It stands around the router, not in it: a layer there would be cloned and boxed for
/// every request.
#[derive(Clone)]
pub struct House {
    doors: Doors,
    router: Router,
}

impl House {
    /// Puts `router` behind `doors`.
    pub fn new(doors: Doors, router: Router) -> House {
        House { doors, router }
    }
}

/// What became of a request.
type Answer = Result<Response, Infallible>;

impl<B> Service<Request<B>> for House
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<Ready<Answer>, Map<RouteFuture<Infallible>, fn(Answer) -> Answer>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let host = request.headers().get(header::HOST).map(|host| host.to_str().unwrap_or_default());
        let host = host.or_else(|| request.uri().authority().map(|authority| authority.as_str()));
        if auth::host_allowed(host, &self.doors.0.allowed_hosts, self.doors.0.any_name) {
            return Either::Right(self.router.call(request).map(|answer| answer.map(cautious)));
        }
        let text =
            "This server does not answer to the host name of this request; reach it as localhost or by its address.";
        let refusal = Error::Client(Code::PermissionDenied, text.to_owned()).into_response();
        Either::Left(ready(Ok(cautious(refusal))))
    }
}

/// The answer with the headers of caution, where it has not said otherwise.
fn cautious(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    if headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    }
    headers
        .entry(HeaderName::from_static("cross-origin-resource-policy"))
        .or_insert(HeaderValue::from_static("same-origin"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}
