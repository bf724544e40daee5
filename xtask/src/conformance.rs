//! `cargo xtask conformance`: ONNX's own node tests through the compiler.

use std::process::Command;

use crate::house::House;
use crate::step::{ask, run, step};
use crate::{product, setup};

/// The version whose test cases are run.
const ONNX: &str = "1.22.0";

/// Arguments of `conformance`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Only cases whose name contains this, each printed with its reason; the table is not written.
    #[arg(long)]
    only: Option<String>,
    /// Instead: every model of this folder (NAME/model.onnx with NAME/case*.npz beside it) against its expected outputs.
    #[arg(long, value_name = "FOLDER", conflicts_with = "only")]
    models: Option<std::path::PathBuf>,
    /// Instead: what scikit-learn, XGBoost and LightGBM train and export; writes `inference-wasm/EXPORTERS.md`.
    /// With --only nothing is written.
    #[arg(long, conflicts_with = "models")]
    exporters: bool,
    /// Instead: every model of this folder (as for --models) in seven engines, with SIMD and without; writes
    /// `inference-wasm/ENGINES.md`.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["only", "models", "exporters"])]
    engines: Option<std::path::PathBuf>,
}

/// Fetches the cases, runs them, writes `inference-wasm/CONFORMANCE.md`.
pub fn conformance(house: &House, arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(folder) = &arguments.models {
        return models(house, folder);
    }
    if let Some(folder) = &arguments.engines {
        return engines(house, folder);
    }
    if arguments.exporters {
        return exporters(house, arguments.only.as_deref());
    }
    let data = cases(house)?;
    step("Building the runner", || {
        run(Command::new("cargo").args(["build", "--workspace", "--bin", "conformance"]).current_dir(&house.root))
    })?;
    step("Running the cases", || {
        let mut runner = Command::new(house.binary("conformance"));
        runner.arg(&data);
        match &arguments.only {
            Some(only) => runner.arg("--only").arg(only),
            None => runner.arg("--output").arg(house.path("inference-wasm/CONFORMANCE.md")),
        };
        run(&mut runner)
    })
}

/// The folder of ONNX's own test cases, fetched when it is not there yet.
pub fn cases(house: &House) -> anyhow::Result<std::path::PathBuf> {
    let package = house.target.join(format!("onnx-{ONNX}"));
    let data = package.join("onnx/backend/test/data");
    if !data.is_dir() {
        step(&format!("Fetching the Python package onnx {ONNX}, for its test cases"), || {
            let python = if ask("python3", &["-m", "pip", "--version"]).is_some() {
                "python3".into()
            } else {
                setup::python(house)?
            };
            let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target"];
            run(Command::new(python).args(pip).arg(&package).arg(format!("onnx=={ONNX}")))
        })?;
    }
    Ok(data)
}

fn models(house: &House, folder: &std::path::Path) -> anyhow::Result<()> {
    let (python, beira) = (setup::python(house)?, product::beira(house)?);
    step("Comparing every model with its expected outputs", || {
        run(Command::new(&python).arg(house.path("tests/python/models_agree.py")).arg(&beira).arg(folder))
    })
}

fn engines(house: &House, folder: &std::path::Path) -> anyhow::Result<()> {
    let (chromium, firefox, jsc) = (setup::chromium()?, setup::firefox()?, setup::jsc()?);
    let python = setup::python(house)?;
    setup::node(house)?;
    let beira = product::beira(house)?;
    step("Building the runner", || {
        run(Command::new("cargo").args(["build", "--workspace", "--bin", "digests"]).current_dir(&house.root))
    })?;
    let modules = house.target.join("engines");
    std::fs::remove_dir_all(&modules).ok();
    std::fs::create_dir_all(&modules)?;
    step("Compiling every model, with SIMD and without", || {
        let mut compile = Command::new(&python);
        compile.arg(house.path("tests/python/models_agree.py")).arg(&beira).arg(folder);
        run(compile.arg("--compile-to").arg(&modules))
    })?;
    step("Asking every engine for the same rows", || {
        run(Command::new(house.binary("digests"))
            .arg(&modules)
            .arg("--chromium")
            .arg(chromium)
            .arg("--firefox")
            .arg(firefox)
            .arg("--jsc")
            .arg(jsc)
            .arg("--output")
            .arg(house.path("inference-wasm/ENGINES.md")))
    })
}

fn exporters(house: &House, only: Option<&str>) -> anyhow::Result<()> {
    let (python, beira) = (setup::exporters(house)?, product::beira(house)?);
    step("Training, exporting, compiling, comparing", || {
        let mut runner = Command::new(&python);
        runner.arg(house.path("tests/python/exporters.py")).arg(&beira);
        runner.arg(house.path("inference-wasm/EXPORTERS.md")).env("PYTHONDONTWRITEBYTECODE", "1");
        run(runner.args(only.iter().flat_map(|only| ["--only", *only])))
    })
}
