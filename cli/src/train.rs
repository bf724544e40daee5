//! `beira train`: one run of a pipeline against a server.

use std::path::PathBuf;
use std::time::Duration;

/// Arguments of `train`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The pipeline; without one the built-in sample (red wine quality) is used.
    pipeline: Option<PathBuf>,
    /// Where runs and models are kept.
    #[arg(long, env = "MLFLOW_TRACKING_URI", default_value = "http://127.0.0.1:8080")]
    server: String,
    /// Seconds to wait at the end for a server that does not answer; `beira sync` sends what it missed.
    #[arg(long, default_value_t = 30)]
    patience: u64,
    /// Print one line of JSON instead: `run_id`, `model_name`, `version`, `alias`, `metrics`, …
    #[arg(long)]
    json: bool,
}

/// Trains and says what came of it.
pub fn train(arguments: &Arguments) -> anyhow::Result<()> {
    let outcome = training::train(&training::TrainArgs {
        pipeline: arguments.pipeline.clone(),
        server: arguments.server.clone(),
        patience: Duration::from_secs(arguments.patience),
    })?;
    match arguments.json {
        true => println!("{}", serde_json::to_string(&outcome)?),
        false => println!("{outcome}"),
    }
    Ok(())
}
