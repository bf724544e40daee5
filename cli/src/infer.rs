//! `beira infer`: the predictions of one model, stateless.

use std::time::Duration;

use anyhow::Context;
use server::{Infer, Registry, Secret, Source};

use crate::model::{self, Model};
use crate::process;

/// Arguments of `infer`.
#[derive(clap::Args)]
pub struct Arguments {
    /// FILE.wasm, FILE.onnx, models:/NAME@ALIAS (followed when it moves) or models:/NAME/VERSION.
    #[arg(long, value_parser = model::parse)]
    model: Model,
    /// The server that a registered model is downloaded from.
    #[arg(long, value_name = "URL", env = "MLFLOW_TRACKING_URI")]
    server: Option<String>,
    /// Address to listen on. Anything but loopback needs `--auth none`.
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Port to listen on.
    #[arg(long, default_value_t = 8080, env = "PORT")]
    port: u16,
    /// `none`: whoever reaches the address may ask; something in front (Cloud Run's IAM) guards it.
    #[arg(long, value_parser = ["none"])]
    auth: Option<String>,
    /// Host names by which browsers reach this server, besides addresses and localhost.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    allowed_hosts: Vec<String>,
    /// Where counts are sent (predictions, errors, latency, rows in each bin; never a value). [default: nowhere]
    #[arg(long, value_name = "URL", env = "BEIRA_TELEMETRY")]
    telemetry: Option<String>,
    /// Token of role `ingest`, where the server that counts are sent to asks for one.
    #[arg(long, value_name = "TOKEN", env = "BEIRA_INGEST_KEY", hide_env_values = true)]
    ingest_key: Option<String>,
    /// Key that signs prediction ids (`?ids=1`); the server that labels are sent to must know it too.
    #[arg(long, value_name = "KEY", env = "BEIRA_PREDICTION_KEY", hide_env_values = true)]
    prediction_key: Option<String>,
    /// Seconds between two looks at the alias.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    poll: u64,
    /// Most rows of one request.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    rows_max: usize,
}

/// Serves until SIGINT or SIGTERM.
pub fn infer(arguments: &Arguments) -> anyhow::Result<()> {
    // One line for each request is the job of what stands in front; RUST_LOG=info brings it back.
    process::logs("warn,beira_server=info,beira_server::observe::seen=warn");
    let model = match &arguments.model {
        Model::File(path) => {
            let (name, bytes) = model::read(path)?;
            Source::Module { name, bytes }
        }
        Model::Registered(uri) => {
            let server = arguments.server.clone().with_context(|| {
                format!("{uri} is downloaded from a server; say which: --server URL, or MLFLOW_TRACKING_URI")
            })?;
            Source::Registry { registry: Registry { server, token: process::token() }, uri: uri.clone() }
        }
    };
    let infer = Infer {
        host: arguments.host.clone(),
        port: arguments.port,
        auth_none: arguments.auth.is_some(),
        allowed_hosts: arguments.allowed_hosts.clone(),
        model,
        telemetry: arguments.telemetry.clone(),
        ingest_key: arguments.ingest_key.clone().map(Secret),
        runtime: if std::env::var_os("K_SERVICE").is_some() { "cloud-run" } else { "beira-infer" }.to_owned(),
        poll: Duration::from_secs(arguments.poll),
        flush: Duration::from_secs(5),
        rows_max: arguments.rows_max,
        json_bytes_max: 16 << 20,
        prediction_key: arguments.prediction_key.clone().map(Secret),
        otlp: process::otlp()?,
    };
    Ok(process::run_here(infer.serve(process::stopped()))??)
}
