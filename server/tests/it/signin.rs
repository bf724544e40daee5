//! Signing in to the dashboard: with a token, and with an issuer made here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{RawForm, RawQuery, State};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use beira_server::{Auth, NewToken, Oidc, Role, Secret, Tokens};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::database::{self, on_both};
use crate::support::{TestServer, bytes};

on_both! {
    a_token_becomes_a_session_that_ends_with_it
    an_issuer_lets_people_in
    what_the_issuer_did_not_say_is_refused
}

const READ: &str = "/api/2.0/mlflow/experiments/get?experiment_id=0";

/// A browser: it keeps cookies.
struct Browser<'a> {
    server: &'a TestServer,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Browser<'_> {
    fn new(server: &TestServer) -> Browser<'_> {
        Browser { server, cookies: Mutex::default() }
    }

    async fn send(&self, method: Method, path: &str, origin: Option<&str>, body: &str) -> Response<Body> {
        let cookies =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        let kind = if body.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost:8080")
            .header(header::ACCEPT, "text/html")
            .header(header::CONTENT_TYPE, kind)
            .header(header::COOKIE, cookies.join("; "));
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        let response = self.server.send(request.body(Body::from(body.to_owned())).unwrap()).await;
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let text = cookie.to_str().unwrap();
            assert!(text.contains("; HttpOnly; SameSite=Lax"), "{text}");
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            if value.is_empty() {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        response
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let response = self.send(Method::GET, path, None, "").await;
        let place = response.headers().get(header::LOCATION).map(|place| place.to_str().unwrap().to_owned());
        (response.status().as_u16(), place.unwrap_or_default())
    }

    async fn post(&self, path: &str, origin: &str, body: &str) -> u16 {
        self.send(Method::POST, path, Some(origin), body).await.status().as_u16()
    }
}

const OWN: &str = "http://localhost:8080";

