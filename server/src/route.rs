//! How a route is declared: method, path, permission, handler. Without a permission it does not compile.

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};

use crate::app::App;
use crate::auth::{self, Permission};
use crate::error::{Code, Error};
use crate::observe;

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

/// The list of routes under construction.
pub struct Routes {
    app: App,
    router: Router<App>,
    declared: Vec<Declared>,
}

impl Routes {
    /// No routes yet.
    pub fn new(app: App) -> Routes {
        Routes { app, router: Router::new(), declared: Vec::new() }
    }

    /// Declares one route.
    pub fn at<H, T>(mut self, path: &str, method: &Method, permission: Permission, handler: H) -> Routes
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        let (app, template) = (self.app.clone(), path.to_owned());
        let guarded = on(filter, handler).layer(from_fn(move |request: Request, next: Next| {
            let (app, template) = (app.clone(), template.clone());
            async move { guard(app, &template, permission, request, next).await }
        }));
        self.router = self.router.route(path, guarded);
        self.declared.push(Declared { method: method.clone(), path: path.to_owned(), permission });
        self
    }

    /// Declares a route of MLflow's REST API: `/api/2.0` and `/ajax-api/2.0`.
    pub fn api<H, T>(self, path: &str, method: &Method, permission: Permission, handler: H) -> Routes
    where
        H: Handler<T, App>,
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
    pub fn api3<H, T>(self, path: &str, method: &Method, permission: Permission, handler: H) -> Routes
    where
        H: Handler<T, App>,
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
    pub fn finish(self) -> (Router<App>, Vec<Declared>) {
        (self.router, self.declared)
    }
}

async fn guard(app: App, template: &str, permission: Permission, request: Request, next: Next) -> Response {
    let seen = observe::Seen::begin(&request);
    let method = request.method().clone();
    let mut response = if auth::origin_allowed(&method, request.headers(), permission) {
        seen.scope(next.run(request)).await
    } else {
        Error::Client(Code::PermissionDenied, "A page of another origin must not do this.".to_owned()).into_response()
    };
    if permission.any_origin() {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("etag, x-beira-model, x-beira-version"),
        );
        headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    }
    let elapsed = seen.end(template, &mut response, app.otlp.as_deref());
    app.requests.record(&method, template, response.status(), elapsed);
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
