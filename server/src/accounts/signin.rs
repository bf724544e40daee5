//! Signing in and out in a browser: with a token, or with the issuer. What comes of it is a session: a token of its own
//! with an end, in a cookie.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{AppendHeaders, Html, IntoResponse, Response};

use super::cookie::Cookie;
use super::oidc::Attempt;
use super::{Accounts, NewToken, table};
use crate::app::App;
use crate::auth::caller::Holder;
use crate::body;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::fields::Fields;

/// Where people sign in.
pub const PAGE: &str = "/signin";
/// How long a session lasts, and how long a sign-in may take.
const SESSION: i64 = 12 * 3600;
const ATTEMPT: i64 = 600;

const TEXT: &str = include_str!("signin.html");
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// `GET /signin`.
pub async fn page(State(app): State<App>) -> Response {
    match &app.accounts {
        Some(accounts) => show(accounts, StatusCode::OK, ""),
        None => to("/", Vec::new()),
    }
}

/// `POST /signin`: a form with a token.
pub async fn with_token(State(app): State<App>, request: Request) -> Result<Response> {
    let Some(accounts) = &app.accounts else { return Ok(to("/", Vec::new())) };
    let body = body::read(request.into_body(), 4096).await?;
    let token = Fields::from_query(&String::from_utf8_lossy(&body)).opt_string("token")?.unwrap_or_default();
    match accounts.holder(token.trim()).await {
        Ok(holder) => begin(accounts, &holder).await,
        Err(Error::Client(..)) => {
            Ok(show(accounts, StatusCode::BAD_REQUEST, "The token is not known here, has expired or was revoked."))
        }
        Err(error) => Err(error),
    }
}

/// A session of whoever has this token; it ends with the token.
async fn begin(accounts: &Accounts, holder: &Holder) -> Result<Response> {
    let new = NewToken {
        role: holder.role,
        name: holder.name.clone(),
        experiments: Vec::new(),
        models: Vec::new(),
        expires: Some(now_ms() + SESSION * 1000),
    };
    let session = table::create_session(&accounts.store, Some(&holder.id), new).await?;
    Ok(to("/", vec![accounts.cookies.set(Cookie::Session, &session, SESSION)]))
}

/// `POST /signout`: ends the session here and on every replica.
pub async fn out(State(app): State<App>, headers: HeaderMap) -> Result<Response> {
    let Some(accounts) = &app.accounts else { return Ok(to("/", Vec::new())) };
    if let Some(session) = accounts.cookies.of(&headers, Cookie::Session)
        && let Ok(holder) = accounts.holder(&session).await
    {
        table::revoke(&accounts.store, &holder.id).await?;
        accounts.lock().remove(&holder.id);
    }
    Ok(to(PAGE, vec![accounts.cookies.set(Cookie::Session, "", 0)]))
}

/// `GET /signin/issuer`: off to the issuer.
pub async fn to_issuer(State(app): State<App>) -> Result<Response> {
    let Some((accounts, way)) = app.accounts.as_ref().and_then(|accounts| Some((accounts, accounts.way.as_ref()?)))
    else {
        return Ok(to(PAGE, Vec::new()));
    };
    let attempt = Attempt::begin()?;
    match way.address(&attempt).await {
        Ok(address) => Ok(to(&address, vec![accounts.cookies.set(Cookie::Attempt, &attempt.cookie(), ATTEMPT)])),
        Err(error) => {
            error.log("sign-in");
            Ok(show(accounts, StatusCode::BAD_GATEWAY, "The issuer cannot be reached at the moment."))
        }
    }
}

/// `GET /signin/callback?code&state`: back from the issuer.
pub async fn callback(State(app): State<App>, headers: HeaderMap, uri: Uri) -> Result<Response> {
    let Some((accounts, way)) = app.accounts.as_ref().and_then(|accounts| Some((accounts, accounts.way.as_ref()?)))
    else {
        return Ok(to(PAGE, Vec::new()));
    };
    let fields = Fields::from_query(uri.query().unwrap_or_default());
    let given = |name: &str| -> Result<String> { Ok(fields.opt_string(name)?.unwrap_or_default()) };
    let attempt = accounts.cookies.of(&headers, Cookie::Attempt).and_then(|cookie| Attempt::of_cookie(&cookie));
    let (Some(attempt), code) =
        (attempt.filter(|attempt| given("state").is_ok_and(|state| attempt.is_of(&state))), given("code")?)
    else {
        return Ok(show(accounts, StatusCode::BAD_REQUEST, "This answers no sign-in that began in this browser."));
    };
    if code.is_empty() {
        return Ok(show(accounts, StatusCode::FORBIDDEN, "The issuer did not let you in."));
    }
    let mut response = match way.person(&attempt, &code).await {
        Ok(person) => match person.role {
            None => show(accounts, StatusCode::FORBIDDEN, "You are known, and nobody has given you a role here yet."),
            Some(role) => {
                let expires = Some(now_ms() + SESSION * 1000);
                let new = NewToken { role, name: person.name, experiments: Vec::new(), models: Vec::new(), expires };
                let session = table::create_session(&accounts.store, None, new).await?;
                to("/", vec![accounts.cookies.set(Cookie::Session, &session, SESSION)])
            }
        },
        Err(error) => {
            error.log("sign-in");
            show(accounts, StatusCode::FORBIDDEN, "The issuer's answer was not accepted; the server's log says why.")
        }
    };
    response.headers_mut().append(header::SET_COOKIE, accounts.cookies.set(Cookie::Attempt, "", 0));
    Ok(response)
}

fn show(accounts: &Accounts, status: StatusCode, trouble: &str) -> Response {
    let link = accounts.way.as_ref().map_or(String::new(), |way| {
        format!("<p><a href=\"/signin/issuer\">Sign in with {}</a></p>", escaped(way.host()))
    });
    let page = TEXT.replace("{trouble}", &escaped(trouble)).replace("{issuer}", &link);
    let headers = [(header::CONTENT_SECURITY_POLICY, POLICY), (header::CACHE_CONTROL, "no-store")];
    (status, headers, Html(page)).into_response()
}

fn to(place: &str, cookies: Vec<HeaderValue>) -> Response {
    let cookies = AppendHeaders(cookies.into_iter().map(|cookie| (header::SET_COOKIE, cookie)));
    let place = HeaderValue::from_str(place).unwrap_or(HeaderValue::from_static("/"));
    let headers = [(header::LOCATION, place), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::SEE_OTHER, headers, cookies).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