async fn a_token_becomes_a_session_that_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::with(folder, |config| config.auth = Some(Auth::Tokens)).await;
    let tokens = Tokens::open(&database::of(server.folder.path())).await.unwrap();
    let new = |role, experiments: &[&str]| NewToken {
        role,
        name: "ada".to_owned(),
        experiments: experiments.iter().map(|name| (*name).to_owned()).collect(),
        models: Vec::new(),
        expires: None,
    };
    let token = tokens.create(new(Role::Logger, &["Default"])).await.unwrap();
    let browser = Browser::new(&server);
    assert_eq!(browser.get("/").await, (303, "/signin".to_owned()));
    assert_eq!(browser.get("/experiments/0").await, (303, "/signin".to_owned()));
    assert_eq!(browser.get(READ).await.0, 401);
    assert_eq!(browser.get("/signin").await.0, 200);
    assert_eq!(browser.post("/signin", OWN, "token=beira_no").await, 400);
    assert_eq!(browser.post("/signin", "https://evil.example", &format!("token={token}")).await, 403);
    assert_eq!(browser.post("/signin", OWN, &format!("token={token}")).await, 303);
    assert_eq!((browser.get("/").await.0, browser.get(READ).await.0), (200, 200));
    let caller = browser.send(Method::GET, "/api/beira/caller", None, "").await;
    assert_eq!(bytes(caller).await, br#"{"name":"ada","role":"logger"}"#[..]);
    assert!(!browser.cookies.lock().unwrap()["beira_session"].contains(&token), "the session is a token of its own");
    // The session has the token's role and limits.
    let create = "/api/2.0/mlflow/runs/create";
    assert_eq!(browser.post(create, OWN, r#"{"experiment_id": "0"}"#).await, 200);
    assert_eq!(browser.post(create, "https://evil.example", r#"{"experiment_id": "0"}"#).await, 403);
    assert_eq!(browser.post("/api/2.0/mlflow/experiments/create", OWN, r#"{"name": "x"}"#).await, 403);
    assert_eq!(browser.post("/api/2.0/mlflow/experiments/delete", OWN, r#"{"experiment_id": "0"}"#).await, 403);
    assert_eq!(browser.get("/modules/nobody/1").await.0, 403, "known, and not granted");
    // A cookie counts for pages of this origin alone.
    assert_eq!(browser.post("/telemetry/logs", OWN, "").await, 401);

    let other = Browser::new(&server);
    assert_eq!(other.post("/signin", OWN, &format!("token={token}")).await, 303);
    assert_eq!(other.post("/signout", "https://evil.example", "").await, 403);
    let session = other.cookies.lock().unwrap().clone();
    assert_eq!(other.post("/signout", OWN, "").await, 303);
    assert!(other.cookies.lock().unwrap().is_empty());
    *other.cookies.lock().unwrap() = session;
    assert_eq!(other.get(READ).await.0, 401, "the session is over, not only forgotten");
    assert_eq!(browser.get(READ).await.0, 200);
    assert!(tokens.revoke(token.split('_').nth(1).unwrap()).await.unwrap());
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert_eq!(browser.get(READ).await.0, 401);
    assert_eq!(tokens.list().await.unwrap().len(), 0);
}

/// An issuer that lets anybody in as `ada`, checks what a client sends, and lies when it is told to.
#[derive(Clone)]
struct Issuer(Arc<Inner>);

struct Inner {
    url: String,
    key: EcdsaKeyPair,
    /// What stands in ID tokens beside or instead of the usual.
    claims: Mutex<Value>,
    /// Code, its challenge and nonce; each is good once.
    codes: Mutex<BTreeMap<String, (String, String)>>,
}

impl Issuer {
    async fn start() -> Issuer {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let issuer = Issuer(Arc::new(Inner {
            url: format!("http://{}", listener.local_addr().unwrap()),
            key: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap(),
            claims: Mutex::new(json!({})),
            codes: Mutex::default(),
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(issuer.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        issuer
    }

    /// From now on ID tokens say this too.
    fn says(&self, claims: Value) {
        *self.0.claims.lock().unwrap() = claims;
    }
}

async fn configuration(State(Issuer(own)): State<Issuer>) -> Json<Value> {
    let at = |path: &str| format!("{}/{path}", own.url);
    Json(json!({
        "issuer": own.url,
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "jwks_uri": at("keys"),
    }))
}

async fn keys(State(Issuer(own)): State<Issuer>) -> Json<Value> {
    let point = own.key.public_key().as_ref();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    let key = json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": "k", "x": x, "y": y});
    Json(json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA"}, {"kty": "EC", "crv": "P-521"}, key]}))
}

fn fields(text: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned();
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

async fn authorize(State(Issuer(own)): State<Issuer>, RawQuery(query): RawQuery) -> Redirect {
    let asked = fields(&query.unwrap());
    assert_eq!((asked["response_type"].as_str(), asked["client_id"].as_str()), ("code", "beira"));
    assert_eq!(asked["redirect_uri"], format!("{OWN}/signin/callback"));
    assert_eq!(asked["code_challenge_method"], "S256");
    assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
    let code = format!("code{}", own.codes.lock().unwrap().len());
    own.codes.lock().unwrap().insert(code.clone(), (asked["code_challenge"].clone(), asked["nonce"].clone()));
    Redirect::to(&format!("{}?code={code}&state={}", asked["redirect_uri"], asked["state"]))
}

async fn token(State(Issuer(own)): State<Issuer>, headers: HeaderMap, RawForm(form): RawForm) -> Response {
    let basic = format!("Basic {}", STANDARD.encode("beira:s%20e"));
    assert_eq!(headers[header::AUTHORIZATION], basic.as_str());
    let asked = fields(std::str::from_utf8(&form).unwrap());
    assert_eq!(asked["grant_type"], "authorization_code");
    let Some((challenge, nonce)) = own.codes.lock().unwrap().remove(&asked["code"]) else {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response();
    };
    assert_eq!(URL_SAFE_NO_PAD.encode(Sha256::digest(&asked["code_verifier"])), challenge);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let mut claims = json!({
        "iss": own.url, "aud": "beira", "sub": "ada", "exp": now + 300, "iat": now, "nonce": nonce,
        "email": "ada@example.org", "email_verified": true, "groups": ["ml"],
    });
    for (name, value) in own.claims.lock().unwrap().as_object().unwrap() {
        claims[name] = value.clone();
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let algorithm = claims["alg"].as_str().unwrap_or("ES256").to_owned();
    let signed = format!("{}.{}", part(&json!({"alg": algorithm, "kid": "k"})), part(&claims));
    let signature = own.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
    let signature = if algorithm == "none" { String::new() } else { URL_SAFE_NO_PAD.encode(signature) };
    let mut id_token = format!("{signed}.{signature}");
    if claims["forged"] == true {
        id_token = id_token.replacen(&part(&claims), &part(&json!({"sub": "eve", "iss": own.url})), 1);
    }
    Json(json!({"access_token": "a", "token_type": "Bearer", "id_token": id_token})).into_response()
}

async fn with(issuer: &Issuer) -> TestServer {
    let oidc = Oidc {
        issuer: issuer.0.url.clone(),
        client_id: "beira".to_owned(),
        client_secret: Some(Secret("s e".to_owned())),
        allow: vec!["groups=ml:logger".parse().unwrap(), "email=root@example.org:admin".parse().unwrap()],
    };
    TestServer::with(tempfile::tempdir().unwrap(), |config| {
        config.auth = Some(Auth::Tokens);
        config.public_url = Some(OWN.to_owned());
        config.oidc = Some(oidc);
    })
    .await
}

/// As a browser goes: off, through the issuer, and to where that sends it.
async fn round(browser: &Browser<'_>) -> String {
    let (status, place) = browser.get("/signin/issuer").await;
    assert_eq!(status, 303);
    back(place).await
}

async fn back(place: String) -> String {
    let work = move || {
        let config = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false).build();
        let answer = config.new_agent().get(&place).call().unwrap();
        answer.headers()["location"].to_str().unwrap().to_owned()
    };
    let place = tokio::task::spawn_blocking(work).await.unwrap();
    place.strip_prefix(OWN).unwrap().to_owned()
}

async fn an_issuer_lets_people_in() {
    let issuer = Issuer::start().await;
    let server = with(&issuer).await;
    let browser = Browser::new(&server);
    let page = browser.send(Method::GET, "/signin", None, "").await;
    let text = String::from_utf8(bytes(page).await).unwrap();
    assert!(text.contains("href=\"/signin/issuer\">Sign in with 127.0.0.1:"), "{text}");
    let callback = round(&browser).await;
    assert_eq!(browser.get(&callback).await, (303, "/".to_owned()));
    assert_eq!(browser.cookies.lock().unwrap().keys().collect::<Vec<_>>(), ["beira_session"]);
    assert_eq!((browser.get("/").await.0, browser.get(READ).await.0), (200, 200));
    assert_eq!(browser.post("/api/2.0/mlflow/experiments/create", OWN, r#"{"name": "x"}"#).await, 200);
    assert_eq!(browser.post("/api/2.0/mlflow/experiments/delete", OWN, r#"{"experiment_id": "0"}"#).await, 403);
    assert_eq!(browser.post("/signout", OWN, "").await, 303);
    assert_eq!(browser.get(READ).await.0, 401);

    issuer.says(json!({"email": "root@example.org"}));
    let callback = round(&browser).await;
    assert_eq!(browser.get(&callback).await, (303, "/".to_owned()));
    assert_eq!(browser.post("/api/2.0/mlflow/experiments/delete", OWN, r#"{"experiment_id": "0"}"#).await, 200);
}

async fn what_the_issuer_did_not_say_is_refused() {
    let issuer = Issuer::start().await;
    let server = with(&issuer).await;
    let refused = async |what: Value, expected: u16| {
        issuer.says(what.clone());
        let browser = Browser::new(&server);
        let callback = round(&browser).await;
        assert_eq!(browser.get(&callback).await.0, expected, "{what}");
        assert!(browser.cookies.lock().unwrap().is_empty(), "{what}");
    };
    for lie in [
        json!({"aud": "other"}),
        json!({"iss": "https://evil.example"}),
        json!({"nonce": "n"}),
        json!({"exp": 1}),
        json!({"alg": "none"}),
        json!({"alg": "RS256"}),
        json!({"forged": true}),
        json!({"groups": ["sales"]}),
        json!({"groups": [], "email": "root@example.org", "email_verified": false}),
    ] {
        refused(lie, 403).await;
    }
    issuer.says(json!({}));
    // Another browser's answer, an answer to nothing, one that comes twice, and a no.
    let (ada, eve) = (Browser::new(&server), Browser::new(&server));
    let callback = round(&ada).await;
    assert_eq!(eve.get(&callback).await.0, 400);
    eve.get("/signin/issuer").await;
    assert_eq!(eve.get(&callback).await.0, 400);
    let attempt = ada.cookies.lock().unwrap().clone();
    assert_eq!(ada.get(&callback).await.0, 303);
    *ada.cookies.lock().unwrap() = attempt;
    assert_eq!(ada.get(&callback).await.0, 403, "the issuer takes a code once");
    let callback = round(&ada).await;
    let denied = callback.replace("code=", "error=access_denied&no=");
    assert_eq!(ada.get(&denied).await.0, 403);
    assert_eq!(ada.get("/signin/callback?code=x&state=").await.0, 400);
}
