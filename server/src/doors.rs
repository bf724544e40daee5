//! What every request passes and every answer carries: the check of the Host, and the headers of caution.

use std::sync::Arc;

use axum::body::{Bytes, HttpBody};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Request, header};
use axum::response::{IntoResponse, Response};
use axum::{BoxError, Router};
use tower::Service;

use crate::auth::caller::not_granted;
use crate::auth::demand::Demand;
use crate::auth::origin;
use crate::error::{Code, Error};
use crate::patience::Patient;
use crate::predict;
use crate::route::Guard;
use crate::serving::{self, Serving};

/// Under which names this server may be reached.
#[derive(Clone)]
pub struct Doors(Arc<Inner>);

struct Inner {
    allowed_hosts: Vec<String>,
    any_name: bool,
}

impl Doors {
    /// `loopback`: only this machine reaches the server. Off it, with no names listed, tokens or what stands in front
    /// decide, whatever the name.
    pub fn new(loopback: bool, allowed_hosts: &[String]) -> Doors {
        let any_name = !loopback && allowed_hosts.is_empty();
        Doors(Arc::new(Inner { allowed_hosts: allowed_hosts.to_vec(), any_name }))
    }
}

/// All routes behind the doors. They stand around the router, not in it: a layer there would be cloned and boxed for
/// every request.
#[derive(Clone)]
pub struct House {
    doors: Doors,
    serving: Serving,
    predictions: Arc<Guard>,
    router: Router,
}

impl House {
    /// Puts `router` behind `doors`; it has the routes of `serving`.
    pub fn new(doors: Doors, serving: &Serving, router: Router) -> House {
        let (method, path, demand) = serving::PREDICT;
        let guard = Guard::new(&method, path, Demand::<()>::parts(demand), serving);
        House { doors, serving: serving.clone(), predictions: Arc::new(guard), router }
    }

    /// Answers one request.
    pub async fn answer<B>(&self, request: Request<B>) -> Response
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let (head, body) = request.into_parts();
        let body = Patient::new(body);
        let host = head.headers.get(header::HOST).map(|host| host.to_str().unwrap_or_default());
        let host = host.or_else(|| head.uri.authority().map(|authority| authority.as_str()));
        let response = if !origin::host_allowed(host, &self.doors.0.allowed_hosts, self.doors.0.any_name) {
            let text = "This server does not answer to the host name of this request; reach it as localhost or by its \
                        address.";
            Error::Client(Code::PermissionDenied, text.to_owned()).into_response()
        } else if let Some(name) = prediction(&head) {
            // What nearly every request is goes past the router; its head stays where it is, a copy takes its time.
            let seen = self.predictions.see(&head.method, &head.uri, &head.headers);
            let answer = async || match self.predictions.who(&head.headers, head.uri.query()).await {
                Ok(caller) if caller.has_model(name) => predict::named(&self.serving, name, &head, body).await,
                Ok(_) => not_granted().into_response(),
                Err(error) => error.into_response(),
            };
            self.predictions.around(seen, answer).await
        } else {
            let Ok(response) = self.router.clone().call(Request::from_parts(head, body)).await;
            response
        };
        cautious(response)
    }
}

/// The name of the model, when that is all a request's path says beside `/predict/`.
fn prediction(head: &Parts) -> Option<&str> {
    let name = head.uri.path().strip_prefix("/predict/").filter(|_| head.method == Method::POST)?;
    (!name.is_empty() && !name.contains(['/', '%'])).then_some(name)
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
