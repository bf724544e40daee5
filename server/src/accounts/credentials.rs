//! Where a request says who sends it.
//!
//! As MLflow's variables have it: `MLFLOW_TRACKING_TOKEN` comes as Bearer; `MLFLOW_TRACKING_USERNAME` and `_PASSWORD`
//! come as Basic, where the password is the token and the name may be any. Counters come from pages and queues that can
//! set no header: there the token is `ingest_key`, in the query string or in the body.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use serde::Deserialize;

use crate::auth::Permission;
use crate::body;
use crate::error::Result;
use crate::fields::Fields;

/// Longest flush; its handler has the same limit.
const BYTES: usize = 1 << 20;
/// The field that holds the token of counters.
const INGEST_KEY: &str = "ingest_key";

/// The token of a request's header, or of the query string where that is allowed.
pub fn of(headers: &HeaderMap, query: Option<&str>, permission: Permission) -> Option<String> {
    match headers.get(header::AUTHORIZATION) {
        Some(value) => Some(of_header(value.to_str().ok()?).unwrap_or_default()),
        None if permission == Permission::Ingest => Fields::from_query(query?).opt_string(INGEST_KEY).ok()?,
        None => None,
    }
}

fn of_header(value: &str) -> Option<String> {
    let (scheme, rest) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = base64::engine::general_purpose::STANDARD.decode(rest.trim()).ok()?;
    let (_, password) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    Some(password.to_owned())
}

/// What a flush says of itself.
#[derive(Default, Deserialize)]
pub struct Flush {
    /// The token.
    pub ingest_key: Option<String>,
    /// The module that it counts for.
    pub module_sha256: Option<String>,
}

/// The head of the flush in a body, and the request as it came. What cannot be read says nothing.
pub async fn of_body(request: Request) -> Result<(Flush, Request)> {
    let (parts, body) = request.into_parts();
    let bytes = body::read(body, BYTES).await?;
    let flush = serde_json::from_slice(&bytes).unwrap_or_default();
    Ok((flush, Request::from_parts(parts, Body::from(bytes))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearer_basic_and_the_ingest_key() {
        let check = |value: &str, query: &str, permission, expected: Option<&str>| {
            let mut headers = HeaderMap::new();
            if !value.is_empty() {
                headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            }
            assert_eq!(of(&headers, Some(query), permission).as_deref(), expected, "{value} {query}");
        };
        use Permission::{Ingest, Read};
        check("Bearer abc", "", Read, Some("abc"));
        check("bearer  abc ", "", Read, Some("abc"));
        check("Basic YWRhOmE6Yg==", "", Read, Some("a:b")); // ada:a:b
        check("Basic OmFiYw==", "", Read, Some("abc")); // no name
        check("Basic ???", "", Read, Some("")); // said, and no token: not nobody
        check("Digest abc", "ingest_key=abc", Ingest, Some(""));
        check("", "ingest_key=abc", Ingest, Some("abc"));
        check("", "ingest_key=abc", Read, None);
        check("", "", Ingest, None);
    }
}
