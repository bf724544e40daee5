//! `beira serve`: the whole product in one process.

use std::path::PathBuf;

use crate::process;

/// Arguments of `serve`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Address to listen on. Anything but loopback needs accounts, or `--auth none`.
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Port to listen on.
    #[arg(long, default_value_t = 8080, env = "PORT")]
    port: u16,
    /// SQLite database.
    #[arg(long, default_value = "beira.db")]
    db: PathBuf,
    /// Folder of the server's artifacts.
    #[arg(long, default_value = "artifacts")]
    artifacts: PathBuf,
    /// Artifact URI that new experiments are given. [default: mlflow-artifacts:/]
    #[arg(long, value_name = "URI")]
    default_artifact_root: Option<String>,
    /// `none`: no accounts, whoever reaches the address may do everything.
    #[arg(long, value_parser = ["none"])]
    auth: Option<String>,
}

/// Serves until SIGINT or SIGTERM.
pub fn serve(arguments: &Arguments) -> anyhow::Result<()> {
    process::logs("warn,beira_server=info");
    let config = server::Config {
        host: arguments.host.clone(),
        port: arguments.port,
        db: arguments.db.clone(),
        artifacts: arguments.artifacts.clone(),
        default_artifact_root: arguments.default_artifact_root.clone(),
        auth_none: arguments.auth.is_some(),
        ..server::Config::default()
    };
    Ok(process::run(server::serve(config, process::stopped()))??)
}
