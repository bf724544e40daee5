//! The household chores, the same on a laptop and in CI: `cargo xtask --help`.

mod bench;
mod bless;
mod conformance;
mod fuzz;
mod house;
mod http;
mod image;
mod product;
mod release;
mod server;
mod setup;
mod step;
mod test;
mod up;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Chores of the Beira workspace", version)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Set up, build, serve the dashboard, train on the sample data.
    Up(up::Arguments),
    /// Set up what the tests need and run all that must hold on every change.
    Test(test::Arguments),
    /// Set up and build everything: binary, web package, dashboard.
    Build {
        /// The binary alone, which needs nothing but Rust.
        #[arg(long)]
        only_beira: bool,
    },
    /// Build the static binary of `beira infer`, and unpack the image's root file system without an engine.
    Image(image::Arguments),
    /// Pack what a release carries.
    Release(release::Arguments),
    /// Measure beside the peers.
    Bench(bench::Arguments),
    /// ONNX's own test cases, or a folder of models with expected outputs, through the compiler.
    Conformance(conformance::Arguments),
    /// Altered models through the compiler, for as long as one likes.
    Fuzz(fuzz::Arguments),
    /// Accept the golden files as they come out now; read the diff afterwards.
    Bless,
    /// Formatting, clippy, and (where cargo-deny is installed) licences and advisories.
    Lint,
}

fn main() -> std::process::ExitCode {
    match run(Arguments::parse().chore) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run(chore: Chore) -> anyhow::Result<()> {
    let house = house::House::find()?;
    match chore {
        Chore::Up(arguments) => up::up(&house, &arguments),
        Chore::Test(arguments) => test::test(&house, &arguments),
        Chore::Build { only_beira: true } => product::beira(&house).map(drop),
        Chore::Build { only_beira: false } => product::build(&house).map(drop),
        Chore::Image(arguments) => image::image(&house, &arguments),
        Chore::Release(arguments) => release::release(&house, &arguments),
        Chore::Bench(arguments) => bench::bench(&house, &arguments),
        Chore::Conformance(arguments) => conformance::conformance(&house, &arguments),
        Chore::Fuzz(arguments) => fuzz::fuzz(&house, &arguments),
        Chore::Bless => bless::bless(&house),
        Chore::Lint => test::lint(&house),
    }
}
