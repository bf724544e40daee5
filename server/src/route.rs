//! How a route is declared: method, path, what it demands, handler. Without a demand it does not compile.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};

use crate::auth::caller::{Caller, Porter};
use crate::auth::demand::{Demand, Resource};
use crate::auth::{Permission, origin};
use crate::error::{Code, Error, Result};
use crate::observe::Seen;
use crate::observe::otlp::Otlp;
use crate::requests::Durations;
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
    /// What its requests are about; a list of what belongs to many when absent.
    pub resource: Option<Resource>,
}

/// The list of routes under construction; `S` is what their handlers share.
pub struct Routes<S> {
    serving: Serving,
    router: Router<S>,
    declared: Vec<Declared>,
}

/// What stands before a handler.
pub struct Guard {
    method: Method,
    path: String,
    permission: Permission,
    resource: Option<Resource>,
    durations: Arc<Durations>,
    otlp: Option<Arc<Otlp>>,
    porter: Option<Arc<dyn Porter>>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No routes yet; who stands at the door of `serving` guards them, and their durations and spans go where its go.
    pub fn new(serving: &Serving) -> Routes<S> {
        Routes { serving: serving.clone(), router: Router::new(), declared: Vec::new() }
    }

    /// Declares one route.
    pub fn at<H, T>(mut self, path: &str, method: &Method, demand: impl Demand<T>, handler: H) -> Routes<S>
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        let guard = Arc::new(Guard::new(method, path, demand.parts(), &self.serving));
        // Around the handler itself: as a layer it would box and clone once more for every request.
        let guarded = move |State(state): State<S>, request: Request| {
            let (guard, handler) = (guard.clone(), handler.clone());
            async move {
                let seen = guard.see(request.method(), request.uri(), request.headers());
                let answer = async || match guard.admit(request).await {
                    Ok(request) => handler.call(request, state).await,
                    Err(error) => error.into_response(),
                };
                guard.around(seen, answer).await
            }
        };
        self.router = self.router.route(path, on(filter, guarded));
        let (permission, resource) = demand.parts();
        self.declared.push(Declared { method: method.clone(), path: path.to_owned(), permission, resource });
        self
    }

    /// Declares a route of MLflow's REST API: `/api/2.0` and `/ajax-api/2.0`.
    pub fn api<H, T>(self, path: &str, method: &Method, demand: impl Demand<T>, handler: H) -> Routes<S>
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.at(&format!("/api/2.0{path}"), method, demand, handler.clone()).at(
            &format!("/ajax-api/2.0{path}"),
            method,
            demand,
            handler,
        )
    }

    /// Declares a route of MLflow's REST API that exists in version 3.0 alone.
    pub fn api3<H, T>(self, path: &str, method: &Method, demand: impl Demand<T>, handler: H) -> Routes<S>
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.at(&format!("/api/3.0{path}"), method, demand, handler.clone()).at(
            &format!("/ajax-api/3.0{path}"),
            method,
            demand,
            handler,
        )
    }

    /// The router and the list it was made from.
    pub fn finish(self) -> (Router<S>, Vec<Declared>) {
        self.serving.declare(&self.declared);
        (self.router, self.declared)
    }
}

/// Time for an answer; MLflow's clients wait for two minutes.
const TIME: Duration = Duration::from_secs(100);
/// Headers that are still to come for an answer.
pub const HEADERS: usize = 9;

impl Guard {
    /// Before the handler of a route of `serving`.
    pub fn new(method: &Method, path: &str, demand: (Permission, Option<Resource>), serving: &Serving) -> Guard {
        Guard {
            method: method.clone(),
            path: path.to_owned(),
            permission: demand.0,
            resource: demand.1,
            durations: serving.requests.of(method, path),
            otlp: serving.otlp.clone(),
            porter: serving.porter.clone(),
        }
    }

    /// Who asks, when their role is enough for the route.
    pub async fn who(&self, headers: &HeaderMap, query: Option<&str>) -> Result<Caller> {
        match &self.porter {
            Some(porter) => porter.who(headers, query, self.permission).await,
            None => Ok(Caller::default()),
        }
    }

    /// The request of somebody who may have what they ask for.
    async fn admit(&self, request: Request) -> Result<Request> {
        match &self.porter {
            Some(porter) => porter.admit(self.permission, self.resource, &self.path, request).await,
            None => Ok(request),
        }
    }

    /// A request that comes in. None may from a page of another origin, unless the route is for such.
    pub fn see(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> (Seen, Result<()>) {
        let text = || "A page of another origin must not do this.".to_owned();
        let allowed = origin::origin_allowed(method, headers, self.permission)
            .then_some(())
            .ok_or_else(|| Error::Client(Code::PermissionDenied, text()));
        (Seen::begin(uri, headers, self.otlp.is_some()), allowed)
    }

    /// Lets the handler answer what may come in; logs, counts and traces.
    pub async fn around(
        &self,
        (seen, allowed): (Seen, Result<()>),
        answer: impl AsyncFnOnce() -> Response,
    ) -> Response {
        let mut response = match allowed {
            // Boxed: each wrapper around a future would move the whole of it.
            Ok(()) => seen.scope(self.in_time(Box::pin(answer()))).await,
            Err(error) => error.into_response(),
        };
        response.headers_mut().reserve(HEADERS);
        if self.porter.is_some() && !matches!(self.permission, Permission::Public | Permission::SignIn) {
            response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        }
        if self.permission.any_origin() {
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            headers.insert(
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("etag, x-beira-model, x-beira-version"),
            );
            headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
        }
        let elapsed = seen.end(&self.method, &self.path, &mut response, self.otlp.as_deref());
        self.durations.record(response.status(), elapsed);
        response
    }
}

impl Guard {
    /// The answer, or that it took too long. Files take as long as they take, predictions have their rows counted.
    async fn in_time(&self, answer: impl Future<Output = Response>) -> Response {
        if matches!(self.resource, Some(Resource::Artifact))
            || self.method == Method::PUT
            || self.permission == Permission::Predict
        {
            return answer.await;
        }
        tokio::time::timeout(TIME, answer).await.unwrap_or_else(|_| {
            let text = format!("This took longer than {} s and was given up; ask for less at once.", TIME.as_secs());
            Error::Client(Code::TookTooLong, text).into_response()
        })
    }
}

/// Answer to a preflight of a route that pages of other origins may use.
pub async fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}
