//! Predictions over HTTP: the routes that `beira serve` and `beira infer` share, and what they stand on.
//!
//! Where models come from is behind [`Models`]: a registry with its store, or one module in memory.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use axum::extract::FromRef;
use axum::http::{Method, StatusCode};
use futures_util::future::BoxFuture;
use host_native::Module;

use crate::auth::Permission::{Predict, Public};
use crate::auth::caller::Porter;
use crate::auth::demand::Needs;
use crate::auth::demand::Resource::{self, ModelInPath, Nothing};
use crate::ids::Ids;
use crate::observe::otlp::Otlp;
use crate::requests::Requests;
use crate::route::{Declared, Routes};
use crate::traffic::Traffic;
use crate::{docs, invocations, oip, openapi, predict};

/// The MLflow whose REST API this is.
pub const MLFLOW_VERSION: &str = "3.17.2";
/// The alias that predictions follow.
pub const ALIAS: &str = "@champion";

/// What the handlers of predictions share; a clone is the same.
#[derive(Clone)]
pub struct Serving(Arc<Inner>);

/// The parts.
pub struct Inner {
    /// Where models come from.
    pub models: Arc<dyn Models>,
    /// Counters of what was predicted here.
    pub traffic: Traffic,
    /// Durations of requests.
    pub requests: Requests,
    /// What one request may ask for.
    pub limits: Limits,
    /// Ids of predictions.
    pub ids: Ids,
    /// Where metrics and spans go, if anywhere.
    pub otlp: Option<Arc<Otlp>>,
    /// Who asks for tokens; nobody does where there are no accounts.
    pub porter: Option<Arc<dyn Porter>>,
    ready: AtomicBool,
    declared: OnceLock<Vec<Declared>>,
}

/// Limits of one request.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most rows.
    pub rows: usize,
    /// Most bytes of JSON.
    pub bytes: usize,
}

/// A model with its loaded module.
pub struct Target {
    /// Registered name, or the name of the file.
    pub name: Arc<str>,
    /// Version; a module from a file has none.
    pub version: Option<i64>,
    /// The module.
    pub module: Arc<Module>,
}

/// Why there is nothing to predict with: a status and a sentence.
#[derive(Debug)]
pub struct Unserved(pub StatusCode, pub String);

/// Where models come from. A reference is a version (`3`) or an alias (`@champion`).
pub trait Models: Send + Sync + 'static {
    /// The model, when it is loaded and no store needs to be asked.
    fn at_hand(&self, name: &str, reference: &str) -> Option<Arc<Target>>;
    /// The model, loaded.
    fn find<'a>(&'a self, name: &'a str, reference: &'a str) -> BoxFuture<'a, Result<Arc<Target>, Unserved>>;
    /// Everything that `POST /predict/{name}` answers for now, by name.
    fn served(&self) -> BoxFuture<'_, Result<Vec<Arc<Target>>, Unserved>>;
    /// The versions of a model that can be asked for.
    fn versions<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<String>, Unserved>>;
}

impl Deref for Serving {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Serving {
    /// Ready from the start.
    pub fn new(
        models: Arc<dyn Models>,
        limits: Limits,
        ids: Ids,
        otlp: Option<Arc<Otlp>>,
        porter: Option<Arc<dyn Porter>>,
    ) -> Serving {
        let (traffic, requests) = (Traffic::default(), Requests::default());
        let ready = AtomicBool::new(true);
        let declared = OnceLock::new();
        Serving(Arc::new(Inner { models, traffic, requests, limits, ids, otlp, porter, ready, declared }))
    }

    /// The model to predict with.
    pub async fn target(&self, name: &str, reference: &str) -> Result<Arc<Target>, Unserved> {
        match self.models.at_hand(name, reference) {
            Some(target) => Ok(target),
            None => self.models.find(name, reference).await,
        }
    }

    /// All routes beside these, once the list is complete.
    pub fn declared(&self) -> &[Declared] {
        self.declared.get().map_or(&[], Vec::as_slice)
    }

    /// The list is complete.
    pub fn declare(&self, routes: &[Declared]) {
        self.declared.get_or_init(|| routes.to_vec());
    }

    /// Whether new requests should still come here.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::SeqCst)
    }

    /// From now on `/v2/health/ready` says no; requests are still answered.
    pub fn drain(&self) {
        self.ready.store(false, Ordering::SeqCst);
    }
}

/// The route of predictions by named features, as it is declared.
pub const PREDICT: (Method, &str, Needs<Resource>) = (Method::POST, "/predict/{name}", Predict.of(ModelInPath));

/// The routes that predict, describe what is predicted, and say whether all is well.
pub fn routes<S>(routes: Routes<S>) -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Serving: FromRef<S>,
{
    let (get, post) = (&Method::GET, &Method::POST);
    let (method, path, demand) = &PREDICT;
    let open = Public.of(Nothing);
    let model = Predict.of(ModelInPath);
    routes
        .at("/version", get, open, || async { MLFLOW_VERSION })
        .at("/ping", get, open, invocations::ping)
        .at("/invocations", post, Predict.listed(), invocations::invocations)
        .at("/openapi.json", get, Predict.listed(), openapi::document)
        .at("/docs", get, open, docs::page)
        .at("/docs/{file}", get, open, docs::file)
        .at(path, method, *demand, predict::predict)
        .at("/v2", get, open, oip::server)
        .at("/v2/health/live", get, open, oip::live)
        .at("/v2/health/ready", get, open, oip::ready)
        .at("/v2/models/{name}", get, model, oip::model)
        .at("/v2/models/{name}/ready", get, model, oip::model_ready)
        .at("/v2/models/{name}/infer", post, model, oip::infer_model)
        .at("/v2/models/{name}/versions/{version}", get, model, oip::version)
        .at("/v2/models/{name}/versions/{version}/ready", get, model, oip::version_ready)
        .at("/v2/models/{name}/versions/{version}/infer", post, model, oip::infer_version)
}
