//! `cargo xtask bench`: Beira beside its peers, in one process or one run.

mod serve;

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
    /// Three scikit-learn models in Node, beside onnxruntime-web: time per prediction, time to the first one, bytes.
    Edge,
    /// Networks of one's own in Node, beside onnxruntime-web: time of one run.
    Networks {
        /// Folders, each with a model.onnx whose shapes are fixed.
        #[arg(required = true)]
        folders: Vec<std::path::PathBuf>,
    },
    /// A 100-tree model over HTTP, 16 connections, beside FastAPI with onnxruntime: requests per second, p99, cold start.
    Serve(serve::Arguments),
}

/// Builds, makes the models, measures.
pub fn bench(house: &House, arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.what {
        What::Edge => edge(house),
        What::Networks { folders } => networks(house, folders),
        What::Serve(arguments) => serve::serve(house, arguments),
    }
}

fn edge(house: &House) -> anyhow::Result<()> {
    product::build(house)?;
    let folder = house.target.join("bench-edge");
    models(house, &folder)?;
    step("Measuring", || {
        run(Command::new("node")
            .arg(house.path("inference-wasm/benches/edge.mjs"))
            .arg(house.beira())
            .arg(house.path("dist"))
            .arg(&folder)
            .current_dir(&house.root))
    })
}

fn networks(house: &House, folders: &[std::path::PathBuf]) -> anyhow::Result<()> {
    setup::node(house)?;
    let beira = product::beira(house)?;
    step("Measuring", || {
        let mut node = Command::new("node");
        node.arg(house.path("inference-wasm/benches/networks.mjs")).arg(beira).args(folders);
        run(node.current_dir(&house.root))
    })
}

/// The models that the measurements share.
fn models(house: &House, folder: &std::path::Path) -> anyhow::Result<()> {
    let python = setup::python(house)?;
    step("Training and exporting the three models with scikit-learn", || {
        run(Command::new(python).arg(house.path("tests/python/sklearn_models.py")).arg(folder))
    })
}
