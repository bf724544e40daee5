//! How a request is made: base address, JSON both ways, errors.

use std::sync::OnceLock;

use gloo_net::http::{Request, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;

/// Where the API is, without a slash at the end. Empty for the page's own origin; else what
/// `?api=` or `<meta name="beira-api">` says, so that the page can be served from a bucket.
pub fn base() -> &'static str {
    static BASE: OnceLock<String> = OnceLock::new();
    BASE.get_or_init(|| {
        let from_query = || {
            let search = web_sys::window()?.location().search().ok()?;
            web_sys::UrlSearchParams::new_with_str(&search).ok()?.get("api")
        };
        let from_page = || {
            let page = web_sys::window()?.document()?;
            page.query_selector("meta[name=beira-api]").ok()??.get_attribute("content")
        };
        let base = from_query().or_else(from_page).unwrap_or_default();
        let allowed = base.starts_with("http://") || base.starts_with("https://");
        if allowed { base.trim_end_matches('/').to_owned() } else { String::new() }
    })
}

/// The API's address as other programs need it.
pub fn origin() -> String {
    match base() {
        "" => web_sys::window().and_then(|w| w.location().origin().ok()).unwrap_or_default(),
        base => base.to_owned(),
    }
}

/// Full address of a path of the API.
pub fn url(path: &str) -> String {
    format!("{}{path}", base())
}

/// `GET`, answer as JSON.
pub(super) async fn get<T: DeserializeOwned>(path: &str) -> Result<T, Error> {
    json(Request::get(&url(path)).send().await).await
}

/// `GET`, answer as bytes.
pub(super) async fn get_bytes(path: &str) -> Result<Vec<u8>, Error> {
    let response = success(Request::get(&url(path)).send().await).await?;
    response.binary().await.map_err(|_| Error::Network)
}

/// `POST` of a JSON body, answer as JSON.
pub(super) async fn post<T: DeserializeOwned>(path: &str, body: &impl Serialize) -> Result<T, Error> {
    json(with_json(Request::post(&url(path)), body)?.send().await).await
}

/// `POST` of bytes, answer as JSON.
pub(super) async fn post_bytes<T: DeserializeOwned>(path: &str, body: js_sys::Uint8Array) -> Result<T, Error> {
    let request = Request::post(&url(path)).header("content-type", "application/octet-stream");
    let request = request.body(body).map_err(|e| Error::Decode(e.to_string()))?;
    json(request.send().await).await
}

fn with_json(request: RequestBuilder, body: &impl Serialize) -> Result<Request, Error> {
    request.json(body).map_err(|e| Error::Decode(e.to_string()))
}

async fn json<T: DeserializeOwned>(response: Result<Response, gloo_net::Error>) -> Result<T, Error> {
    let text = success(response).await?.text().await.map_err(|_| Error::Network)?;
    serde_json::from_str(&text).map_err(|e| Error::Decode(e.to_string()))
}

async fn success(response: Result<Response, gloo_net::Error>) -> Result<Response, Error> {
    let response = response.map_err(|_| Error::Network)?;
    if response.ok() {
        return Ok(response);
    }
    let body = response.text().await.unwrap_or_default();
    Err(Error::from_body(response.status(), &body))
}
