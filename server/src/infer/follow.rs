//! An alias moves, the model follows: loaded and proved aside, then put in place between two requests.

use std::sync::Arc;
use std::time::Duration;

use super::current::Current;
use super::registry::{ModelUri, Registry};

/// Looks at the alias every `poll`, for as long as the process lives. Whatever goes wrong, the model
/// that is there goes on answering.
pub async fn follow(current: Arc<Current>, registry: Registry, uri: ModelUri, poll: Duration) {
    let mut told = String::new();
    loop {
        tokio::time::sleep(poll).await;
        let (held, registry, uri) = (current.clone(), registry.clone(), uri.clone());
        let looked = tokio::task::spawn_blocking(move || look(&held, &registry, &uri)).await;
        let trouble = looked.unwrap_or_else(|error| Err(error.to_string())).err().unwrap_or_default();
        if !trouble.is_empty() && trouble != told {
            tracing::warn!(error = trouble, "the alias cannot be followed; the model that is loaded goes on answering");
        }
        told = trouble; // said once, until it changes
    }
}

fn look(current: &Current, registry: &Registry, uri: &ModelUri) -> Result<(), String> {
    let now = current.get();
    let have = now.version.map(|version| (version, now.module.sha256()));
    let fetched = registry.fetch(uri, have).map_err(|error| error.to_string())?;
    let Some(fetched) = fetched else { return Ok(()) };
    let target =
        fetched.load(uri).map_err(|error| format!("{uri}, version {}, is not taken: {error}", fetched.version))?;
    tracing::info!(model = uri.name, from = now.version, to = fetched.version, "the alias moved, the model with it");
    current.set(target);
    Ok(())
}
