//! The one model of the moment. A new one takes its place between two requests.

use std::sync::{Arc, PoisonError, RwLock};

use axum::http::StatusCode;
use futures_util::future::{BoxFuture, ready};

use crate::serving::{ALIAS, Models, Target, Unserved};

/// Holds the model; a request keeps the one it began with.
pub struct Current(RwLock<Arc<Target>>);

impl Current {
    /// Begins with `target`.
    pub fn new(target: Target) -> Current {
        Current(RwLock::new(Arc::new(target)))
    }

    /// The model now.
    pub fn get(&self) -> Arc<Target> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on `target`.
    pub fn set(&self, target: Target) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(target);
    }
}

impl Models for Current {
    fn at_hand(&self, name: &str, reference: &str) -> Option<Arc<Target>> {
        let current = self.get();
        let fits = *current.name == *name && (reference == ALIAS || current.version?.to_string() == reference);
        fits.then_some(current)
    }

    fn find<'a>(&'a self, name: &'a str, reference: &'a str) -> BoxFuture<'a, Result<Arc<Target>, Unserved>> {
        let current = self.get();
        let sentence = match current.version {
            _ if *current.name != *name => format!("This server answers for the model '{}' alone.", current.name),
            Some(version) => format!("This server answers for version {version}, not for {reference}."),
            None => format!("This model came from a file and has no version {reference}."),
        };
        Box::pin(ready(Err(Unserved(StatusCode::NOT_FOUND, sentence))))
    }

    fn served(&self) -> BoxFuture<'_, Result<Vec<Arc<Target>>, Unserved>> {
        Box::pin(ready(Ok(vec![self.get()])))
    }

    fn versions<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Vec<String>, Unserved>> {
        Box::pin(ready(Ok(self.get().version.iter().map(ToString::to_string).collect())))
    }
}
