//! `beira backup` and `beira restore`.

use std::path::PathBuf;

use server::housekeeping::{backup as back_up, restore as bring_back};

use crate::kept::{Kept, progress};
use crate::process;

/// Arguments of `backup`.
#[derive(clap::Args)]
pub struct BackupArguments {
    #[command(flatten)]
    kept: Kept,
    /// A new or empty folder for the backup.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Arguments of `restore`.
#[derive(clap::Args)]
pub struct RestoreArguments {
    /// The folder that `beira backup` wrote.
    backup: PathBuf,
    #[command(flatten)]
    kept: Kept,
}

/// Writes a backup.
pub fn backup(arguments: &BackupArguments) -> anyhow::Result<()> {
    let kept = arguments.kept.kept(None);
    let note = process::run(async { back_up::backup(&kept, &arguments.out, &progress()).await })??;
    println!("{}: the database and {} files, {} bytes", arguments.out.display(), note.files, note.bytes);
    Ok(())
}

/// Restores one.
pub fn restore(arguments: &RestoreArguments) -> anyhow::Result<()> {
    let kept = arguments.kept.kept(None);
    let done = process::run(async { bring_back::restore(&arguments.backup, &kept, &progress()).await })??;
    println!(
        "restored {} experiments, {} runs, {} model versions, {} files; every byte is as it was backed up",
        done.experiments, done.runs, done.versions, done.files
    );
    Ok(())
}
