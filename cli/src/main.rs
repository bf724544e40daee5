//! `beira`: the one binary. Parses arguments, calls a room.

mod compile;
mod deploy;
mod ingest;
mod init;
mod inspect;
mod model_ref;
mod observability;
mod predict;
mod serve;
mod train;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "beira",
    version,
    about = "ONNX models as small WebAssembly modules that answer the same everywhere, from training to production"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a pipeline.yaml for a CSV file.
    Init(init::Arguments),
    /// Train, track, export, compile and register a model (without a pipeline: on the built-in sample).
    Train(train::Arguments),
    /// Compile an ONNX model to a WebAssembly module.
    Compile(compile::Arguments),
    /// Print a module's signature, sizes, cost and graph.
    Inspect(inspect::Arguments),
    /// Run a module on a request and print the answer.
    Predict(predict::Arguments),
    /// Write a deployment: a complete directory for a vendor, and with --run the vendor's tool called on it.
    Deploy(deploy::Arguments),
    /// Send the counters that left as lines of a log to the server.
    Ingest(ingest::Arguments),
    /// Serve tracking, registry, predictions, telemetry and the dashboard.
    Serve(serve::Arguments),
    /// Write dashboards and alert policies for a monitoring system.
    Observability(observability::Arguments),
}

fn main() -> std::process::ExitCode {
    let result = match Arguments::parse().command {
        Command::Init(arguments) => init::init(&arguments),
        Command::Train(arguments) => train::train(&arguments),
        Command::Compile(arguments) => compile::compile(&arguments),
        Command::Inspect(arguments) => inspect::inspect(&arguments),
        Command::Predict(arguments) => predict::predict(&arguments),
        Command::Deploy(arguments) => deploy::deploy(&arguments),
        Command::Ingest(arguments) => ingest::ingest(&arguments),
        Command::Serve(arguments) => serve::serve(&arguments),
        Command::Observability(arguments) => observability::write(&arguments),
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}
