//! Accounts: tokens with a role, some limited to certain experiments and models.
//!
//! What a process knows of a token holds for a second, so a revoked one is let in no longer than that, on every
//! replica. There is no token from the start, and no password that anybody could guess.

mod cookie;
mod credentials;
pub mod oidc;
mod rate;
mod resources;
pub mod signin;
mod table;
mod token;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::HeaderMap;
use futures_util::future::BoxFuture;

use crate::auth::Permission;
use crate::auth::caller::{Caller, Holder, Porter};
use crate::auth::demand::Resource;
use crate::clock::now_ms;
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::store::Store;
use cookie::{Cookie, Cookies};
use oidc::Way;
use rate::Rate;
use token::Token;

pub use table::{Listed, NewToken, Tokens};

/// How long what is known of a token holds.
const FRESH: Duration = Duration::from_secs(1);
/// Most tokens that are known at a time; those that are none are kept too.
const KNOWN: usize = 10_000;

/// The porter of a server with accounts.
pub struct Accounts {
    store: Store,
    config: Arc<Config>,
    known: Mutex<HashMap<String, Known>>,
    rate: Rate,
    cookies: Cookies,
    /// The way to sign in with an issuer.
    way: Option<Way>,
}

#[derive(Clone)]
struct Known {
    since: Instant,
    found: Option<table::Found>,
}

impl Accounts {
    /// Over the tokens in `store`. Says so when there is none yet.
    pub async fn open(store: Store, config: Arc<Config>) -> Result<Accounts> {
        if config.oidc.is_none() && table::count(&store).await? == 0 {
            tracing::warn!("nobody can come in yet: there is no token. `beira token create` makes one");
        }
        let rate = Rate::new(config.rate_limit);
        let public = config.public_url.clone().unwrap_or_default();
        let cookies = Cookies::new(public.starts_with("https://"));
        let way = config.oidc.clone().map(|oidc| Way::new(oidc, &public));
        Ok(Accounts { store, config, known: Mutex::default(), rate, cookies, way })
    }

    /// Who holds this token.
    async fn holder(&self, text: &str) -> Result<Arc<Holder>> {
        let unknown = || unauthenticated("The token is not known here, has expired or was revoked.");
        let token = Token::read(text).ok_or_else(unknown)?;
        let (found, fresh) = self.find(&token.id).await?;
        let found = found.filter(|found| token.has(&found.mac)).ok_or_else(unknown)?;
        if found.expires.is_some_and(|expires| expires <= now_ms()) {
            return Err(unknown());
        }
        if fresh {
            table::note_use(&self.store, &token.id, found.used);
        }
        Ok(found.holder)
    }

    /// What is known of a token, and whether that was looked up just now.
    async fn find(&self, id: &str) -> Result<(Option<table::Found>, bool)> {
        if let Some(known) = self.lock().get(id).filter(|known| known.since.elapsed() < FRESH) {
            return Ok((known.found.clone(), false));
        }
        let found = table::find(&self.store, id).await?;
        let mut all = self.lock();
        if all.len() >= KNOWN {
            all.clear();
        }
        all.insert(id.to_owned(), Known { since: Instant::now(), found: found.clone() });
        Ok((found, true))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token of a request: in its header, in its query string where that is allowed, or in a page's cookie.
    fn credentials(&self, headers: &HeaderMap, query: Option<&str>, permission: Permission) -> Option<String> {
        let page = || (permission != Permission::Ingest).then(|| self.cookies.of(headers, Cookie::Session))?;
        credentials::of(headers, query, permission).or_else(page)
    }

    /// The holder of `token`, when their role has the permission.
    async fn known(&self, token: Option<String>, permission: Permission) -> Result<Caller> {
        let token = token.ok_or_else(|| unauthenticated("This server wants a token: Authorization: Bearer …"))?;
        let holder = self.holder(&token).await?;
        if !self.rate.allows(&holder.id, Instant::now()) {
            let text = format!("The token asks more than {} times a second; wait a moment.", self.config.rate_limit);
            return Err(Error::Client(Code::TooOften, text));
        }
        if !holder.role.may(permission) {
            let text = format!("The role of this token, {}, is not enough for this.", holder.role);
            return Err(Error::Client(Code::PermissionDenied, text));
        }
        Ok(Caller::new(holder))
    }
}

impl Porter for Accounts {
    fn who<'a>(
        &'a self,
        headers: &'a HeaderMap,
        query: Option<&'a str>,
        permission: Permission,
    ) -> BoxFuture<'a, Result<Caller>> {
        Box::pin(async move {
            let open = matches!(permission, Permission::Public | Permission::SignIn);
            if open || (permission == Permission::Module && self.config.public_modules) {
                return Ok(Caller::default());
            }
            self.known(self.credentials(headers, query, permission), permission).await
        })
    }

    fn admit<'a>(
        &'a self,
        permission: Permission,
        resource: Option<Resource>,
        path: &'a str,
        mut request: Request,
    ) -> BoxFuture<'a, Result<Request>> {
        Box::pin(async move {
            let caller = if resource == Some(Resource::Counters)
                && self.credentials(request.headers(), request.uri().query(), permission).is_none()
            {
                let (flush, whole) = credentials::of_body(request).await?;
                request = whole;
                self.known(flush.ingest_key, permission).await?
            } else {
                self.who(request.headers(), request.uri().query(), permission).await?
            };
            if let (Some(grants), Some(resource)) = (caller.grants(), resource) {
                let look = resources::Look { store: &self.store, config: &self.config, grants, permission };
                request = look.at(resource, path, request).await?;
            }
            request.extensions_mut().insert(caller);
            Ok(request)
        })
    }
}

fn unauthenticated(text: &str) -> Error {
    Error::Client(Code::Unauthenticated, text.to_owned())
}
