//! Who asks, and who stands at the door of a server that has accounts.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use futures_util::future::BoxFuture;

use super::demand::Resource;
use super::{Permission, Role};
use crate::error::{Code, Error, Result};

/// Who asks: the holder of a token, or whoever reaches a server without accounts.
#[derive(Clone, Debug, Default)]
pub struct Caller(Option<Arc<Holder>>);

/// The holder of a token.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The token's id, which is no secret.
    pub id: String,
    /// What whoever made the token called it.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// What it is limited to; `None` is everything.
    pub grants: Option<Grants>,
}

/// The experiments and models that a token is limited to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// By id.
    pub experiments: BTreeSet<i64>,
    /// By name.
    pub models: BTreeSet<String>,
}

impl Caller {
    /// Somebody with a token.
    pub fn new(holder: Arc<Holder>) -> Caller {
        Caller(Some(holder))
    }

    /// What the caller is limited to.
    pub fn grants(&self) -> Option<&Grants> {
        self.0.as_ref()?.grants.as_ref()
    }

    /// Whether the caller may have to do with this registered model.
    pub fn has_model(&self, name: &str) -> bool {
        self.grants().is_none_or(|grants| grants.models.contains(name))
    }

    /// Whether the caller may have to do with this experiment.
    pub fn has_experiment(&self, id: i64) -> bool {
        self.grants().is_none_or(|grants| grants.experiments.contains(&id))
    }

    /// The holder, where there are accounts.
    pub fn holder(&self) -> Option<&Holder> {
        self.0.as_deref()
    }
}

/// Put there by the route's guard; nothing that a client sends becomes one.
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Caller, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

/// What is not granted looks the same as what is not there.
pub fn not_granted() -> Error {
    let text = "The token is limited to certain experiments and models, and this is none of them.";
    Error::Client(Code::PermissionDenied, text.to_owned())
}

/// Who stands at the door of a server that has accounts.
pub trait Porter: Send + Sync {
    /// Who asks, when their role has the permission.
    fn who<'a>(
        &'a self,
        headers: &'a HeaderMap,
        query: Option<&'a str>,
        permission: Permission,
    ) -> BoxFuture<'a, Result<Caller>>;

    /// The request of somebody who may have what they ask for. `path` is the declared one.
    fn admit<'a>(
        &'a self,
        permission: Permission,
        resource: Option<Resource>,
        path: &'a str,
        request: Request,
    ) -> BoxFuture<'a, Result<Request>>;
}
