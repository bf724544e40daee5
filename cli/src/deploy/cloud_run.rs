//! `beira deploy cloud-run`: `FROM scratch`, one static binary, one module.

mod files;
mod gcloud;
mod rollout;
mod static_binary;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use host_native::Module;

use super::Common;
use super::directory::Directory;
use gcloud::Gcloud;

/// Largest root file system of the image.
const ROOT_BYTES: u64 = 40 << 20;

/// Arguments of `deploy cloud-run`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// The static Linux binary for the image. [default: this very program, where it is one]
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Where the service sends counts: a server of Beira. [default: nowhere]
    #[arg(long, value_name = "URL")]
    telemetry: Option<String>,
    /// Google Cloud project.
    #[arg(long, default_value = "PROJECT", env = "GOOGLE_CLOUD_PROJECT")]
    project: String,
    /// Region of the service.
    #[arg(long, default_value = "europe-west1")]
    region: String,
    /// Artifact Registry repository that the image goes to.
    #[arg(long, default_value = "beira")]
    repository: String,
    /// Deploy: build the image, start a revision without traffic, test it, shift traffic, roll back on failure.
    #[arg(long)]
    run: bool,
    /// Percent of traffic, step by step.
    #[arg(long, value_name = "PERCENT", value_delimiter = ',', default_values_t = [10, 50, 100], value_parser = clap::value_parser!(u8).range(1..=100))]
    steps: Vec<u8>,
    /// Seconds between a step and the test that follows it.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    wait: u64,
}

/// What the files and the rollout are about.
struct Deployment {
    /// The model's name, which is also the module's file name.
    model: String,
    /// Identity of the module.
    sha256: String,
    service: String,
    project: String,
    region: String,
    image: String,
    /// Name of the revision of this very module.
    revision: String,
    telemetry: Option<String>,
}

/// Writes the folder; with `--run`, deploys it.
pub fn deploy(arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.run && arguments.project == "PROJECT" {
        bail!("--run deploys into a project of yours; say which: --project ID, or GOOGLE_CLOUD_PROJECT");
    }
    if !arguments.steps.is_sorted() || arguments.steps.last() != Some(&100) {
        bail!("--steps grow and end with 100, for example 10,50,100");
    }
    let gcloud = arguments.run.then(|| Gcloud::find(&arguments.project, &arguments.region)).transpose()?;
    let (resolved, module, service) = arguments.common.open()?;
    let bytes = resolved.wasm;
    let binary = static_binary::find(arguments.binary.as_deref())?;
    let bytes_of_root = (binary.len() + bytes.len()) as u64;
    if bytes_of_root > ROOT_BYTES {
        bail!(
            "the image's root file system would have {:.1} MB (binary {:.1}, model {:.1}), at most {} are taken",
            megabytes(bytes_of_root),
            megabytes(binary.len() as u64),
            megabytes(bytes.len() as u64),
            ROOT_BYTES >> 20
        );
    }
    let deployment = Deployment::new(arguments, resolved.name, service, &module);
    let out = &arguments.common.out;
    let mut directory = Directory::default();
    directory.file("beira", binary);
    directory.file(deployment.module_file(), bytes);
    directory.file("Dockerfile", files::dockerfile(&deployment));
    for name in [".gcloudignore", ".dockerignore"] {
        directory.file(name, "*\n!Dockerfile\n!beira\n!*.wasm\n");
    }
    directory.file("service.yaml", files::service(&deployment, &[]));
    directory.file("README.md", files::readme(&deployment));
    directory.write(out)?;
    executable(&out.join("beira"))?;
    eprintln!("{}: root file system {:.1} MB", out.display(), megabytes(bytes_of_root));
    match gcloud {
        Some(gcloud) => {
            let rollout = rollout::Rollout {
                gcloud,
                deployment: &deployment,
                module: &module,
                folder: out,
                steps: &arguments.steps,
                wait: Duration::from_secs(arguments.wait),
            };
            rollout.run()
        }
        None => {
            eprintln!("README.md in it has the commands; --run runs them.");
            Ok(())
        }
    }
}

impl Deployment {
    fn new(arguments: &Arguments, model: String, service: String, module: &Module) -> Deployment {
        let (project, region) = (arguments.project.clone(), arguments.region.clone());
        let sha256 = module.sha256().to_owned();
        let short = &sha256[..12];
        Deployment {
            image: format!("{region}-docker.pkg.dev/{project}/{}/{service}:{short}", arguments.repository),
            revision: format!("{service}-{}", moment()),
            telemetry: arguments.telemetry.clone(),
            model,
            sha256,
            service,
            project,
            region,
        }
    }

    fn module_file(&self) -> String {
        format!("{}.wasm", self.model)
    }
}

/// COPY keeps a file's permissions, so the program must have them here.
fn executable(path: &Path) -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
            .with_context(|| format!("cannot make {} executable", path.display()))?;
    }
    Ok(())
}

/// Seconds since 1970 in few characters: a revision's name cannot be used twice.
fn moment() -> String {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    format!("{seconds:x}")
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
