//! `beira init`: a first pipeline.yaml for a CSV file, or an example with its table.

use std::path::PathBuf;

/// Arguments of `init`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The CSV file, its first line names the columns; with `--example`, the folder that is written to.
    path: PathBuf,
    /// Where the pipeline goes.
    #[arg(short, long, default_value = "pipeline.yaml", conflicts_with = "example")]
    output: PathBuf,
    /// Write this example instead: `mixed` has texts, dates, missing values and one positive row of ten.
    #[arg(long, value_parser = ["mixed"])]
    example: Option<String>,
}

/// Writes the files and says what to do next.
pub fn init(arguments: &Arguments) -> anyhow::Result<()> {
    let path = arguments.path.display();
    if arguments.example.is_some() {
        training::example(&arguments.path)?;
        println!("{path}/mixed.csv and {path}/pipeline.yaml are written: run `beira train {path}/pipeline.yaml`");
        return Ok(());
    }
    training::init(&arguments.path, &arguments.output)?;
    let pipeline = arguments.output.display();
    println!("{pipeline} is written: look at target and columns, then run `beira train {pipeline}`");
    Ok(())
}
