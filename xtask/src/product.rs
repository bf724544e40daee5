//! The product: the binary `beira`, the web package, the dashboard.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::house::House;
use crate::setup;
use crate::step::{run, step};

/// Sets up, then builds what changed. Returns the binary.
pub fn build(house: &House) -> anyhow::Result<PathBuf> {
    front_ends(house)?;
    beira(house)
}

/// The web package and the dashboard.
pub fn front_ends(house: &House) -> anyhow::Result<()> {
    setup::for_build(house)?;
    web_package(house)?;
    plugin(house)?;
    dashboard(house)
}

/// The binary alone. Inside of GitHub Actions later steps find it on their PATH.
pub fn beira(house: &House) -> anyhow::Result<PathBuf> {
    let binary = step("Building beira", || {
        run(Command::new("cargo").args(["build", "--workspace", "--bin", "beira"]).current_dir(&house.root))?;
        Ok(house.beira())
    })?;
    if let (Some(list), Some(folder)) = (std::env::var_os("GITHUB_PATH"), binary.parent()) {
        let mut list = fs::OpenOptions::new().append(true).create(true).open(list)?;
        writeln!(list, "{}", folder.display())?;
    }
    Ok(binary)
}

/// `dist/npm` and `dist/cloudflare`.
fn web_package(house: &House) -> anyhow::Result<()> {
    let sources = ["inference-wasm/hosts/web", "contract", "monitoring", "Cargo.toml", "Cargo.lock"];
    if_changed(house, "web package (dist/npm, dist/cloudflare)", "dist/npm", &sources, || {
        run(Command::new("cargo")
            .args(["build", "--profile", "web", "--target", "wasm32-unknown-unknown", "--package", "beira-host-web"])
            .arg("--target-dir")
            .arg(house.web_target())
            .current_dir(&house.root))?;
        run(Command::new("node")
            .arg(house.path("inference-wasm/hosts/web/package.mjs"))
            .arg(house.web_target().join("wasm32-unknown-unknown/web/beira_host_web.wasm"))
            .arg(house.path("dist"))
            .current_dir(&house.root)
            .env("PATH", house.tool_path()?))
    })
}

/// `dist/proxy-wasm`: the plugin's template, without a model.
fn plugin(house: &House) -> anyhow::Result<()> {
    let hosts = ["inference-wasm/hosts/proxy-wasm", "inference-wasm/hosts/rows"];
    let sources = [&hosts[..], &["contract", "monitoring", "Cargo.toml", "Cargo.lock"]].concat();
    if_changed(house, "plugin template (dist/proxy-wasm)", "dist/proxy-wasm", &sources, || {
        // A small stack: it is part of the memory that every VM begins with.
        run(Command::new("cargo")
            .args([
                "rustc",
                "--profile",
                "web",
                "--target",
                "wasm32-unknown-unknown",
                "--package",
                "beira-host-proxy-wasm",
            ])
            .arg("--target-dir")
            .arg(house.web_target())
            .args(["--", "-C", "link-arg=-zstack-size=131072"])
            .current_dir(&house.root))?;
        let folder = house.path("dist/proxy-wasm");
        fs::create_dir_all(&folder)?;
        // No reordering of floating-point operations, as everywhere: the model is linked in later anyway.
        run(Command::new("wasm-opt")
            .args(["-Oz", "--enable-bulk-memory", "--enable-mutable-globals", "--enable-nontrapping-float-to-int"])
            .args(["--enable-sign-ext", "--enable-multivalue", "--enable-reference-types"])
            .args(["--strip-debug", "--strip-producers", "--strip-target-features"])
            .arg(house.web_target().join("wasm32-unknown-unknown/web/beira_host_proxy_wasm.wasm"))
            .arg("-o")
            .arg(folder.join("plugin.wasm"))
            .env("PATH", house.tool_path()?))
    })
}

/// `dist/dashboard`.
fn dashboard(house: &House) -> anyhow::Result<()> {
    let sources = ["dashboard", "contract", "public", "Trunk.toml", "Cargo.toml", "Cargo.lock"];
    if_changed(house, "dashboard (dist/dashboard)", "dist/dashboard", &sources, || {
        run(Command::new("trunk")
            .args(["build", "--offline", "--cargo-profile", "web"])
            .current_dir(&house.root)
            .env("PATH", house.tool_path()?)
            .env("CARGO_TARGET_DIR", house.web_target())
            .env_remove("NO_COLOR"))
    })
}

/// Does `work` unless `result` was made from the very same bytes of `sources`.
fn if_changed(
    house: &House,
    what: &str,
    result: &str,
    sources: &[&str],
    work: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let paths: Vec<PathBuf> = sources.iter().map(|source| house.path(source)).collect();
    let wanted = setup::digest(&paths.iter().map(PathBuf::as_path).collect::<Vec<&Path>>())?;
    let stamp = house.path(&format!("dist/.{}.stamp", result.replace('/', "-")));
    if house.path(result).is_dir() && fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        println!("▸ The {what} is up to date");
        return Ok(());
    }
    step(&format!("Building the {what}"), || {
        work()?;
        Ok(fs::write(stamp, wanted)?)
    })
}
