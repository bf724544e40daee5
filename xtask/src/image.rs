//! `cargo xtask image`: the static binary of `beira infer`, and the root file system of an image without an engine.

mod profile;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::house::House;
use crate::step::{run, step};
use crate::{product, setup};

/// The target of the static binary.
pub const TARGET: &str = "x86_64-unknown-linux-musl";

/// Arguments of `image`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Also deploy this model into target/image/cloud-run and unpack the image's root file system: FILE.wasm,
    /// FILE.onnx or models:/NAME@ALIAS.
    #[arg(long)]
    model: Option<String>,
    /// The server that a registered model is downloaded from.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Unpack this deployment folder instead of building anything.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["model", "server"])]
    from: Option<PathBuf>,
    /// Where the root file system goes. [default: target/image/rootfs]
    #[arg(long, value_name = "DIR")]
    rootfs: Option<PathBuf>,
}

/// Builds what is asked for; the last line on standard output is the root file system, or the binary alone.
pub fn image(house: &House, arguments: &Arguments) -> anyhow::Result<()> {
    let place = house.target.join("image");
    let folder = match (&arguments.from, &arguments.model) {
        (Some(folder), _) => folder.clone(),
        (None, model) => {
            let binary = binary(house)?;
            let Some(model) = model else {
                println!("{}", binary.display());
                return Ok(());
            };
            let folder = place.join("cloud-run");
            let server = arguments.server.iter().flat_map(|server| ["--server", server]);
            run(Command::new(product::beira(house)?)
                .args(["deploy", "cloud-run", "--model", model])
                .args(server)
                .arg("--binary")
                .arg(&binary)
                .arg("--out")
                .arg(&folder))?;
            folder
        }
    };
    let root = arguments.rootfs.clone().unwrap_or_else(|| place.join("rootfs"));
    let entrypoint = unpack(&folder, &root)?;
    println!(
        "start it:  chroot {} {} (as root; any static binary needs no more)",
        root.display(),
        entrypoint.join(" ")
    );
    println!("{}", root.display());
    Ok(())
}

/// Builds the static binary with the small feature set, optimized for what it does under load.
pub fn binary(house: &House) -> anyhow::Result<PathBuf> {
    setup::musl()?;
    let mut flag = OsString::from("-Cprofile-use=");
    flag.push(profile::of_load(house)?);
    step("Building the image's static binary", || build(house, &house.target, &flag))
}

/// Cargo's build of it in a target folder, with one more flag for rustc.
fn build(house: &House, target: &Path, flag: &OsStr) -> anyhow::Result<PathBuf> {
    run(Command::new("cargo")
        .args(["build", "--package", "beira", "--no-default-features", "--features", "infer"])
        .args(["--target", TARGET, "--profile", "image", "--target-dir"])
        .arg(target)
        .env("CARGO_ENCODED_RUSTFLAGS", flag)
        .current_dir(&house.root))?;
    Ok(target.join(TARGET).join("image/beira"))
}

/// Applies the COPYs of a Dockerfile `FROM scratch`; answers its ENTRYPOINT.
fn unpack(folder: &Path, root: &Path) -> anyhow::Result<Vec<String>> {
    let path = folder.join("Dockerfile");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    if root.exists() {
        fs::remove_dir_all(root).with_context(|| format!("cannot replace {}", root.display()))?;
    }
    let mut entrypoint = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let list = || serde_json::from_str::<Vec<String>>(rest).with_context(|| format!("Dockerfile: {line}"));
        match word {
            "FROM" if rest == "scratch" => {}
            "COPY" => {
                let [from, to] = list()?.try_into().map_err(|_| anyhow::anyhow!("Dockerfile: {line}: not one file"))?;
                let to = root.join(to.trim_start_matches('/'));
                fs::create_dir_all(to.parent().unwrap_or(root))?;
                fs::copy(folder.join(&from), &to).with_context(|| format!("Dockerfile: {line}"))?;
            }
            "ENTRYPOINT" => entrypoint = list()?,
            "USER" | "EXPOSE" => {}
            _ => bail!("Dockerfile: `{line}` is not of those that this chore unpacks"),
        }
    }
    Ok(entrypoint)
}
