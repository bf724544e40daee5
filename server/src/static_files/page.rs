//! The dashboard's one page, with a content security policy that names its inline scripts by hash.

use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::mlflow::page::base64;

/// `index.html`, never cached, so that a new build is seen at once.
pub fn send(html: &[u8]) -> Response {
    let html = String::from_utf8_lossy(html).into_owned();
    let policy = policy(&html);
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Scripts of this origin and the page's own inline ones; WebAssembly; styles may stand in attributes.
fn policy(html: &str) -> String {
    let hashes: String = inline_scripts(html)
        .iter()
        .map(|script| format!(" 'sha256-{}'", base64(&Sha256::digest(script.as_bytes()))))
        .collect();
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{hashes}; connect-src 'self'; \
         style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; \
         worker-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
    )
}

/// What stands between `<script …>` and `</script>` where there is no `src`.
fn inline_scripts(html: &str) -> Vec<&str> {
    let mut scripts = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find("<script") {
        let Some(open) = rest[start..].find('>') else { break };
        let (tag, body) = (&rest[start..start + open], &rest[start + open + 1..]);
        let Some(end) = body.find("</script>") else { break };
        if !tag.contains(" src=") {
            scripts.push(&body[..end]);
        }
        rest = &body[end..];
    }
    scripts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_scripts_are_named_by_hash() {
        let html = "<script src=\"/a.js\"></script><script type=\"module\">alert(1)</script><p>";
        assert_eq!(inline_scripts(html), ["alert(1)"]);
        // openssl dgst -sha256 -binary | base64
        assert!(policy(html).contains("'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"), "{}", policy(html));
        assert!(!policy("<p>").contains("sha256"));
    }
}
