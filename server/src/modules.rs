//! Modules of versions: compiled in a bounded worker, kept by sha256, loaded once, found by version or alias.

mod build;
mod record;
mod serve;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::StatusCode;
use futures_util::future::BoxFuture;
use host_native::Module;
use tokio::sync::{Semaphore, mpsc};

use crate::artifacts::Artifacts;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::mlflow::versions;
use crate::serving::{ALIAS, Models, Target, Unserved};
use crate::store::{self, Store};

pub use record::{Record, by_sha256, of_model, of_version};
pub use serve::{compiled, get, report};

/// Longest module taken.
pub const MODULE_BYTES: u64 = 64 << 20;
/// Modules from `POST /api/beira/compile` kept in memory, and their bytes together.
const SCRATCH: usize = 16;
/// How long a replica may go by what it knows of the registry.
const MOMENT: Duration = Duration::from_secs(1);
/// A module that still waits after so long was some replica's that is gone: whoever sees it makes it.
const LEFT: Duration = Duration::from_secs(60);

/// The modules; a clone is the same ones.
#[derive(Clone)]
pub struct Modules(Arc<Inner>);

struct Inner {
    store: Store,
    artifacts: Artifacts,
    queue: mpsc::UnboundedSender<(String, i64)>,
    /// One compilation at a time, whoever asks for it.
    turn: Semaphore,
    /// Loaded modules by sha256.
    loaded: Mutex<HashMap<String, Arc<Module>>>,
    /// What a name and reference stand for, until something in the registry changes; where other replicas may change
    /// it, for a [`MOMENT`] at most.
    targets: Mutex<HashMap<(String, String), (Arc<Target>, Instant)>>,
    generation: AtomicU64,
    scratch: Mutex<VecDeque<(String, Bytes)>>,
}

impl Modules {
    /// Starts the worker, which first takes what an earlier process left waiting.
    pub async fn start(store: Store, artifacts: Artifacts) -> Result<Modules> {
        let (queue, mut wanted) = mpsc::unbounded_channel::<(String, i64)>();
        let modules = Modules(Arc::new(Inner {
            store,
            artifacts,
            queue,
            turn: Semaphore::new(1),
            loaded: Mutex::default(),
            targets: Mutex::default(),
            generation: AtomicU64::new(0),
            scratch: Mutex::default(),
        }));
        for (name, version) in record::waiting(modules.0.store.read(), i64::MAX).await? {
            modules.wanted(&name, version);
        }
        let weak = Arc::downgrade(&modules.0);
        tokio::spawn(async move {
            loop {
                let next = tokio::time::timeout(LEFT, wanted.recv()).await;
                let Some(inner) = weak.upgrade() else { return };
                let modules = Modules(inner);
                let (name, version) = match next {
                    Ok(Some(next)) => next,
                    Ok(None) => return,
                    Err(_) => {
                        modules.take_over().await;
                        continue;
                    }
                };
                if let Err(error) = build::version(&modules, &name, version).await {
                    tracing::error!(%error, model = name, version, "the module could not be recorded");
                }
                modules.forget();
            }
        });
        Ok(modules)
    }

    /// Queues the module of a version.
    pub fn wanted(&self, name: &str, version: i64) {
        self.0.queue.send((name.to_owned(), version)).ok();
    }

    /// Queues what others left, when they share the store.
    async fn take_over(&self) {
        if !self.0.store.is_shared() {
            return;
        }
        let before = now_ms() - i64::try_from(LEFT.as_millis()).unwrap_or(i64::MAX);
        match record::waiting(self.0.store.read(), before).await {
            Ok(left) => left.iter().for_each(|(name, version)| self.wanted(name, *version)),
            Err(error) => error.log("modules that wait could not be looked for"),
        }
    }

    /// Forgets what names and aliases stand for: something in the registry changed.
    pub fn forget(&self) {
        self.0.generation.fetch_add(1, Ordering::SeqCst);
        lock(&self.0.targets).clear();
    }

    /// The module of `name` by version (`3`) or alias (`@champion`), loaded.
    async fn target(&self, name: &str, reference: &str) -> Result<Arc<Target>, Unserved> {
        let key = (name.to_owned(), reference.to_owned());
        let generation = self.0.generation.load(Ordering::SeqCst);
        let record = self.record(name, reference).await?;
        let module = self.load(&record.sha256).await?;
        let target = Arc::new(Target { name: name.into(), version: Some(record.version), module });
        let mut targets = lock(&self.0.targets);
        if self.0.generation.load(Ordering::SeqCst) == generation {
            targets.insert(key, (target.clone(), Instant::now()));
        }
        Ok(target)
    }

