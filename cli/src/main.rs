//! `beira`: the one binary. Parses arguments, calls a room.

#[cfg(feature = "full")]
mod backup;
#[cfg(feature = "full")]
mod compile;
#[cfg(feature = "full")]
mod deploy;
#[cfg(feature = "full")]
mod gate;
#[cfg(feature = "full")]
mod gc;
mod infer;
#[cfg(feature = "full")]
mod ingest;
#[cfg(feature = "full")]
mod init;
#[cfg(feature = "full")]
mod inspect;
#[cfg(feature = "full")]
mod kept;
mod model;
#[cfg(feature = "full")]
mod moving;
#[cfg(feature = "full")]
mod observability;
#[cfg(feature = "full")]
mod predict;
mod process;
#[cfg(feature = "full")]
mod report;
#[cfg(feature = "full")]
mod rollback;
#[cfg(feature = "full")]
mod serve;
#[cfg(feature = "full")]
mod sync;
#[cfg(feature = "full")]
mod token;
#[cfg(feature = "full")]
mod train;

use clap::error::{ContextKind, ContextValue};
use clap::{Parser, Subcommand};

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    /// Write a pipeline.yaml for a CSV file, or an example with its table.
    #[cfg(feature = "full")]
    Init(init::Arguments),
    /// Train, track, export, compile and register a model (without a pipeline: on the built-in sample).
    #[cfg(feature = "full")]
    Train(train::Arguments),
    /// Send what a training kept because the server was away.
    #[cfg(feature = "full")]
    Sync(sync::Arguments),
    /// Compile an ONNX model to a WebAssembly module.
    #[cfg(feature = "full")]
    Compile(compile::Arguments),
    /// Print a module's signature, sizes, cost and graph.
    #[cfg(feature = "full")]
    Inspect(inspect::Arguments),
    /// Run a module on a request and print the answer.
    #[cfg(feature = "full")]
    Predict(predict::Arguments),
    /// Write a deployment: a complete directory for a vendor, and with --run the vendor's tool called on it.
    #[cfg(feature = "full")]
    Deploy(deploy::Arguments),
    /// Send the counters that left as lines of a log to the server.
    #[cfg(feature = "full")]
    Ingest(ingest::Arguments),
    /// Compare a candidate with the champion on the same held-out rows: PROMOTE, HOLD or REJECT.
    #[cfg(feature = "full")]
    Gate(gate::Arguments),
    /// Make the version under the alias `previous` the champion again.
    #[cfg(feature = "full")]
    Rollback(rollback::Arguments),
    /// Serve tracking, registry, predictions, telemetry and the dashboard.
    #[cfg(feature = "full")]
    Serve(serve::Arguments),
    /// Make, list and revoke the tokens that a server asks for.
    #[cfg(feature = "full")]
    Token(token::Arguments),
    /// Delete for good what was deleted, with its files. The server may run meanwhile.
    #[cfg(feature = "full")]
    Gc(gc::Arguments),
    /// Copy database and artifacts into a folder. The server may run meanwhile.
    #[cfg(feature = "full")]
    Backup(backup::BackupArguments),
    /// Make database and artifacts of a server that is still to start from a backup.
    #[cfg(feature = "full")]
    Restore(backup::RestoreArguments),
    /// Bring in all that another tracking server has.
    #[cfg(feature = "full")]
    Import(moving::ImportArguments),
    /// Take all that a server has to another one.
    #[cfg(feature = "full")]
    Export(moving::ExportArguments),
    /// Write dashboards and alert policies for a monitoring system.
    #[cfg(feature = "full")]
    Observability(observability::Arguments),
    /// Serve the predictions of one model, without a store: for containers.
    Infer(infer::Arguments),
}

fn main() -> std::process::ExitCode {
    let arguments = Arguments::try_parse().unwrap_or_else(|error| discreet(error).exit());
    let result = match arguments.command {
        // A verdict is more than done or failed.
        #[cfg(feature = "full")]
        Command::Gate(arguments) => match gate::gate(&arguments) {
            Ok(code) => return code,
            Err(error) => Err(error),
        },
        #[cfg(feature = "full")]
        Command::Rollback(arguments) => rollback::rollback(&arguments),
        #[cfg(feature = "full")]
        Command::Init(arguments) => init::init(&arguments),
        #[cfg(feature = "full")]
        Command::Train(arguments) => train::train(&arguments),
        #[cfg(feature = "full")]
        Command::Sync(arguments) => sync::sync(&arguments),
        #[cfg(feature = "full")]
        Command::Compile(arguments) => compile::compile(&arguments),
        #[cfg(feature = "full")]
        Command::Inspect(arguments) => inspect::inspect(&arguments),
        #[cfg(feature = "full")]
        Command::Predict(arguments) => predict::predict(&arguments),
        #[cfg(feature = "full")]
        Command::Deploy(arguments) => deploy::deploy(&arguments),
        #[cfg(feature = "full")]
        Command::Ingest(arguments) => ingest::ingest(&arguments),
        #[cfg(feature = "full")]
        Command::Serve(arguments) => serve::serve(&arguments),
        #[cfg(feature = "full")]
        Command::Token(arguments) => token::token(&arguments),
        #[cfg(feature = "full")]
        Command::Gc(arguments) => gc::gc(&arguments),
        #[cfg(feature = "full")]
        Command::Backup(arguments) => backup::backup(&arguments),
        #[cfg(feature = "full")]
        Command::Restore(arguments) => backup::restore(&arguments),
        #[cfg(feature = "full")]
        Command::Import(arguments) => moving::import(&arguments),
        #[cfg(feature = "full")]
        Command::Export(arguments) => moving::export(&arguments),
        #[cfg(feature = "full")]
        Command::Observability(arguments) => observability::write(&arguments),
        Command::Infer(arguments) => infer::infer(&arguments),
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// An error that does not repeat an address: there may be a password in it.
fn discreet(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue)
        && let Some((scheme, _)) = value.split_once("://")
    {
        let shown = format!("{scheme}://…");
        error.insert(ContextKind::InvalidValue, ContextValue::String(shown));
    }
    error
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;

    #[test]
    #[cfg(feature = "full")]
    fn a_password_is_not_repeated() {
        let words = ["beira", "serve", "--db", "postgres://u:hunter2@host:port/x"];
        let error = super::Arguments::try_parse_from(words).map(drop).unwrap_err();
        let shown = super::discreet(error).to_string();
        assert!(shown.starts_with("error: invalid value 'postgres://…' for '--db <DB>': this address"), "{shown}");
    }

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
