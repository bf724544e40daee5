//! The same held-out rows through every executor: tract, wasmtime, wasmi, Chromium, workerd and the
//! server. Prints a digest of the raw output bits for each, the largest difference to tract, and
//! what the server counted; ends in 1 unless all WebAssembly engines agree to the bit.

mod answers;
mod browser;
mod interpreter;
mod regions;
mod worker;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Parser;
use contract::Origin;
use contract::api::{ModelDetail, Production};
use host_native::{Module, records};
use regions::{Regions, digest};
use serde_json::{Map, Value};

#[derive(Parser)]
struct Arguments {
    /// A running `beira serve`.
    #[arg(long)]
    server: String,
    /// Registered model; its alias `champion` is asked.
    #[arg(long)]
    model: String,
    /// Held-out rows to predict.
    #[arg(long)]
    rows: usize,
    /// The browser.
    #[arg(long)]
    chromium: PathBuf,
    /// Folder with npm/ and cloudflare/.
    #[arg(long)]
    dist: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let (server, model) = (arguments.server.as_str(), arguments.model.as_str());
    let run = champion_run(server, model)?;
    let onnx = download(&format!("{server}/get-artifact?run_uuid={run}&path=model/model.onnx"))?;
    let wasm = download(&format!("{server}/modules/{model}/@champion"))?;
    let records = held_out(server, &run, arguments.rows)?;
    let module = Module::load(&wasm)?;
    let manifest = module.manifest();
    let batch = records::encode(manifest, &records)
        .map_err(|faults| anyhow::anyhow!("a held-out row is not accepted: {}", faults[0]))?;

    // The slow, obvious truth: tract on the ONNX file itself.
    let tract = inference_wasm::Reference::load(&onnx)?.run(batch.rows, &batch.inputs)?;
    let rows: Vec<Value> = records.iter().cloned().map(Value::Object).collect();
    let regions = |answers: Vec<Value>| answers::regions(manifest, &answers);
    let executors: Vec<(&str, Regions)> = vec![
        ("wasmtime", module.run(&batch)?),
        ("wasmi", interpreter::wasmi(&wasm, manifest, &batch)?),
        ("Chromium", regions(browser::predict(&arguments.chromium, server, model, &rows)?)?),
        ("workerd", regions(worker::predict(&arguments.dist, server, &wasm, &rows)?)?),
        ("server", regions(ask(&format!("{server}/predict/{model}"), &rows)?)?),
    ];

    println!("\n{} rows, module {}", batch.rows, module.sha256());
    println!("{:<10} {:<64} {:>12}", "executor", "sha256 of the output bits", "max |Δ tract|");
    println!("{:<10} {:<64} {:>12}", "tract", digest(&tract), "");
    for (name, outputs) in &executors {
        println!("{name:<10} {:<64} {:>12.1e}", digest(outputs), answers::difference(manifest, &tract, outputs)?);
    }
    let counted = counts(server, model, arguments.rows as u64)?;
    println!("\ncounted by the server: {}", counted.map(|(origin, n)| format!("{} {n}", origin.name())).join(", "));

    let wanted = digest(&executors[0].1);
    let differing: Vec<&str> =
        executors.iter().filter(|(_, out)| digest(out) != wanted).map(|(name, _)| *name).collect();
    ensure!(differing.is_empty(), "other bits than wasmtime's: {}", differing.join(", "));
    ensure!(
        counted.iter().all(|(_, n)| *n == arguments.rows as u64),
        "the server should have counted exactly {} predictions for each origin",
        arguments.rows
    );
    println!("all WebAssembly engines agree to the bit");
    Ok(())
}

/// Run that the champion was registered from, once the server has its module.
fn champion_run(server: &str, model: &str) -> anyhow::Result<String> {
    let start = Instant::now();
    loop {
        let detail: ModelDetail = get(&format!("{server}/api/beira/models/{model}"))?;
        let champion = detail
            .versions
            .into_iter()
            .find(|version| version.version.aliases.iter().any(|alias| alias == "champion"))
            .with_context(|| format!("{model} has no alias champion"))?;
        if champion.module.is_some() {
            return champion.version.run_id.context("the champion does not say which run it comes from");
        }
        if start.elapsed() > Duration::from_secs(60) {
            bail!("the champion has no module: {}", champion.error.unwrap_or_default());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn held_out(server: &str, run: &str, rows: usize) -> anyhow::Result<Vec<Map<String, Value>>> {
    let mut records: Vec<Map<String, Value>> =
        get(&format!("{server}/get-artifact?run_uuid={run}&path=heldout/records.json"))?;
    ensure!(records.len() >= rows, "the run held out {} rows, {rows} are wanted", records.len());
    records.truncate(rows);
    Ok(records)
}

/// Predictions that the server counted by origin, once all three have reached `rows` or 30 seconds have passed.
fn counts(server: &str, model: &str, rows: u64) -> anyhow::Result<[(Origin, u64); 3]> {
    let start = Instant::now();
    loop {
        let production: Production = get(&format!("{server}/api/beira/models/{model}/production?minutes=60"))?;
        let counted = [Origin::Browser, Origin::Edge, Origin::Server].map(|origin| {
            let of_origin = production.totals.iter().filter(|total| total.origin == origin);
            (origin, of_origin.map(|total| total.predictions).sum())
        });
        if counted.iter().all(|(_, n)| *n >= rows) || start.elapsed() > Duration::from_secs(30) {
            return Ok(counted);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// `POST url` with an array of records.
fn ask(url: &str, rows: &[Value]) -> anyhow::Result<Vec<Value>> {
    let mut answer = ureq::post(url).send_json(rows).with_context(|| url.to_owned())?;
    Ok(answer.body_mut().read_json()?)
}

fn get<T: serde::de::DeserializeOwned>(url: &str) -> anyhow::Result<T> {
    ureq::get(url).call().and_then(|mut answer| answer.body_mut().read_json()).with_context(|| url.to_owned())
}

fn download(url: &str) -> anyhow::Result<Vec<u8>> {
    ureq::get(url).call().and_then(|mut answer| answer.body_mut().read_to_vec()).with_context(|| url.to_owned())
}
