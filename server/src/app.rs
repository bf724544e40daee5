//! The application: its state, and the one list of routes.

use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use axum::http::Method;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};

use crate::accounts::{Accounts, signin};
use crate::artifacts::Artifacts;
use crate::auth::Permission;
use crate::auth::caller::Porter;
use crate::auth::demand::Resource::{Counters, Everything, ModelInPath, Nothing};
use crate::clock::now_ms;
use crate::config::Config;
use crate::doors::{Doors, House};
use crate::error::StartError;
use crate::modules::Modules;
use crate::observe::otlp::Collect;
use crate::route::{Declared, Routes, preflight};
use crate::serving::{self, Limits, Serving};
use crate::store::{self, Store};
use crate::{beira, ids, listen, metrics, mlflow, modules, static_files, telemetry, traffic, watch};

/// Time that requests in flight are given at shutdown.
const DRAIN: Duration = Duration::from_secs(8);

/// Serves until `shutdown` ends; then finishes what is in flight, writes the last counters and closes the store.
pub async fn serve(config: Config, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), StartError> {
    let address = config.address()?;
    let listener = listen::bind(address).await?;
    let app = App::open(config).await?;
    let (router, _) = app.router();
    tracing::info!(%address, "serving");
    listen::serve(listener, router, shutdown, DRAIN).await;
    app.close().await;
    Ok(())
}

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
    /// Who may do what, where that is asked.
    pub accounts: Option<Arc<Accounts>>,
    /// Predictions.
    pub serving: Serving,
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl FromRef<App> for Serving {
    fn from_ref(app: &App) -> Serving {
        app.serving.clone()
    }
}

impl App {
    /// Opens the store and starts the background tasks.
    pub async fn open(config: Config) -> Result<App, StartError> {
        config.address()?;
        let database = |source| StartError::Database { database: config.db.to_string(), source };
        let store = Store::open(&config.db).await.map_err(database)?;
        let artifacts = Artifacts::open(&config.artifacts, config.default_artifact_root.as_deref()).await?;
        let location = format!("{}/0", config.artifact_root());
        store
            .write(move |tx| {
                Box::pin(async move {
                    store::query(
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
        let limits = Limits { rows: config.predict_rows_max, bytes: config.json_bytes_max };
        let ids = ids::of(&store, config.prediction_key.as_ref()).await.map_err(StartError::Prepare)?;
        let config = Arc::new(config);
        let accounts = if config.needs_tokens() {
            Some(Arc::new(Accounts::open(store.clone(), config.clone()).await.map_err(StartError::Prepare)?))
        } else {
            None
        };
        let porter = accounts.clone().map(|accounts| accounts as Arc<dyn Porter>);
        let serving = Serving::new(Arc::new(modules.clone()), limits, ids, config.otlp.clone(), porter);
        tokio::spawn(traffic::store::flush_every_second(serving.traffic.clone(), store.clone()));
        tokio::spawn(telemetry::sweep(store.clone()));
        let app = App(Arc::new(Inner { config, store, artifacts, modules, accounts, serving }));
        tokio::spawn(watch::keep(app.clone()));
        if let Some(webhook) = app.config.watch.webhook.clone() {
            tokio::spawn(watch::deliver(app.clone(), webhook));
        }
        if let Some(otlp) = app.serving.otlp.clone() {
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
        if let Err(error) = traffic::store::flush(&self.serving.traffic, &self.store).await {
            tracing::error!(%error, "the last counters were lost");
        }
        if let Some(otlp) = &self.serving.otlp {
            otlp.flush(&self.collect()).await;
        }
        self.store.close().await;
    }

    /// All routes behind the doors, and their list.
    pub fn router(&self) -> (House, Vec<Declared>) {
        let (router, declared) = routes(Routes::new(&self.serving)).finish();
        let compressed = DefaultPredicate::new()
            .and(NotForContentType::const_new("application/octet-stream"))
            .and(NotForContentType::const_new("application/wasm"));
        let config = &self.config;
        let mut hosts = config.allowed_hosts.clone();
        if config.is_loopback() {
            hosts.extend(config.public_host().map(str::to_owned)); // something on this machine stands in front
        }
        let doors = Doors::new(config.is_loopback(), &hosts);
        let router = router
            .fallback(static_files::dashboard)
            .layer(CompressionLayer::new().compress_when(compressed))
            .with_state(self.clone());
        (House::new(doors, &self.serving, router), declared)
    }
}

/// All routes, each with its permission.
fn routes(routes: Routes<App>) -> Routes<App> {
    use Permission::{Ingest, Module, Public, Read, SignIn, Write};
    let (get, post, options) = (&Method::GET, &Method::POST, &Method::OPTIONS);
    let open = Public.of(Nothing);
    let door = SignIn.of(Nothing);
    serving::routes(mlflow::routes(routes))
        .at(signin::PAGE, get, door, signin::page)
        .at(signin::PAGE, post, door, signin::with_token)
        .at("/signin/issuer", get, door, signin::to_issuer)
        .at("/signin/callback", get, door, signin::callback)
        .at("/signout", post, door, signin::out)
        .at("/health", get, open, || async { "OK" })
        .at("/metrics", get, Read.of(Everything), metrics::metrics)
        .at("/telemetry/counters", post, Ingest.of(Counters), telemetry::ingest)
        .at("/telemetry/counters", options, open, preflight)
        .at("/telemetry/logs", post, Ingest.listed(), telemetry::logs::ingest)
        .at("/telemetry/labels", post, Write.listed(), telemetry::labels)
        .at("/modules/{name}/{reference}", get, Module.of(ModelInPath), modules::get)
        .at("/modules/{name}/{reference}", options, open, preflight)
        .at("/compiled/{sha256}", get, open, modules::compiled)
        .at("/api/beira/caller", get, Read.of(Nothing), beira::caller)
        .at("/api/beira/overview", get, Read.listed(), beira::overview)
        .at("/api/beira/models/{name}", get, Read.of(ModelInPath), beira::model)
        .at("/api/beira/models/{name}/production", get, Read.of(ModelInPath), beira::production)
        .at("/api/beira/compile", post, Write.of(Nothing), modules::report)
        .at("/npm/{*path}", get, open, static_files::package)
}
