//! Modules of versions: compiled in a bounded worker, kept by sha256, loaded once, found by version or alias.

mod build;
mod record;
mod serve;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::http::StatusCode;
use futures_util::future::BoxFuture;
use host_native::Module;
use tokio::sync::{Semaphore, mpsc};

use crate::artifacts::Artifacts;
use crate::error::{Error, Result};
use crate::mlflow::versions;
use crate::serving::{ALIAS, Models, Target, Unserved};
use crate::store::Store;

pub use record::{Record, by_sha256, of_model, of_version};
pub use serve::{compiled, get, report};

/// Longest module taken.
pub const MODULE_BYTES: u64 = 64 << 20;
/// Modules from `POST /api/beira/compile` kept in memory, and their bytes together.
const SCRATCH: usize = 16;

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
    /// What a name and reference stand for, until something in the registry changes.
    targets: Mutex<HashMap<(String, String), Arc<Target>>>,
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
        for (name, version) in record::waiting(modules.0.store.read()).await? {
            modules.wanted(&name, version);
        }
        let weak = Arc::downgrade(&modules.0);
        tokio::spawn(async move {
            while let Some((name, version)) = wanted.recv().await {
                let Some(inner) = weak.upgrade() else { return };
                let modules = Modules(inner);
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
            targets.insert(key, target.clone());
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
                Error::Internal(_) => internal(error),
                other => Unserved(StatusCode::NOT_FOUND, other.to_string()),
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
        let known: std::result::Result<Option<i64>, _> =
            sqlx::query_scalar("SELECT 1 FROM registered_models WHERE name = $1")
                .bind(name)
                .fetch_optional(self.0.store.read())
                .await;
        let message = match known {
            Err(error) => return internal(error.into()),
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
        lock(&self.0.targets).get(&(name.to_owned(), reference.to_owned())).cloned()
    }

    fn find<'a>(&'a self, name: &'a str, reference: &'a str) -> BoxFuture<'a, Result<Arc<Target>, Unserved>> {
        Box::pin(self.target(name, reference))
    }

    fn served(&self) -> BoxFuture<'_, Result<Vec<Arc<Target>>, Unserved>> {
        Box::pin(async move {
            let names: Vec<String> = sqlx::query_scalar("SELECT name FROM aliases WHERE alias = $1 ORDER BY name")
                .bind(ALIAS.trim_start_matches('@'))
                .fetch_all(self.0.store.read())
                .await
                .map_err(|error| internal(error.into()))?;
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
