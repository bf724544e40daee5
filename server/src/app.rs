//! The application: its state, and the one list of routes.

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};

use crate::artifacts::Artifacts;
use crate::auth::{self, Permission};
use crate::clock::now_ms;
use crate::config::Config;
use crate::error::{Code, Error, StartError};
use crate::ids::Ids;
use crate::modules::Modules;
use crate::observe::otlp::{Collect, Otlp};
use crate::requests::Requests;
use crate::route::{Declared, Routes, preflight};
use crate::store::Store;
use crate::traffic::Traffic;
use crate::{beira, ids, metrics, mlflow, modules, oip, predict, static_files, telemetry, traffic, watch};

/// What handlers share; a clone is the same application.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// The parts.
pub struct Inner {
    /// What the operator said.
    pub config: Arc<Config>,
    /// Tables.
    pub store: Store,
    /// Files.
    pub artifacts: Artifacts,
    /// Compiled models.
    pub modules: Modules,
    /// Counters of this server's own predictions.
    pub traffic: Traffic,
    /// Durations of requests.
    pub requests: Requests,
    /// Ids of predictions.
    pub ids: Ids,
    /// Where metrics and spans go, if anywhere.
    pub otlp: Option<Arc<Otlp>>,
    loopback: bool,
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// Opens the store and starts the background tasks. Refused off loopback without `auth_none`.
    pub async fn open(config: Config) -> Result<App, StartError> {
        config.address()?;
        let database = |source| StartError::Database { path: config.db.display().to_string(), source };
        let store = Store::open(&config.db).await.map_err(database)?;
        let artifacts = Artifacts::open(&config.artifacts, config.default_artifact_root.as_deref())?;
        let location = format!("{}/0", config.artifact_root());
        store
            .write(move |tx| {
                Box::pin(async move {
                    sqlx::query(
                        "INSERT INTO experiments
                             (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)
                         VALUES (0, 'Default', $1, 'active', $2, $2) ON CONFLICT DO NOTHING",
                    )
                    .bind(location)
                    .bind(now_ms())
                    .execute(tx)
                    .await?;
                    Ok(())
                })
            })
            .await
            .map_err(StartError::Prepare)?;
        let modules = Modules::start(store.clone(), artifacts.clone()).await.map_err(StartError::Prepare)?;
        let traffic = Traffic::default();
        tokio::spawn(traffic::flush_every_second(traffic.clone(), store.clone()));
        tokio::spawn(telemetry::sweep(store.clone()));
        let loopback = config.is_loopback();
        let requests = Requests::default();
        let ids = ids::of(&store, config.prediction_key.as_ref()).await.map_err(StartError::Prepare)?;
        let otlp = config.otlp.clone();
        let config = Arc::new(config);
        let app = App(Arc::new(Inner { config, store, artifacts, modules, traffic, requests, ids, otlp, loopback }));
        tokio::spawn(watch::keep(app.clone()));
        if let Some(webhook) = app.config.watch.webhook.clone() {
            tokio::spawn(watch::deliver(app.clone(), webhook));
        }
        if let Some(otlp) = app.otlp.clone() {
            tokio::spawn(otlp.run(app.collect()));
        }
        Ok(app)
    }

    /// All metrics, for OTLP.
    fn collect(&self) -> Collect {
        let app = self.clone();
        Arc::new(move || {
            let app = app.clone();
            Box::pin(async move {
                metrics::families(&app).await.unwrap_or_else(|error| {
                    tracing::error!(%error, "metrics");
                    Vec::new()
                })
            })
        })
    }

    /// Writes what is counted, sends the last metrics and spans, and closes the store.
    pub async fn close(&self) {
        if let Err(error) = self.traffic.flush(&self.store).await {
            tracing::error!(%error, "the last counters were lost");
        }
        if let Some(otlp) = &self.otlp {
            otlp.flush(&self.collect()).await;
        }
        self.store.close().await;
    }

    /// The router, and the list of its routes.
    pub fn router(&self) -> (Router, Vec<Declared>) {
        let (router, declared) = routes(Routes::new(self.clone())).finish();
        let compressed = DefaultPredicate::new()
            .and(NotForContentType::const_new("application/octet-stream"))
            .and(NotForContentType::const_new("application/wasm"));
        let router = router
            .fallback(static_files::dashboard)
            .layer(CompressionLayer::new().compress_when(compressed))
            .layer(from_fn_with_state(self.clone(), outermost))
            .with_state(self.clone());
        (router, declared)
    }
}

/// All routes, each with its permission.
fn routes(routes: Routes) -> Routes {
    use Permission::{Ingest, Predict, Public, Read, Write};
    let (get, post, options) = (&Method::GET, &Method::POST, &Method::OPTIONS);
    mlflow::routes(routes)
        .at("/health", get, Public, || async { "OK" })
        .at("/version", get, Public, || async { MLFLOW_VERSION })
        .at("/metrics", get, Read, metrics::metrics)
        .at("/predict/{name}", post, Predict, predict::predict)
        .at("/v2", get, Public, oip::server)
        .at("/v2/health/live", get, Public, oip::live)
        .at("/v2/health/ready", get, Public, oip::ready)
        .at("/v2/models/{name}", get, Predict, oip::model)
        .at("/v2/models/{name}/ready", get, Predict, oip::model_ready)
        .at("/v2/models/{name}/infer", post, Predict, oip::infer_model)
        .at("/v2/models/{name}/versions/{version}", get, Predict, oip::version)
        .at("/v2/models/{name}/versions/{version}/ready", get, Predict, oip::version_ready)
        .at("/v2/models/{name}/versions/{version}/infer", post, Predict, oip::infer_version)
        .at("/telemetry/counters", post, Ingest, telemetry::ingest)
        .at("/telemetry/counters", options, Ingest, preflight)
        .at("/telemetry/logs", post, Ingest, telemetry::logs::ingest)
        .at("/telemetry/labels", post, Write, telemetry::labels)
        .at("/modules/{name}/{reference}", get, Public, modules::get)
        .at("/compiled/{sha256}", get, Public, modules::compiled)
        .at("/api/beira/overview", get, Read, beira::overview)
        .at("/api/beira/models/{name}", get, Read, beira::model)
        .at("/api/beira/models/{name}/production", get, Read, beira::production)
        .at("/api/beira/compile", post, Write, modules::report)
        .at("/npm/{*path}", get, Public, static_files::package)
}

/// The MLflow whose REST API this is.
const MLFLOW_VERSION: &str = "3.17.2";

/// Checks the Host and adds the headers that every answer has.
async fn outermost(State(app): State<App>, request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(header::HOST)
        .map(|host| host.to_str().unwrap_or_default().to_owned())
        .or_else(|| request.uri().authority().map(ToString::to_string));
    let any_name = !app.loopback && app.config.auth_none && app.config.allowed_hosts.is_empty();
    let mut response = if auth::host_allowed(host.as_deref(), &app.config.allowed_hosts, any_name) {
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
