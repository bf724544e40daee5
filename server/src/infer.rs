//! `beira infer`: one model, stateless. The routes of predictions, and nothing that needs a disk.

mod current;
mod flush;
mod follow;
mod registry;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use host_native::Module;

use crate::auth::Permission::{Public, Read};
use crate::auth::demand::Resource::{Everything, Nothing};
use crate::doors::{Doors, House};
use crate::error::StartError;
use crate::ids::Ids;
use crate::observe::otlp::Otlp;
use crate::route::{Declared, Routes};
use crate::secret::Secret;
use crate::serving::{Limits, Serving, Target};
use crate::{config, invocations, listen, metrics, serving};
use current::Current;
use flush::Flusher;

pub use registry::{FetchError, ModelUri, Registry};

/// After SIGTERM: still accepting, so that a balancer that asks sees "not ready" first.
const LINGER: Duration = Duration::from_millis(500);
/// Then: requests in flight.
const DRAIN: Duration = Duration::from_secs(4);
/// Then: the last counters. Together well below the 10 s that Cloud Run gives.
const LAST_FLUSH: Duration = Duration::from_secs(3);

/// Settings of `beira infer`.
#[derive(Clone, Debug)]
pub struct Infer {
    /// Address to listen on.
    pub host: String,
    /// Port; 0 takes a free one.
    pub port: u16,
    /// Whoever reaches the address may ask for predictions. Needed off loopback.
    pub auth_none: bool,
    /// Further host names by which browsers reach this server.
    pub allowed_hosts: Vec<String>,
    /// The model.
    pub model: Source,
    /// The server that counters are sent to; nowhere when absent.
    pub telemetry: Option<String>,
    /// The token of role `ingest` that this server asks for, if it does.
    pub ingest_key: Option<Secret>,
    /// What the counters name as the runtime.
    pub runtime: String,
    /// How often an alias is looked at.
    pub poll: Duration,
    /// How often counters are sent.
    pub flush: Duration,
    /// Most rows of one prediction request.
    pub rows_max: usize,
    /// Most bytes of a JSON request.
    pub json_bytes_max: usize,
    /// Key that signs prediction ids; without one they are not signed.
    pub prediction_key: Option<Secret>,
    /// Where metrics and spans go, if anywhere.
    pub otlp: Option<Arc<Otlp>>,
}

/// Where the model comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A sealed module at hand.
    Module {
        /// The name it is served under.
        name: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A registered model: downloaded at start, and followed where an alias names it.
    Registry {
        /// The server that has it.
        registry: Registry,
        /// Which one.
        uri: ModelUri,
    },
}

impl Infer {
    /// Serves until `shutdown` ends; then says "not ready", stops accepting, finishes what is in
    /// flight, and sends the last counters.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), StartError> {
        let address = config::guarded(&self.host, self.port, self.auth_none)?;
        let listener = listen::bind(address).await?;
        let bound = listener.local_addr().map_err(StartError::Serve)?;
        let source = self.model.clone();
        let current = Arc::new(Current::new(blocking(move || source.load()).await?));
        let target = current.get();
        tracing::info!(
            model = &*target.name,
            version = target.version,
            sha256 = target.module.sha256(),
            golden = target.module.seal().map_or(0, |seal| seal.golden.rows),
            "model loaded, its golden rows came out"
        );
        if let Source::Registry { registry, uri } = &self.model
            && uri.is_alias()
        {
            tokio::spawn(follow::follow(current.clone(), registry.clone(), uri.clone(), self.poll));
        }
        let limits = Limits { rows: self.rows_max, bytes: self.json_bytes_max };
        let ids = Ids::new(self.prediction_key.into_iter().map(|key| key.0.into_bytes()).collect());
        let serving = Serving::new(current, limits, ids, self.otlp, None);
        let collect = metrics::collect(&serving);
        if let Some(otlp) = serving.otlp.clone() {
            tokio::spawn(otlp.run(collect.clone()));
        }
        let flusher = self
            .telemetry
            .as_deref()
            .map(|server| Arc::new(Flusher::new(server, &self.runtime, self.ingest_key.clone())));
        if let Some(flusher) = &flusher {
            tokio::spawn(flush::every(flusher.clone(), serving.traffic.clone(), self.flush));
        }
        let doors = Doors::new(address.ip().is_loopback(), &self.allowed_hosts);
        let (router, _) = router(&serving, doors);
        tracing::info!(address = %bound, "serving");
        let draining = serving.clone();
        let stop = async move {
            shutdown.await;
            draining.drain();
            tracing::info!("stopping: not ready any more, requests in flight are finished");
            tokio::time::sleep(LINGER).await;
        };
        listen::serve(listener, router, stop, DRAIN).await;
        let counters = async {
            if let Some(flusher) = flusher {
                let traffic = serving.traffic.clone();
                tokio::task::spawn_blocking(move || flusher.last(&traffic, LAST_FLUSH)).await.ok();
            }
        };
        let exported = async {
            if let Some(otlp) = &serving.otlp {
                otlp.flush(&collect).await;
            }
        };
        let last = async { tokio::join!(counters, exported) };
        tokio::time::timeout(LAST_FLUSH + Duration::from_millis(200), last).await.ok();
        Ok(())
    }
}

impl Source {
    /// The model, loaded and proved on its golden rows.
    fn load(self) -> Result<Target, StartError> {
        let wrong = |name: &str, what: &dyn std::fmt::Display| StartError::Model(format!("the model {name}: {what}"));
        match self {
            Source::Module { name, bytes } => {
                let module = Module::load(&bytes).map_err(|error| wrong(&name, &error))?;
                Ok(Target { name: name.into(), version: None, module: Arc::new(module) })
            }
            Source::Registry { registry, uri } => {
                let fetched = registry.fetch(&uri, None).map_err(|error| StartError::Model(error.to_string()))?;
                let fetched = fetched.ok_or_else(|| wrong(&uri.to_string(), &"the server sent nothing"))?;
                fetched.load(&uri).map_err(|error| wrong(&uri.to_string(), &error))
            }
        }
    }
}

/// All routes behind the doors, and their list.
pub(crate) fn router(serving: &Serving, doors: Doors) -> (House, Vec<Declared>) {
    let get = &Method::GET;
    let (router, declared) = serving::routes(Routes::new(serving))
        .at("/health", get, Public.of(Nothing), invocations::ping)
        .at("/metrics", get, Read.of(Everything), metrics::of_process)
        .finish();
    (House::new(doors, serving, router.with_state(serving.clone())), declared)
}

async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, StartError> + Send + 'static,
) -> Result<T, StartError> {
    tokio::task::spawn_blocking(job).await.unwrap_or_else(|error| Err(StartError::Model(error.to_string())))
}
