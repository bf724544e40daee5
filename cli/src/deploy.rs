//! `beira deploy`: a model, ready for where it will run; each target a complete directory.

mod budget;
mod cloud_run;
mod cloudflare;
mod directory;
mod gcp_plugin;
mod oci;
mod smoke;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use host_native::Module;

use crate::model::{ModelRef, Resolved};

/// Arguments of `deploy`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    target: Target,
}

#[derive(clap::Subcommand)]
enum Target {
    /// A container of one static binary and the model, for Google Cloud Run.
    CloudRun(cloud_run::Arguments),
    /// A Cloudflare Worker with the model beside it.
    Cloudflare(cloudflare::Arguments),
    /// A Proxy-Wasm plugin with the model in it, for Google's load balancers and Media CDN, and any Envoy.
    GcpPlugin(gcp_plugin::Arguments),
}

/// What every target takes.
#[derive(clap::Args)]
struct Common {
    #[command(flatten)]
    model: ModelRef,
    /// Where the directory goes. One that an earlier `beira deploy` wrote is replaced.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Name of the deployment. [default: the model's]
    #[arg(long, visible_alias = "service")]
    name: Option<String>,
}

/// Writes the directory and, where asked to, calls the vendor's tool.
pub fn deploy(arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.target {
        Target::CloudRun(arguments) => cloud_run::deploy(arguments),
        Target::Cloudflare(arguments) => cloudflare::deploy(arguments),
        Target::GcpPlugin(arguments) => gcp_plugin::deploy(arguments),
    }
}

/// Whether a sealed module fits each target that has limits: its figures, or the one that is too much.
pub fn verdicts(wasm: &[u8], module: &Module) -> Vec<(&'static str, anyhow::Result<String>)> {
    vec![
        ("Cloudflare free", cloudflare::verdict(wasm, module, "free")),
        ("Cloudflare paid", cloudflare::verdict(wasm, module, "paid")),
        ("Google's edge", gcp_plugin::Plugin::link(wasm, module).map(|plugin| plugin.figures())),
    ]
}

impl Common {
    /// The module, checked and run once, and the deployment's name.
    fn open(&self) -> anyhow::Result<(Resolved, Module, String)> {
        let resolved = self.model.resolve()?;
        let module = Module::load(&resolved.wasm).with_context(|| self.model.model.to_string())?;
        if module.seal().is_none() {
            bail!(
                "{} is not sealed: it has no golden rows for a host to prove itself with; use `beira compile`",
                self.model.model
            );
        }
        if module.manifest().relaxed {
            bail!(
                "{} is relaxed: its answers are not the same bits everywhere, which a deployment has to prove; compile it \
                 without --relaxed-simd",
                self.model.model
            );
        }
        let name = slug(self.name.as_deref().unwrap_or(&resolved.name))?;
        Ok((resolved, module, name))
    }
}

/// A name that vendors take: letters, digits and dashes, beginning with a letter, at most 50.
fn slug(name: &str) -> anyhow::Result<String> {
    let dashed: String =
        name.to_ascii_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let words: Vec<&str> = dashed.split('-').filter(|word| !word.is_empty()).collect();
    let slug: String = words.join("-").chars().take(50).collect();
    match slug.chars().next() {
        None => bail!("`{name}` gives no name for a deployment; pass --name"),
        Some(first) if first.is_ascii_digit() => Ok(format!("model-{slug}")),
        Some(_) => Ok(slug.trim_end_matches('-').to_owned()),
    }
}

/// Runs a vendor's tool in the directory; `install` says where it comes from.
fn vendor(directory: &Path, program: &str, arguments: &[&str], install: &str) -> anyhow::Result<()> {
    eprintln!("$ {program} {}", arguments.join(" "));
    let status = Command::new(program).args(arguments).current_dir(directory).status();
    let status = status.with_context(|| format!("cannot start {program}: {install}"))?;
    if !status.success() {
        bail!("{program} ended with {status}; the directory {} stays as it is", directory.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_vendors_take() {
        let check = |name: &str, expected: &str| assert_eq!(slug(name).unwrap(), expected);
        check("wine-quality", "wine-quality");
        check("A team's Wine_Quality ", "a-team-s-wine-quality");
        check("2nd try", "model-2nd-try");
        assert!(slug("…").is_err());
    }
}
