//! ONNX's own test cases through the compiler and wasmtime.
//!
//! ```text
//! folder of cases → supervise (a worker process, replaced when it dies) → report (Markdown)
//!                        └ worker: case (files) → bake → compile → run → compare
//! ```

mod bake;
mod case;
mod compare;
mod report;
mod supervise;
mod tensor;
mod worker;

use std::path::PathBuf;

use clap::Parser;

#[derive(Parser)]
#[command(about = "ONNX's test cases through compile and wasmtime; writes a Markdown table")]
struct Arguments {
    /// The folder `onnx/backend/test/data` of the Python package onnx.
    data: PathBuf,
    /// Where the table goes; printed when absent.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Only cases whose name contains this, each printed with its reason.
    #[arg(long)]
    only: Option<String>,
    /// Take cases from standard input, one folder a line, and answer in JSON (what this program starts itself as).
    #[arg(long, hide = true)]
    worker: bool,
}

/// Groups of cases, as the package names their folders.
const GROUPS: [&str; 4] = ["node", "simple", "pytorch-converted", "pytorch-operator"];

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if arguments.worker {
        return worker::serve();
    }
    let cases = case::list(&arguments.data, &GROUPS, arguments.only.as_deref())?;
    anyhow::ensure!(!cases.is_empty(), "{} holds no cases", arguments.data.display());
    let outcomes = supervise::run(&cases)?;
    if arguments.only.is_some() {
        outcomes.iter().for_each(|o| println!("{}", report::line(o)));
    }
    println!("{}", report::summary(&outcomes));
    if let Some(output) = &arguments.output {
        let temporary = output.with_extension("md.new");
        std::fs::write(&temporary, report::markdown(&outcomes))?;
        std::fs::rename(&temporary, output)?;
        println!("written to {}", output.display());
    }
    Ok(())
}