    /// The ready module of `name` by version or alias, as it is recorded.
    pub async fn record(&self, name: &str, reference: &str) -> Result<Record, Unserved> {
        let pool = self.0.store.read();
        let row = match reference.strip_prefix('@') {
            Some(alias) => {
                let row = versions::by_alias(pool, name, alias).await.map_err(internal)?;
                match row {
                    Some(row) => row,
                    None => return Err(self.no_alias(name, alias).await),
                }
            }
            None => versions::find(pool, name, reference).await.map_err(|error| match error {
                Error::Client(_, message) => Unserved(StatusCode::NOT_FOUND, message),
                error => internal(error),
            })?,
        };
        match of_version(pool, name, row.version).await.map_err(internal)? {
            Some(Ok(record)) => Ok(record),
            Some(Err(None)) => Err(Unserved(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("Version {} of this model is being compiled; ask again in a moment.", row.version),
            )),
            Some(Err(Some(error))) => Err(Unserved(
                StatusCode::CONFLICT,
                format!("Version {} of this model has no module: {error}", row.version),
            )),
            None => {
                Err(Unserved(StatusCode::NOT_FOUND, format!("Version {} of this model has no module.", row.version)))
            }
        }
    }

    async fn no_alias(&self, name: &str, alias: &str) -> Unserved {
        let known: Result<Option<i64>> =
            store::query_scalar("SELECT CAST(1 AS BIGINT) FROM registered_models WHERE name = $1")
                .bind(name)
                .fetch_optional(self.0.store.read())
                .await;
        let message = match known {
            Err(error) => return internal(error),
            Ok(None) => "There is no registered model of this name.".to_owned(),
            Ok(Some(_)) => format!(
                "This model has no alias '{alias}'. Set it with POST /api/2.0/mlflow/registered-models/alias \
                 {{\"name\": …, \"alias\": \"{alias}\", \"version\": …}}, or in Python with \
                 MlflowClient().set_registered_model_alias(name, \"{alias}\", version)."
            ),
        };
        Unserved(StatusCode::NOT_FOUND, message)
    }

    async fn load(&self, sha256: &str) -> Result<Arc<Module>, Unserved> {
        if let Some(module) = lock(&self.0.loaded).get(sha256) {
            return Ok(module.clone());
        }
        let bytes = self.0.artifacts.module(sha256).bytes(MODULE_BYTES).await.map_err(internal)?;
        let module = tokio::task::spawn_blocking(move || Module::load(&bytes))
            .await
            .map_err(|error| internal(Error::internal(error.to_string())))?
            .map_err(|error| internal(Error::internal(format!("module {sha256}: {error}"))))?;
        let module = Arc::new(module);
        lock(&self.0.loaded).insert(sha256.to_owned(), module.clone());
        Ok(module)
    }

    /// Keeps a module that belongs to no version for a while.
    fn keep(&self, sha256: &str, bytes: Bytes) {
        let mut scratch = lock(&self.0.scratch);
        scratch.retain(|(other, _)| other != sha256);
        scratch.push_back((sha256.to_owned(), bytes));
        while scratch.len() > SCRATCH
            || scratch.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>() > 2 * MODULE_BYTES
        {
            scratch.pop_front();
        }
    }

    fn kept(&self, sha256: &str) -> Option<Bytes> {
        lock(&self.0.scratch).iter().find(|(other, _)| other == sha256).map(|(_, bytes)| bytes.clone())
    }
}

impl Models for Modules {
    fn at_hand(&self, name: &str, reference: &str) -> Option<Arc<Target>> {
        let targets = lock(&self.0.targets);
        let (target, known) = targets.get(&(name.to_owned(), reference.to_owned()))?;
        (!self.0.store.is_shared() || known.elapsed() < MOMENT).then(|| target.clone())
    }

    fn find<'a>(&'a self, name: &'a str, reference: &'a str) -> BoxFuture<'a, Result<Arc<Target>, Unserved>> {
        Box::pin(async move {
            match self.target(name, reference).await {
                // While the database is away, what was last known of the registry goes on predicting.
                Err(Unserved(StatusCode::SERVICE_UNAVAILABLE, message)) => {
                    let key = (name.to_owned(), reference.to_owned());
                    let known = lock(&self.0.targets).get(&key).map(|(target, _)| target.clone());
                    known.ok_or(Unserved(StatusCode::SERVICE_UNAVAILABLE, message))
                }
                found => found,
            }
        })
    }

    fn served(&self) -> BoxFuture<'_, Result<Vec<Arc<Target>>, Unserved>> {
        Box::pin(async move {
            let names: Vec<String> = store::query_scalar("SELECT name FROM aliases WHERE alias = $1 ORDER BY name")
                .bind(ALIAS.trim_start_matches('@'))
                .fetch_all(self.0.store.read())
                .await
                .map_err(internal)?;
            let mut served = Vec::new();
            for name in names {
                // A champion that is still compiling, or does not compile, answers nothing yet.
                served.extend(self.target(&name, ALIAS).await.ok());
            }
            Ok(served)
        })
    }

    fn versions<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<String>, Unserved>> {
        Box::pin(async move {
            let modules = of_model(self.0.store.read(), name).await.map_err(internal)?;
            let ready = modules.into_iter().filter(|(_, module)| module.is_ok());
            Ok(ready.map(|(version, _)| version.to_string()).collect())
        })
    }
}

fn internal(error: Error) -> Unserved {
    tracing::error!(%error, "module");
    let (status, _, message) = error.parts();
    Unserved(status, message.to_owned())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
