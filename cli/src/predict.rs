//! `beira predict`: a request in, the answer out, in the same form.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use contract::oip::{InferRequest, InferResponse};
use contract::{Fault, Loc};
use host_native::{Module, oip, records};
use serde_json::Value;

/// Arguments of `predict`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The module.
    module: PathBuf,
    /// A file, or `-` for standard input: records (`[{"alcohol": 9.4, …}]` or one object) or an Open
    /// Inference Protocol v2 request (`{"inputs": […]}`). A missing value is `null`.
    #[arg(short, long)]
    input: PathBuf,
}

/// Reads, runs, prints one line of JSON.
pub fn predict(arguments: &Arguments) -> anyhow::Result<()> {
    let name = arguments.module.display();
    let bytes = std::fs::read(&arguments.module).with_context(|| format!("cannot read {name}"))?;
    let module = Module::load(&bytes).with_context(|| name.to_string())?;
    let request = parse(&read(&arguments.input)?)?;
    println!("{}", answer(&module, &arguments.module, request)?);
    Ok(())
}

fn answer(module: &Module, path: &Path, request: Value) -> anyhow::Result<String> {
    let manifest = module.manifest();
    if request.get("inputs").is_some_and(Value::is_array) {
        let request: InferRequest =
            serde_json::from_value(request).context("not an Open Inference Protocol v2 request")?;
        let batch = oip::encode(manifest, &request).map_err(|faults| refused(&faults))?;
        let outputs = module.run(&batch)?;
        let mut outputs = oip::decode(manifest, batch.rows, &outputs);
        if !request.outputs.is_empty() {
            outputs.retain(|tensor| request.outputs.iter().any(|wanted| wanted.name == tensor.name));
        }
        let response = InferResponse {
            model_name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            model_version: None,
            id: request.id,
            outputs,
        };
        return Ok(serde_json::to_string(&response)?);
    }
    let (rows, one) = match request {
        Value::Array(rows) => (rows, false),
        row => (vec![row], true),
    };
    let mut rest = Vec::with_capacity(rows.len());
    for (i, row) in rows.into_iter().enumerate() {
        let Value::Object(row) = row else { bail!("row {i} is not an object of features") };
        rest.push(row);
    }
    let batch = records::encode(manifest, &rest).map_err(|mut faults| {
        if one {
            faults.iter_mut().for_each(|fault| fault.loc.retain(|step| !matches!(step, Loc::Index(0))));
        }
        refused(&faults)
    })?;
    let outputs = module.run(&batch)?;
    let mut answers = records::decode(manifest, batch.rows, &outputs);
    Ok(if one { answers.remove(0).to_string() } else { Value::Array(answers).to_string() })
}

fn refused(faults: &[Fault]) -> anyhow::Error {
    const SHOWN: usize = 20;
    let mut text = format!("the request has {} fault{}:", faults.len(), if faults.len() == 1 { "" } else { "s" });
    for fault in faults.iter().take(SHOWN) {
        text += &format!("\n  {fault}");
    }
    if faults.len() > SHOWN {
        text += &format!("\n  … and {} more", faults.len() - SHOWN);
    }
    anyhow::anyhow!(text)
}

fn read(path: &Path) -> anyhow::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("standard input is not UTF-8 text")?;
        return Ok(text);
    }
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn parse(text: &str) -> anyhow::Result<Value> {
    serde_json::from_str(text).context("the request is not JSON")
}
