//! `cargo xtask bench`: Beira beside its peers, in one process or one run.

mod serve;

use std::path::PathBuf;
use std::process::Command;

use crate::house::House;
use crate::step::{run, step};
use crate::{product, setup};

/// Arguments of `bench`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Three scikit-learn models in Node, beside onnxruntime-web and tract: time per prediction, time to the first one, bytes.
    Edge,
    /// Networks of one's own in Node, beside onnxruntime-web and tract: time of one run.
    Networks {
        /// Folders, each with a model.onnx; `FOLDER:input=1,576` where the file leaves sizes free.
        #[arg(required = true)]
        folders: Vec<String>,
    },
    /// A 100-tree model over HTTP, 16 connections, beside FastAPI with onnxruntime: requests per second, p99, cold start.
    Serve(serve::Arguments),
    /// The tracking server over HTTP, beside MLflow's: single calls, batches, searches, start, memory.
    Tracking {
        /// Ours alone, over tables that grow to 100,000 runs and 10 million points.
        #[arg(long)]
        alone: bool,
    },
}

/// Builds, makes the models, measures.
pub fn bench(house: &House, arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.what {
        What::Edge => edge(house),
        What::Networks { folders } => networks(house, folders),
        What::Serve(arguments) => serve::serve(house, arguments),
        What::Tracking { alone } => tracking(house, *alone),
    }
}

fn tracking(house: &House, alone: bool) -> anyhow::Result<()> {
    setup::python(house)?;
    let beira = product::beira(house)?;
    step("Measuring", || {
        run(Command::new(house.python())
            .arg(house.path("server/benches/tracking.py"))
            .arg(if alone { "alone" } else { "beside" })
            .arg(house.target.join("bench-tracking"))
            .arg(beira)
            .current_dir(&house.root))
    })
}

fn edge(house: &House) -> anyhow::Result<()> {
    product::build(house)?;
    let tract = tract(house)?;
    let folder = house.target.join("bench-edge");
    models(house, &folder)?;
    step("Measuring", || {
        run(Command::new("node")
            .arg(house.path("inference-wasm/benches/edge.mjs"))
            .arg(house.beira())
            .arg(house.path("dist"))
            .arg(tract)
            .arg(&folder)
            .current_dir(&house.root))
    })
}

fn networks(house: &House, folders: &[String]) -> anyhow::Result<()> {
    setup::for_wasm(house)?;
    let (tract, beira) = (tract(house)?, product::beira(house)?);
    step("Measuring", || {
        let mut node = Command::new("node");
        node.arg(house.path("inference-wasm/benches/networks.mjs")).arg(beira).arg(tract).args(folders);
        run(node.current_dir(&house.root))
    })
}

/// The peer tract, built for WebAssembly; the folder it is in.
fn tract(house: &House) -> anyhow::Result<PathBuf> {
    let folder = house.target.join("peer-tract");
    step("Building tract for WebAssembly, the peer", || {
        run(Command::new("cargo")
            .args(["build", "--release", "--target", "wasm32-unknown-unknown", "--package", "beira-peer-tract"])
            .arg("--target-dir")
            .arg(house.web_target())
            .env("RUSTFLAGS", "-C target-feature=+simd128")
            .current_dir(&house.root))?;
        run(Command::new("wasm-bindgen")
            .args(["--target", "nodejs", "--no-typescript", "--out-dir"])
            .arg(&folder)
            .arg(house.web_target().join("wasm32-unknown-unknown/release/beira_peer_tract.wasm"))
            .env("PATH", house.tool_path()?))
    })?;
    Ok(folder)
}

/// The models that the measurements share.
fn models(house: &House, folder: &std::path::Path) -> anyhow::Result<()> {
    let python = setup::python(house)?;
    step("Training and exporting the three models with scikit-learn", || {
        run(Command::new(python).arg(house.path("tests/python/sklearn_models.py")).arg(folder))
    })
}
