//! `beira rollback`: the champion of before, again.

/// Arguments of `rollback`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Registered model.
    name: String,
    /// Where models are kept.
    #[arg(long, env = "MLFLOW_TRACKING_URI", default_value = "http://127.0.0.1:8080")]
    server: String,
}

/// Moves the alias and says from where to where.
pub fn rollback(arguments: &Arguments) -> anyhow::Result<()> {
    let name = &arguments.name;
    let (from, to) = training::roll_back(&arguments.server, name)?;
    if from == to {
        println!("{name}: version {to} is champion already");
    } else {
        println!("{name}: version {to} is champion again, in place of version {from}");
    }
    Ok(())
}
