//! What every request passes and every answer carries: the check of the Host, and the headers of caution.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

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

/// The outermost layer.
pub async fn outermost(State(doors): State<Doors>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    let host = host.or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    let mut response = if auth::host_allowed(host, &doors.0.allowed_hosts, doors.0.any_name) {
        next.run(request).await
    } else {
        let text =
            "This server does not answer to the host name of this request; reach it as localhost or by its address.";
        Error::Client(Code::PermissionDenied, text.to_owned()).into_response()
    };
    let headers = response.headers_mut();
    headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers
        .entry(HeaderName::from_static("cross-origin-resource-policy"))
        .or_insert(HeaderValue::from_static("same-origin"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}
