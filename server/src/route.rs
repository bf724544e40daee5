//! How a route is declared: method, path, permission, handler. Without a permission it does not compile.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};

use crate::auth::{self, Permission};
use crate::error::{Code, Error};
use crate::observe::Seen;
use crate::observe::otlp::Otlp;
use crate::requests::{Durations, Requests};
use crate::serving::Serving;

/// A route as it was declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Method.
    pub method: Method,
    /// Path with its parameters, `/v2/models/{name}`.
    pub path: String,
    /// What it demands.
    pub permission: Permission,
}

/// The list of routes under construction; `S` is what their handlers share.
pub struct Routes<S> {
    requests: Requests,
    otlp: Option<Arc<Otlp>>,
    router: Router<S>,
    declared: Vec<Declared>,
}

/// What stands before a handler.
struct Guard {
    method: Method,
    path: String,
    permission: Permission,
    durations: Arc<Durations>,
    otlp: Option<Arc<Otlp>>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No routes yet; durations and spans of their requests go where those of `serving` go.
    pub fn new(serving: &Serving) -> Routes<S> {
        let (requests, otlp) = (serving.requests.clone(), serving.otlp.clone());
        Routes { requests, otlp, router: Router::new(), declared: Vec::new() }
    }

    /// Declares one route.
    pub fn at<H, T>(mut self, path: &str, method: &Method, permission: Permission, handler: H) -> Routes<S>
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        let durations = self.requests.of(method, path);
        let guard = Arc::new(Guard {
            method: method.clone(),
            path: path.to_owned(),
            permission,
            durations,
            otlp: self.otlp.clone(),
        });
        // Around the handler itself: as a layer it would box and clone once more for every request.
        let guarded =
            move |State(state): State<S>, request: Request| guarded(guard.clone(), handler.clone(), state, request);
        self.router = self.router.route(path, on(filter, guarded));
        self.declared.push(Declared { method: method.clone(), path: path.to_owned(), permission });
        self
    }

    /// Declares a route of MLflow's REST API: `/api/2.0` and `/ajax-api/2.0`.
    pub fn api<H, T>(self, path: &str, method: &Method, permission: Permission, handler: H) -> Routes<S>
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.at(&format!("/api/2.0{path}"), method, permission, handler.clone()).at(
            &format!("/ajax-api/2.0{path}"),
            method,
            permission,
            handler,
        )
    }

    /// Declares a route of MLflow's REST API that exists in version 3.0 alone.
    pub fn api3<H, T>(self, path: &str, method: &Method, permission: Permission, handler: H) -> Routes<S>
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.at(&format!("/api/3.0{path}"), method, permission, handler.clone()).at(
            &format!("/ajax-api/3.0{path}"),
            method,
            permission,
            handler,
        )
    }

    /// The router and the list it was made from.
    pub fn finish(self) -> (Router<S>, Vec<Declared>) {
        (self.router, self.declared)
    }
}

/// Headers that are still to come for an answer.
const HEADERS: usize = 8;

async fn guarded<H, T, S>(guard: Arc<Guard>, handler: H, state: S, request: Request) -> Response
where
    H: Handler<T, S>,
{
    let (seen, permission) = (Seen::begin(&request, guard.otlp.is_some()), guard.permission);
    let mut response = if auth::origin_allowed(request.method(), request.headers(), permission) {
        seen.scope(handler.call(request, state)).await
    } else {
        Error::Client(Code::PermissionDenied, "A page of another origin must not do this.".to_owned()).into_response()
    };
    response.headers_mut().reserve(HEADERS);
    if permission.any_origin() {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("etag, x-beira-model, x-beira-version"),
        );
        headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    }
    let elapsed = seen.end(&guard.method, &guard.path, &mut response, guard.otlp.as_deref());
    guard.durations.record(response.status(), elapsed);
    response
}

/// Answer to a preflight of a route that pages of other origins may use.
pub async fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}
