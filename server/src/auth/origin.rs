//! Under which name a server is reached, and from where a request that changes something comes. Pure functions.

use axum::http::{HeaderMap, Method, header};

use super::Permission;

/// Whether a browser reached this server under a name that is meant for it. Addresses cannot be
/// rebound, so they are always fine; of names only `localhost` and those the operator allows.
/// `any_name`: the operator said `--auth none` off loopback and listed no names.
pub fn host_allowed(host: Option<&str>, allowed: &[String], any_name: bool) -> bool {
    let Some(host) = host else { return true }; // HTTP/1.0 tools; browsers always send it
    let name = name_of(host);
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>().is_ok();
    address
        || any_name
        || name.eq_ignore_ascii_case("localhost")
        || name.to_ascii_lowercase().ends_with(".localhost")
        || allowed.iter().any(|allowed| name.eq_ignore_ascii_case(allowed))
}

/// Whether a request may change something: no browser sent it, or a page of this very origin did.
pub fn origin_allowed(method: &Method, headers: &HeaderMap, permission: Permission) -> bool {
    if permission.any_origin() || matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return true;
    }
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    match (text(header::ORIGIN), text(header::HOST)) {
        (None, _) => text(header::HeaderName::from_static("sec-fetch-site")).is_none_or(|site| site != "cross-site"),
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(host)),
        (Some(_), None) => false,
    }
}

/// `name` of `name:port` or `[::1]:port`.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.chars().all(|c| c.is_ascii_digit()) && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        let allowed = ["ml.example.org".to_owned()];
        for (host, expected) in [
            ("127.0.0.1:8080", true),
            ("localhost", true),
            ("LOCALHOST:1", true),
            ("[::1]:8080", true),
            ("10.0.0.7:8080", true),
            ("ml.example.org", true),
            ("evil.example.org", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example:8080", false),
            ("", false),
        ] {
            assert_eq!(host_allowed(Some(host), &allowed, false), expected, "{host}");
        }
        assert!(host_allowed(Some("service.example"), &[], true));
    }

    #[test]
    fn origins() {
        let check = |method: Method, origin: Option<&str>, site: Option<&str>, permission, expected| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "127.0.0.1:8080".parse().unwrap());
            origin.map(|origin| headers.insert(header::ORIGIN, origin.parse().unwrap()));
            site.map(|site| headers.insert("sec-fetch-site", site.parse().unwrap()));
            assert_eq!(origin_allowed(&method, &headers, permission), expected, "{method} {origin:?} {permission:?}");
        };
        use Permission::{Ingest, Read, Write};
        check(Method::POST, None, None, Write, true); // curl, the Python client
        check(Method::POST, None, Some("cross-site"), Write, false);
        check(Method::POST, Some("http://127.0.0.1:8080"), None, Write, true);
        check(Method::POST, Some("http://127.0.0.1:9090"), None, Write, false);
        check(Method::POST, Some("https://evil.example"), None, Write, false);
        check(Method::DELETE, Some("null"), None, Write, false);
        check(Method::POST, Some("https://shop.example"), None, Ingest, true);
        check(Method::GET, Some("https://evil.example"), None, Read, true); // the browser keeps the answer from it
    }
}
