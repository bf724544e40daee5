//! `beira sync`: sends what a training kept because the server was away.

use std::path::PathBuf;

/// Arguments of `sync`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The folder of kept requests.
    #[arg(default_value = "data/outbox")]
    folder: PathBuf,
    /// Another server than the one that the run was begun at.
    #[arg(long)]
    server: Option<String>,
}

/// Sends in order, says what was registered.
pub fn sync(arguments: &Arguments) -> anyhow::Result<()> {
    for sent in training::sync(&arguments.folder, arguments.server.as_deref())? {
        println!("run {}: {} requests are sent", sent.run_id, sent.requests);
        if let Some((name, version, alias)) = sent.registered {
            println!("{name} version {version} is registered as {alias}");
        }
    }
    Ok(())
}
