//! `beira inspect`: what a module says of itself.

use std::path::PathBuf;

use anyhow::Context;
use contract::TensorSpec;
use host_native::{Module, sections};

use crate::report;

/// Arguments of `inspect`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The module.
    module: PathBuf,
    /// The manifest and the seal as JSON instead.
    #[arg(long)]
    json: bool,
}

/// Prints signature, sizes, cost and the graph.
pub fn inspect(arguments: &Arguments) -> anyhow::Result<()> {
    let name = arguments.module.display();
    let bytes = std::fs::read(&arguments.module).with_context(|| format!("cannot read {name}"))?;
    let sections = sections::read(&bytes).with_context(|| name.to_string())?;
    let manifest = &sections.manifest;
    if arguments.json {
        let whole = serde_json::json!({ "manifest": manifest, "seal": sections.seal });
        println!("{}", serde_json::to_string_pretty(&whole)?);
        return Ok(());
    }
    println!("module    {}", sections::sha256(&bytes));
    println!("onnx      {}", manifest.onnx_sha256);
    println!("compiler  {}", manifest.compiler);
    let opset: Vec<String> = manifest
        .opset
        .iter()
        .map(|(domain, version)| format!("{} {version}", if domain.is_empty() { "ai.onnx" } else { domain }))
        .collect();
    println!("opset     {}", opset.join(", "));
    println!("\ninputs");
    manifest.inputs.iter().for_each(print_tensor);
    println!("outputs");
    manifest.outputs.iter().for_each(print_tensor);
    let cost = &manifest.cost;
    println!("\nsize      {} bytes: {} of code, {} of weights", bytes.len(), cost.code_bytes, cost.data_bytes);
    println!("memory    {} bytes, at most {} rows a call", cost.memory_bytes, manifest.rows_max);
    println!("flops     {} a row", cost.flops_per_row);
    if manifest.relaxed {
        println!("{}", report::RELAXED);
    }
    match &sections.seal {
        Some(seal) => {
            println!("golden    {} rows", seal.golden.rows);
            match &seal.profile {
                Some(profile) => {
                    println!(
                        "profile   {} features over {} rows, edges {}",
                        profile.features.len(),
                        profile.rows,
                        profile.edges_sha256
                    );
                }
                None => println!("profile   none: drift cannot be watched"),
            }
        }
        None => println!("golden    none: the module is not sealed"),
    }
    if sections.seal.is_some() {
        print!("\n{}", report::targets(&bytes, &Module::load(&bytes).with_context(|| name.to_string())?)?);
    }
    if let Some(graph) = &sections.graph {
        println!("\n{}", graph.trim_end());
    }
    Ok(())
}

fn print_tensor(tensor: &TensorSpec) {
    let shape: Vec<String> =
        tensor.shape.iter().map(|d| if *d < 0 { "rows".to_owned() } else { d.to_string() }).collect();
    print!("  {} {}[{}]", tensor.name, tensor.datatype, shape.join(", "));
    for (what, names) in [("strings", &tensor.strings), ("columns", &tensor.columns)] {
        if let Some(names) = names {
            let shown = names.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
            print!("  {what}: {shown}{}", if names.len() > 8 { ", …" } else { "" });
        }
    }
    println!();
}
