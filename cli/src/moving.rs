//! `beira import` and `beira export`: in from MLflow, and out to it.

use server::moving;

use crate::kept::{Kept, progress};
use crate::process;

/// Arguments of `import`.
#[derive(clap::Args)]
pub struct ImportArguments {
    #[command(subcommand)]
    from: From,
}

#[derive(clap::Subcommand)]
enum From {
    /// Experiments, runs, metrics, files, logged and registered models, traces, with their ids. May be run again.
    Mlflow {
        /// An address, sqlite:///FILE, or a folder mlruns. MLFLOW_TRACKING_TOKEN (or USERNAME and PASSWORD) is sent.
        #[arg(long, value_name = "URL|sqlite:///FILE|DIR")]
        from: String,
        /// Where the files are that MLflow's server keeps behind mlflow-artifacts: (its --artifacts-destination).
        #[arg(long, value_name = "DIR|URL")]
        artifacts_from: Option<server::ArtifactRoot>,
        #[command(flatten)]
        kept: Kept,
    },
}

/// Arguments of `export`.
#[derive(clap::Args)]
pub struct ExportArguments {
    #[command(subcommand)]
    to: To,
}

#[derive(clap::Subcommand)]
enum To {
    /// Experiments, runs, metrics, files, logged and registered models; MLflow gives new ids. May be run again.
    Mlflow {
        /// The MLflow server.
        #[arg(long, value_name = "URL")]
        to: String,
        /// The Beira to take from.
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
        from: String,
    },
}

/// Moves in.
pub fn import(arguments: &ImportArguments) -> anyhow::Result<()> {
    let From::Mlflow { from, artifacts_from, kept } = &arguments.from;
    let kept = kept.kept(None);
    let moved = process::run(async { moving::import(&kept, from, artifacts_from.as_ref(), &progress()).await })??;
    println!("imported {moved}");
    Ok(())
}

/// Moves out.
pub fn export(arguments: &ExportArguments) -> anyhow::Result<()> {
    let To::Mlflow { to, from } = &arguments.to;
    let moved = process::run(async { moving::export(from, to, &progress()).await })??;
    println!("exported {moved}");
    Ok(())
}
