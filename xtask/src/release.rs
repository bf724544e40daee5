//! `cargo xtask release`: what a release carries, the same files on a laptop.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::house::House;
use crate::step::{ask, run, step};
use crate::{image, product, setup};

/// Arguments of `release`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// The binary with the dashboard inside, as beira-VERSION-TARGET.tar.gz, and its sha256 beside it.
    Binary {
        /// Folder for the files.
        #[arg(long, default_value = "dist/release")]
        out: PathBuf,
        /// Cargo's profile.
        #[arg(long, default_value = "release")]
        profile: String,
    },
    /// The static binary of `beira infer` for container images, as beira-VERSION-x86_64-unknown-linux-musl.tar.gz, and its sha256.
    Static {
        /// Folder for the files.
        #[arg(long, default_value = "dist/release")]
        out: PathBuf,
    },
    /// The npm package, as beira-VERSION.tgz.
    Npm {
        /// Folder for the file.
        #[arg(long, default_value = "dist/release")]
        out: PathBuf,
        /// Hand it to the registry, with its provenance.
        #[arg(long)]
        publish: bool,
    },
}

/// Builds and packs.
pub fn release(house: &House, arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.what {
        What::Binary { out, profile } => binary(house, &house.path(&out.to_string_lossy()), profile),
        What::Static { out } => {
            let out = house.path(&out.to_string_lossy());
            pack(house, &out, &image::binary(house)?, image::TARGET)
        }
        What::Npm { out, publish } => npm(house, &house.path(&out.to_string_lossy()), *publish),
    }
}

fn binary(house: &House, out: &Path, profile: &str) -> anyhow::Result<()> {
    product::front_ends(house)?;
    step("Building beira for a release", || {
        let mut cargo = Command::new("cargo");
        run(cargo.args(["build", "--locked", "--bin", "beira", "--profile", profile]).current_dir(&house.root))
    })?;
    let target = ask("rustc", &["--print", "host-tuple"]).context("rustc does not say its host")?;
    let folder = house.target.join(if profile == "dev" { "debug" } else { profile });
    pack(house, out, &folder.join(format!("beira{}", std::env::consts::EXE_SUFFIX)), target.trim())
}

/// An archive of a binary with what must go with it.
fn pack(house: &House, out: &Path, binary: &Path, target: &str) -> anyhow::Result<()> {
    let name = format!("beira-{}-{target}", env!("CARGO_PKG_VERSION"));
    let folder = out.join(&name);
    std::fs::create_dir_all(&folder)?;
    std::fs::copy(binary, folder.join(binary.file_name().context("a binary has a name")?))
        .with_context(|| format!("cannot copy {}", binary.display()))?;
    for text in ["README.md", "LICENSE-APACHE", "LICENSE-MIT"] {
        std::fs::copy(house.path(text), folder.join(text)).with_context(|| format!("cannot copy {text}"))?;
    }
    let archive = format!("{name}.tar.gz");
    run(Command::new("tar").arg("-czf").arg(out.join(&archive)).arg("-C").arg(out).arg(&name))?;
    std::fs::remove_dir_all(&folder)?;
    let sha256 = setup::sha256(&out.join(&archive))?;
    std::fs::write(out.join(format!("{archive}.sha256")), format!("{sha256}  {archive}\n"))?;
    println!("  {}", out.join(archive).display());
    Ok(())
}

fn npm(house: &House, out: &Path, publish: bool) -> anyhow::Result<()> {
    product::front_ends(house)?;
    std::fs::create_dir_all(out)?;
    let package = house.path("dist/npm");
    step("Packing the npm package", || {
        run(Command::new("npm").args(["pack", "--silent", "--pack-destination"]).arg(out).current_dir(&package))
    })?;
    if publish {
        step("Publishing the npm package", || {
            run(Command::new("npm").args(["publish", "--provenance", "--access", "public"]).current_dir(&package))
        })?;
    }
    Ok(())
}
