//! Beira's own endpoints for the dashboard: who asks, overview, a model's versions, production.

mod model;
mod overview;
mod production;

pub use model::model;
pub use overview::overview;
pub use production::production;

use axum::Json;
use contract::api;

use crate::auth::caller::{Caller, Holder};

/// `GET /api/beira/caller`.
pub async fn caller(caller: Caller) -> Json<api::Caller> {
    let of = |holder: &Holder| api::Caller { name: Some(holder.name.clone()), role: Some(holder.role.to_string()) };
    Json(caller.holder().map(of).unwrap_or_default())
}
