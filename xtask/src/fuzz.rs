//! `cargo xtask fuzz`: altered models through the compiler.

use std::path::PathBuf;
use std::process::Command;

use crate::conformance;
use crate::house::House;
use crate::step::{run, step};

/// Arguments of `fuzz`.
#[derive(clap::Args)]
pub struct Arguments {
    /// `loader` (never a panic, whatever the file) or `answers` (what compiles answers what tract answers).
    #[arg(value_parser = ["loader", "answers"])]
    target: String,
    /// How long.
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    /// Number of the first case; every case follows from its number.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// How many cases at most.
    #[arg(long)]
    cases: Option<u64>,
    /// More folders of ONNX files to begin with, besides those of the tests and ONNX's own cases.
    #[arg(long, value_name = "FOLDER")]
    corpus: Vec<PathBuf>,
}

/// Builds and runs until the time is over; findings are in `target/fuzz`.
pub fn fuzz(house: &House, arguments: &Arguments) -> anyhow::Result<()> {
    let cases = conformance::cases(house)?;
    step("Building the fuzzer", || {
        run(Command::new("cargo").args(["build", "--workspace", "--bin", "fuzz"]).current_dir(&house.root))
    })?;
    step(&format!("Fuzzing {} for {} minutes", arguments.target, arguments.minutes), || {
        let mut fuzz = Command::new(house.binary("fuzz"));
        fuzz.arg(&arguments.target).arg(house.path("inference-wasm/tests/models"));
        fuzz.arg(&cases).args(&arguments.corpus).arg("--out").arg(house.target.join("fuzz").join(&arguments.target));
        fuzz.args(["--seconds", &(60 * arguments.minutes).to_string(), "--first", &arguments.first.to_string()]);
        if let Some(cases) = arguments.cases {
            fuzz.args(["--cases", &cases.to_string()]);
        }
        run(&mut fuzz)
    })
}
