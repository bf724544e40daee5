//! `beira init`: a first pipeline.yaml for a CSV file.

use std::path::PathBuf;

/// Arguments of `init`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The CSV file; its first line names the columns.
    csv: PathBuf,
    /// Where the pipeline goes.
    #[arg(short, long, default_value = "pipeline.yaml")]
    output: PathBuf,
}

/// Writes the file and says what to do next.
pub fn init(arguments: &Arguments) -> anyhow::Result<()> {
    training::init(&arguments.csv, &arguments.output)?;
    let pipeline = arguments.output.display();
    println!("{pipeline} is written: look at target and columns, then run `beira train {pipeline}`");
    Ok(())
}
