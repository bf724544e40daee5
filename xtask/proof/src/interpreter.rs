//! Another WebAssembly engine: wasmi on the module.

use anyhow::{Context, ensure};
use contract::Manifest;
use host_native::Batch;

use crate::regions::Regions;

/// What wasmi, an interpreter, answers: it has nothing in common with wasmtime but the specification.
pub fn wasmi(wasm: &[u8], manifest: &Manifest, batch: &Batch) -> anyhow::Result<Regions> {
    let engine = wasmi::Engine::default();
    let module = wasmi::Module::new(&engine, wasm)?;
    let mut store = wasmi::Store::new(&engine, ());
    let instance = wasmi::Linker::new(&engine).instantiate_and_start(&mut store, &module)?;
    let memory = instance.get_memory(&store, "memory").context("the module exports no memory")?;
    let run = instance.get_typed_func::<i32, i32>(&store, "run")?;
    let mut outputs: Regions = vec![Vec::new(); manifest.outputs.len()];
    let step = manifest.rows_max as usize;
    for from in (0..batch.rows).step_by(step) {
        let rows = step.min(batch.rows - from);
        for (spec, region) in manifest.inputs.iter().zip(&batch.inputs) {
            let bytes = from * spec.row_bytes()..(from + rows) * spec.row_bytes();
            memory.write(&mut store, spec.offset as usize, &region[bytes])?;
        }
        let code = run.call(&mut store, rows as i32)?;
        ensure!(code == 0, "run answered {code}");
        for (spec, output) in manifest.outputs.iter().zip(&mut outputs) {
            let mut region = vec![0; rows * spec.row_bytes()];
            memory.read(&store, spec.offset as usize, &mut region)?;
            output.extend(region);
        }
    }
    Ok(outputs)
}
