//! Beira's own endpoints for the dashboard: overview, a model's versions, production.

mod model;
mod overview;
mod production;

pub use model::model;
pub use overview::overview;
pub use production::production;
