//! `beira`: the one binary. Parses arguments, calls a room.

mod compile;
mod deploy;
mod ingest;
mod gate;
mod init;
mod inspect;
mod model_ref;
mod predict;
mod rollback;
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
    /// Compare a candidate with the champion on the same held-out rows: PROMOTE, HOLD or REJECT.
    Gate(gate::Arguments),
    /// Make the version under the alias `previous` the champion again.
    Rollback(rollback::Arguments),
    /// Serve tracking, registry, predictions, telemetry and the dashboard.
    Serve(serve::Arguments),
}

fn main() -> std::process::ExitCode {
    let result = match Arguments::parse().command {
        // A verdict is more than done or failed.
        Command::Gate(arguments) => match gate::gate(&arguments) {
            Ok(code) => return code,
            Err(error) => Err(error),
        },
        Command::Rollback(arguments) => rollback::rollback(&arguments),
        Command::Init(arguments) => init::init(&arguments),
        Command::Train(arguments) => train::train(&arguments),
        Command::Compile(arguments) => compile::compile(&arguments),
        Command::Inspect(arguments) => inspect::inspect(&arguments),
        Command::Predict(arguments) => predict::predict(&arguments),
        Command::Deploy(arguments) => deploy::deploy(&arguments),
        Command::Ingest(arguments) => ingest::ingest(&arguments),
        Command::Serve(arguments) => serve::serve(&arguments),
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;

    /// What the workflows spell is what the arguments take.
    #[test]
    fn the_workflows_call_commands_that_exist() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.github/workflows");
        let mut looked_at = 0;
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            for line in text.lines().filter_map(|line| line.split_once("run: ")).map(|(_, line)| line) {
                let Some(line) = line.strip_prefix("beira ") else { continue };
                let mut parts = line.split("${{");
                let first = parts.next().unwrap_or_default().to_owned();
                let plain = parts.fold(first, |line, part| line + "x" + part.split_once("}}").unwrap().1);
                // Given by the runner's environment.
                let by_environment = ["--token", "t", "--repository", "o/r"];
                let rest = plain.starts_with("gate comment").then_some(by_environment).into_iter().flatten();
                let words = ["beira"].into_iter().chain(plain.split_whitespace()).chain(rest);
                if let Err(error) = super::Arguments::try_parse_from(words) {
                    panic!("{}: `beira {line}`: {error}", entry.path().display());
                }
                looked_at += 1;
            }
        }
        assert!(looked_at >= 6, "only {looked_at} commands were found");
    }
}
