//! `beira train`: one run of a pipeline against a server.

use std::path::PathBuf;

/// Arguments of `train`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The pipeline; without one the built-in sample (red wine quality) is used.
    pipeline: Option<PathBuf>,
    /// Where runs and models are kept.
    #[arg(long, env = "MLFLOW_TRACKING_URI", default_value = "http://127.0.0.1:8080")]
    server: String,
}

/// Trains and says what came of it.
pub fn train(arguments: &Arguments) -> anyhow::Result<()> {
    let outcome = training::train(&training::TrainArgs {
        pipeline: arguments.pipeline.clone(),
        server: arguments.server.clone(),
    })?;
    println!("{outcome}");
    Ok(())
}
