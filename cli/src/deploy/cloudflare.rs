//! `beira deploy cloudflare`: the worker of `dist/cloudflare`, with the model as a module beside it.

use anyhow::{Context, bail};
use host_native::Module;
use rust_embed::RustEmbed;

use super::budget::{self, Estimate};
use super::directory::Directory;
use super::{Common, vendor};

/// Arguments of `deploy cloudflare`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// A Beira server that counters are sent to; without one nothing is counted.
    #[arg(long, value_name = "URL")]
    telemetry_url: Option<String>,
    /// Cloudflare's plan: `free` has 10 ms of CPU for a request, `paid` 30 s.
    #[arg(long, default_value = "free", value_parser = ["free", "paid"])]
    plan: String,
    /// Deploy it with wrangler.
    #[arg(long)]
    run: bool,
}

#[derive(RustEmbed)]
#[folder = "../dist/cloudflare"]
struct Worker;

/// Uncompressed size of a Worker, all plans (Cloudflare's limits since 2026-09-04).
const SCRIPT_BYTES: u64 = 64 << 20;
/// Memory of an isolate, JavaScript's heap included; a quarter is left to it.
const MEMORY_BYTES: u64 = 96 << 20;
/// CPU of one request on the free plan.
const FREE_US: f64 = 10_000.0;

/// Writes the directory.
pub fn deploy(arguments: &Arguments) -> anyhow::Result<()> {
    let (model, module, name) = arguments.common.open()?;
    let mut directory = Directory::default();
    for path in Worker::iter() {
        let file = Worker::get(&path).with_context(|| format!("the worker's {path} cannot be read"))?;
        directory.file(path, file.data);
    }
    let text = |path: &str| -> anyhow::Result<String> {
        let file =
            Worker::get(path).context("this `beira` was built without the worker; `cargo xtask build` builds both")?;
        Ok(String::from_utf8_lossy(&file.data).into_owned())
    };
    let figures = verdict(&model.wasm, &module, &arguments.plan)?;

    let url = arguments.telemetry_url.as_deref();
    if url.is_some_and(|url| url.chars().any(|c| c == '"' || c == '\\' || c.is_control())) {
        bail!("--telemetry-url holds a character that no address has");
    }
    let wrangler = text("wrangler.toml")?
        .replace("name = \"beira-model\"", &format!("name = \"{name}\""))
        .replace("MODEL = \"model\"", &format!("MODEL = \"{name}\""));
    let workerd = text("workerd.capnp")?.replace("text = \"model\"", &format!("text = \"{name}\""));
    directory.file(
        "wrangler.toml",
        match url {
            Some(url) => wrangler
                .replace("# TELEMETRY_URL = \"https://beira.example.com\"", &format!("TELEMETRY_URL = \"{url}\"")),
            None => wrangler,
        },
    );
    // On this machine the Beira server is the one at hand, unless another was named.
    directory.file("workerd.capnp", workerd.replace("http://127.0.0.1:8080", url.unwrap_or("http://127.0.0.1:8080")));
    directory.file("model.wasm", model.wasm);
    directory.file("README.md", include_str!("cloudflare/README.md").replace("NAME", &name));
    directory.write(&arguments.common.out)?;

    let out = arguments.common.out.display();
    println!("{out}: worker `{name}`, {figures}");
    if arguments.run {
        let npm = "it comes with Node (https://nodejs.org)";
        return vendor(&arguments.common.out, "npx", &["--yes", "wrangler", "deploy"], npm);
    }
    println!(
        "try it:    npx workerd serve {out}/workerd.capnp\ndeploy it: cd {out} && npx wrangler deploy   (or --run)"
    );
    Ok(())
}

/// The figures of a module on a plan, or the one that is too much.
pub fn verdict(wasm: &[u8], module: &Module, plan: &str) -> anyhow::Result<String> {
    let own: u64 = Worker::iter().filter_map(|path| Worker::get(&path)).map(|file| file.data.len() as u64).sum();
    let (script, memory) = (own + wasm.len() as u64, module.manifest().cost.memory_bytes);
    let estimate = Estimate::of(wasm)?;
    fits(script, memory, &estimate, plan)?;
    let mib = memory as f64 / f64::from(1 << 20);
    Ok(format!("{script} bytes of script, {mib:.1} MiB of memory, about {:.0} µs for a row", estimate.request_us(1)))
}

fn fits(script: u64, memory: u64, estimate: &Estimate, plan: &str) -> anyhow::Result<()> {
    budget::bytes("a Worker of Cloudflare", "the script", script, SCRIPT_BYTES)?;
    budget::bytes("a Worker of Cloudflare", "the model's memory", memory, MEMORY_BYTES)?;
    if plan == "free" {
        budget::time("the free plan of Cloudflare (pass --plan paid for 30 s)", estimate.request_us(1), FREE_US)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_with_figures() {
        let small = Estimate { request_us: 50.0, row_us: 10.0 };
        let check = |script, memory, row_us, plan, expected: &str| {
            let estimate = Estimate { row_us, ..small };
            let text = fits(script, memory, &estimate, plan).err().map_or(String::new(), |error| error.to_string());
            assert_eq!(text, expected);
        };
        check(1 << 20, 1 << 20, 10.0, "free", "");
        check(
            65 << 20,
            1 << 20,
            10.0,
            "paid",
            "too large for a Worker of Cloudflare: the script is 65.0 MiB, at most 64.0 MiB are taken",
        );
        check(
            1,
            100 << 20,
            10.0,
            "paid",
            "too large for a Worker of Cloudflare: the model's memory is 100.0 MiB, at most 96.0 MiB are taken",
        );
        check(1, 1, 12_000.0, "paid", "");
        check(
            1,
            1,
            12_000.0,
            "free",
            "too slow for the free plan of Cloudflare (pass --plan paid for 30 s): \
            about 12.05 ms of CPU for one row, at most 10.00 ms are allowed",
        );
    }
}
