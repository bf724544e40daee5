//! An alias moves, the model follows: loaded and proved aside, then put in place between two requests.

use std::sync::Arc;
use std::time::Duration;

use super::current::Current;
use super::registry::{ModelUri, fetch};

/// Looks at the alias every `poll`, for as long as the process lives. Whatever goes wrong, the model
/// that is there goes on answering.
pub async fn follow(current: Arc<Current>, server: String, uri: ModelUri, poll: Duration) {
    let mut told = String::new();
    loop {
        tokio::time::sleep(poll).await;
        let (held, server, uri) = (current.clone(), server.clone(), uri.clone());
        let looked = tokio::task::spawn_blocking(move || look(&held, &server, &uri)).await;
        let trouble = looked.unwrap_or_else(|error| Err(error.to_string())).err().unwrap_or_default();
        if !trouble.is_empty() && trouble != told {
            tracing::warn!(error = trouble, "the alias cannot be followed; the model that is loaded goes on answering");
        }
        told = trouble; // said once, until it changes
    }
}

fn look(current: &Current, server: &str, uri: &ModelUri) -> Result<(), String> {
    let now = current.get();
    let have = now.version.map(|version| (version, now.module.sha256()));
    let Some(fetched) = fetch(server, uri, have)? else { return Ok(()) };
    let target =
        fetched.load(uri).map_err(|error| format!("{uri}, version {}, is not taken: {error}", fetched.version))?;
    tracing::info!(model = uri.name, from = now.version, to = fetched.version, "the alias moved, the model with it");
    current.set(target);
    Ok(())
}
