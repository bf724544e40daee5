//! `beira serve`: tracking, registry, artifacts, predictions, telemetry and the dashboard in one process;
//! `beira infer`: predictions alone, without a store.
//!
//! HTTP in, store out. `app.rs` and `serving.rs` are the lists of routes; each names the permission it
//! demands. The feature `store` is what `serve` has and `infer` has not.
//! This crate does not know training, the dashboard's code or the web host.

#![cfg_attr(not(feature = "store"), allow(dead_code, reason = "beira infer uses a part of what the two servers share"))]

#[cfg(feature = "store")]
mod accounts;
#[cfg(feature = "store")]
mod app;
#[cfg(feature = "store")]
mod artifacts;
mod auth;
#[cfg(feature = "store")]
mod beira;
mod body;
mod clock;
mod config;
mod docs;
mod doors;
mod error;
#[cfg(feature = "store")]
mod fields;
#[cfg(feature = "store")]
pub mod housekeeping;
mod ids;
mod infer;
mod invocations;
mod listen;
mod metrics;
#[cfg(feature = "store")]
mod mlflow;
#[cfg(feature = "store")]
mod modules;
#[cfg(feature = "store")]
pub mod moving;
pub mod observe;
mod oip;
mod openapi;
#[cfg(feature = "store")]
mod path;
mod patience;
mod predict;
mod requests;
mod route;
mod secret;
mod serving;
#[cfg(feature = "store")]
mod static_files;
#[cfg(feature = "store")]
mod store;
#[cfg(feature = "store")]
mod telemetry;
mod traffic;
mod url;
#[cfg(feature = "store")]
mod watch;
#[cfg(feature = "store")]
mod windows;

#[cfg(feature = "store")]
pub use accounts::oidc::{Allow, Oidc};
#[cfg(feature = "store")]
pub use accounts::{Listed as ListedToken, NewToken, Tokens};
#[cfg(feature = "store")]
pub use app::{App, serve};
#[cfg(feature = "store")]
pub use artifacts::root::Root as ArtifactRoot;
pub use auth::demand::Resource;
pub use auth::{Permission, Role};
#[cfg(feature = "store")]
pub use config::{Auth, Config};
pub use doors::House;
pub use error::StartError as Error;
pub use infer::{FetchError, Infer, ModelUri, Registry, Source};
#[cfg(feature = "store")]
pub use monitoring::alarm::Sustained;
pub use route::Declared;
pub use secret::Secret;
#[cfg(feature = "store")]
pub use store::Database;
pub use url::encoded;
#[cfg(feature = "store")]
pub use watch::{Watch, Webhook};
