//! One file for each address.

mod compile;
mod experiment;
mod experiments;
mod model;
mod models;
mod not_found;
mod overview;
mod playground;
mod production;
mod run;

pub use compile::CompilePage;
pub use experiment::ExperimentPage;
pub use experiments::ExperimentsPage;
pub use model::ModelPage;
pub use models::ModelsPage;
pub use not_found::NotFound;
pub use overview::OverviewPage;
pub use playground::PlaygroundPage;
pub use production::ProductionPage;
pub use run::RunPage;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

/// A part of the page's address.
fn param(name: &'static str) -> Memo<String> {
    let params = use_params_map();
    Memo::new(move |_| params.with(|p| p.get(name).unwrap_or_default()))
}
