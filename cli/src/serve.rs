//! `beira serve`: the whole product in one process.

use std::path::PathBuf;

use anyhow::Context;

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
    let filter =
        tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn,beira_server=info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).json().init();
    let config = server::Config {
        host: arguments.host.clone(),
        port: arguments.port,
        db: arguments.db.clone(),
        artifacts: arguments.artifacts.clone(),
        default_artifact_root: arguments.default_artifact_root.clone(),
        auth_none: arguments.auth.is_some(),
        ..server::Config::default()
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
    Ok(runtime.block_on(server::serve(config, shutdown()))?)
}

/// Ends with the first SIGINT or SIGTERM.
async fn shutdown() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    interrupt.await.ok();
}
