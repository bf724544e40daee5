//! `beira deploy gcp-plugin`: the model linked into the Proxy-Wasm template, as plugin, as image, and
//! with what a local Envoy needs.

use anyhow::Context;
use contract::plugin::Card;
use host_native::Module;
use rust_embed::RustEmbed;

use super::budget::{self, Estimate};
use super::directory::Directory;
use super::{Common, oci, vendor};

/// Arguments of `deploy gcp-plugin`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Google Cloud project, for `--run` and the written commands.
    #[arg(long, env = "GOOGLE_CLOUD_PROJECT", default_value = "PROJECT")]
    project: String,
    /// Location of the Artifact Registry repository.
    #[arg(long, default_value = "us")]
    location: String,
    /// Artifact Registry repository, of format docker.
    #[arg(long, default_value = "beira")]
    repository: String,
    /// Push the image with Cloud Build and create the plugin (or its new version) with gcloud.
    #[arg(long, requires = "project")]
    run: bool,
}

#[derive(RustEmbed)]
#[folder = "../dist/proxy-wasm"]
struct Template;

const TARGET: &str = "a Service Extensions plugin of Google";
/// Memory of a plugin's VM, shared by all its streams (Service Extensions, quotas and limits).
const MEMORY_BYTES: u64 = 16 << 20;
/// Of that for the plugin's own heap: the parsed card, and requests on their way.
const HEAP_BYTES: u64 = 4 << 20;
/// CPU of one callback.
const CALLBACK_US: f64 = 1_000.0;
/// Of that for the rows of one request; the rest is for a slower core than ours.
const ROWS_US: f64 = 500.0;
/// Most rows of one request, however cheap a row is: their JSON has to fit into a body.
const ROWS: usize = 1000;

/// Writes the directory.
pub fn deploy(arguments: &Arguments) -> anyhow::Result<()> {
    let (model, module, name) = arguments.common.open()?;
    let plugin = Plugin::link(&model.wasm, &module)?;
    let (figures, rows) = (plugin.figures(), plugin.rows);

    // A version's name says which module it is, so the same model is never pushed under two of them.
    let version = format!("v{}", &module.sha256()[..12]);
    let Arguments { project, location, repository, .. } = arguments;
    let image = format!("{location}-docker.pkg.dev/{project}/{repository}/{name}:{version}");
    let mut directory = Directory::default();
    oci::layout(&mut directory, "plugin.wasm", &plugin.wasm, &version)?;
    directory.file("plugin.wasm", plugin.wasm);
    directory.file("Dockerfile", "FROM scratch\nCOPY plugin.wasm plugin.wasm\n");
    directory.file(".gcloudignore", "*\n!Dockerfile\n!plugin.wasm\n");
    directory.file("envoy.yaml", include_str!("gcp_plugin/envoy.yaml"));
    let readme = include_str!("gcp_plugin/README.md");
    let filled = [
        ("{NAME}", name.as_str()),
        ("{VERSION}", &version),
        ("{IMAGE}", &image),
        ("{PROJECT}", project),
        ("{LOCATION}", location),
        ("{REPOSITORY}", repository),
        ("{ROWS}", &rows.to_string()),
    ];
    let readme = filled.iter().fold(readme.to_owned(), |text, (key, value)| text.replace(key, value));
    directory.file("README.md", readme);
    directory.write(&arguments.common.out)?;

    let out = arguments.common.out.display();
    println!("{out}: plugin `{name}` {version}, {figures}");
    if arguments.run {
        return push(arguments, &name, &version, &image);
    }
    println!(
        "try it:    cd {out} && envoy -c envoy.yaml\ndeploy it: the commands of {out}/README.md, or --run --project PROJECT"
    );
    Ok(())
}

/// A model linked into the template, within the limits.
pub struct Plugin {
    /// The plugin.
    wasm: Vec<u8>,
    /// Its memory at start, in bytes.
    memory: u64,
    /// Most rows of one request.
    rows: usize,
    estimate: Estimate,
}

impl Plugin {
    /// Links a sealed module; an error names the limit that it is beyond.
    pub fn link(wasm: &[u8], module: &Module) -> anyhow::Result<Plugin> {
        let estimate = Estimate::of(wasm)?;
        budget::time(TARGET, estimate.request_us(1), CALLBACK_US)?;
        let rows = estimate.rows_within(ROWS_US).clamp(1, ROWS);
        let card = Card {
            module_sha256: module.sha256().to_owned(),
            manifest: module.manifest().clone(),
            seal: module.seal().cloned().unwrap_or_default(),
            request_rows_max: rows,
        };
        let template = Template::get("plugin.wasm")
            .context("this `beira` was built without the plugin's template; `cargo xtask build` builds both")?;
        let wasm = inference_wasm::link(&template.data, wasm, &serde_json::to_vec(&card)?)?;
        let memory = inference_wasm::memory_bytes(&wasm)?;
        let what = format!("its memory with {} MiB of heap", HEAP_BYTES >> 20);
        budget::bytes(TARGET, &what, memory + HEAP_BYTES, MEMORY_BYTES)?;
        Ok(Plugin { wasm, memory, rows, estimate })
    }

    /// Bytes, memory, time.
    pub fn figures(&self) -> String {
        format!(
            "{} bytes, {:.1} MiB of memory at start, about {:.0} µs for a row, at most {} rows a request",
            self.wasm.len(),
            self.memory as f64 / f64::from(1 << 20),
            self.estimate.request_us(1),
            self.rows
        )
    }
}

/// Cloud Build makes and pushes the image, so no Docker is needed here.
fn push(arguments: &Arguments, name: &str, version: &str, image: &str) -> anyhow::Result<()> {
    let gcloud = |line: &[&str]| {
        let project = format!("--project={}", arguments.project);
        let line: Vec<&str> = line.iter().copied().chain([project.as_str(), "--quiet"]).collect();
        vendor(&arguments.common.out, "gcloud", &line, "install the Google Cloud CLI (https://cloud.google.com/sdk)")
    };
    gcloud(&["builds", "submit", "--tag", image, "."])?;
    let (image, location) = (format!("--image={image}"), "--location=global");
    let main = format!("--main-version={version}");
    if gcloud(&["service-extensions", "wasm-plugins", "describe", name, location]).is_err() {
        let log = "--log-config=enable=true,sample-rate=1.0,min-log-level=INFO";
        return gcloud(&["service-extensions", "wasm-plugins", "create", name, location, &main, &image, log]);
    }
    let plugin = format!("--wasm-plugin={name}");
    gcloud(&["service-extensions", "wasm-plugin-versions", "create", version, &plugin, location, &image])?;
    gcloud(&["service-extensions", "wasm-plugins", "update", name, location, &main])
}
