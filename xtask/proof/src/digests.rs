//! Modules through every engine: the sha256 of the raw output bits, with SIMD and without, in one Markdown table.
//!
//! The rows are pseudo-random and the same everywhere. This process runs wasmtime and wasmi; `digests.mjs` runs Node and
//! drives Chromium, workerd, Firefox and JavaScriptCore.

mod interpreter;
mod regions;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use clap::Parser;
use contract::TensorSpec;
use host_native::{Module, seal};
use serde_json::{Value, json};

use regions::digest;

/// Rows of each model, unless one call takes fewer.
const ROWS: usize = 200;

#[derive(Parser)]
struct Arguments {
    /// Folder with NAME.wasm and NAME.scalar.wasm.
    modules: PathBuf,
    /// Chromium's program.
    #[arg(long)]
    chromium: PathBuf,
    /// Firefox's program.
    #[arg(long)]
    firefox: PathBuf,
    /// The shell of JavaScriptCore.
    #[arg(long)]
    jsc: PathBuf,
    /// Where the table goes.
    #[arg(long)]
    output: PathBuf,
}

/// A module with what it is asked.
struct Job {
    name: String,
    rows: usize,
    file: PathBuf,
    inputs: PathBuf,
    layout: Value,
    /// By engine.
    digests: BTreeMap<String, String>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut jobs = Vec::new();
    for file in modules(&arguments.modules)? {
        let job = here(&file).with_context(|| file.display().to_string())?;
        println!("  {:<48} {:>4} rows  {}", job.name, job.rows, &job.digests["wasmtime"][..16]);
        jobs.push(job);
    }
    let mut versions = BTreeMap::new();
    for (engine, (version, digests)) in elsewhere(&arguments, &jobs)? {
        ensure!(digests.len() == jobs.len(), "{engine} answered for {} of {} modules", digests.len(), jobs.len());
        for (job, digest) in jobs.iter_mut().zip(digests) {
            job.digests.insert(engine.clone(), digest);
        }
        versions.insert(engine, version);
    }
    let (table, differing) = table(&jobs, &versions)?;
    std::fs::write(&arguments.output, &table)
        .with_context(|| format!("cannot write {}", arguments.output.display()))?;
    print!("\n{table}");
    ensure!(differing.is_empty(), "other bits than wasmtime's: {}", differing.join(", "));
    Ok(())
}

/// The modules of a folder by name, each followed by its scalar twin.
fn modules(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "wasm"));
    files.sort_by_key(|file| twin(file));
    ensure!(!files.is_empty(), "{} holds no modules", folder.display());
    Ok(files)
}

/// The model's name, and whether this is its scalar module.
fn twin(file: &Path) -> (String, bool) {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    match stem.strip_suffix(".scalar") {
        Some(name) => (name.to_owned(), true),
        None => (stem, false),
    }
}

/// Makes the rows, and runs the engines of this process.
fn here(file: &Path) -> anyhow::Result<Job> {
    let wasm = std::fs::read(file)?;
    let module = Module::load(&wasm)?;
    let manifest = module.manifest();
    ensure!(!manifest.relaxed, "{} is relaxed: it does not promise the same bits", file.display());
    let rows = ROWS.min(manifest.rows_max as usize);
    let batch = seal::pseudo_rows(manifest, rows);
    let inputs = file.with_extension("inputs");
    std::fs::write(&inputs, batch.inputs.concat())?;
    let places = |specs: &[TensorSpec]| -> Vec<Value> {
        specs.iter().map(|spec| json!([spec.offset, rows * spec.row_bytes()])).collect()
    };
    let layout = json!({ "rows": rows, "inputs": places(&manifest.inputs), "outputs": places(&manifest.outputs) });
    let digests = [
        ("wasmtime".to_owned(), digest(&module.run(&batch)?)),
        ("wasmi".to_owned(), digest(&interpreter::wasmi(&wasm, manifest, &batch)?)),
    ];
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Job { name, rows, file: file.to_owned(), inputs, layout, digests: digests.into() })
}

/// The engines that speak JavaScript: version, and digests in the order of the jobs.
fn elsewhere(arguments: &Arguments, jobs: &[Job]) -> anyhow::Result<BTreeMap<String, (String, Vec<String>)>> {
    let jobs: Vec<Value> =
        jobs.iter().map(|job| json!({ "module": job.file, "inputs": job.inputs, "layout": job.layout })).collect();
    let request = json!({
        "jobs": jobs,
        "chromium": arguments.chromium,
        "firefox": arguments.firefox,
        "jsc": arguments.jsc,
    });
    let mut node = Command::new("node")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("digests.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start node")?;
    node.stdin.take().context("standard input was piped")?.write_all(request.to_string().as_bytes())?;
    let output = node.wait_with_output()?;
    ensure!(output.status.success(), "the JavaScript engines failed");
    serde_json::from_slice(&output.stdout).context("the engines' answer is not JSON")
}

/// The table, and which cells differ.
fn table(jobs: &[Job], versions: &BTreeMap<String, String>) -> anyhow::Result<(String, Vec<String>)> {
    let engines: Vec<&String> = jobs.first().context("no modules")?.digests.keys().collect();
    let mut text = String::from(
        "# The same bits in every engine\n\nMade by `cargo xtask conformance --engines FOLDER`. The digest is the sha256 (its first 16 digits) of the raw \
         output bits over pseudo-random rows;\n`=` says that an engine gave these very bits, with SIMD and without.\n\n",
    );
    for (engine, version) in versions {
        text += &format!("- {engine}: {version}\n");
    }
    text += "\n| model | rows | digest |";
    engines.iter().for_each(|engine| text += &format!(" {engine} |"));
    text += "\n|---|--:|---|";
    text += &":-:|".repeat(engines.len());
    text += "\n";
    let mut differing = Vec::new();
    for pair in jobs.chunks(2) {
        let [simd, scalar] = pair else { anyhow::bail!("{} has no twin", pair[0].name) };
        ensure!(twin(&scalar.file) == (simd.name.clone(), true), "{} has no scalar module", simd.name);
        let wanted = &simd.digests["wasmtime"];
        text += &format!("| {} | {} | `{}` |", simd.name, simd.rows, &wanted[..16]);
        for engine in &engines {
            let other = [simd, scalar].into_iter().find(|job| job.digests[*engine] != *wanted);
            text += &other.map_or(" = |".to_owned(), |job| format!(" `{}` |", &job.digests[*engine][..16]));
            differing.extend(other.map(|job| format!("{engine} on {}", job.name)));
        }
        text += "\n";
    }
    Ok((text, differing))
}
