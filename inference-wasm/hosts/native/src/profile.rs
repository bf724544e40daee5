//! How long each operator of a model takes, for a module whose operators are functions of their own.

use std::time::{Duration, Instant};

use wasmtime::{Linker, Store, TypedFunc};

use crate::instance::{limits, trap};
use crate::{Batch, Error, Module, engine};

/// Median time of each of the functions `step.0` to `step.N-1` of `wasm`, called in their order on the first row of
/// `batch`, in as many rounds as fit into `budget` (three at least).
pub fn step_times(wasm: &[u8], batch: &Batch, steps: usize, budget: Duration) -> Result<Vec<Duration>, Error> {
    let module = Module::load(wasm)?;
    let manifest = module.manifest();
    batch.check(manifest).map_err(Error::Batch)?;
    let engine = engine::engine()?;
    let damaged = |error: wasmtime::Error| Error::Damaged(format!("{error:#}"));
    let code = wasmtime::Module::from_binary(engine, wasm).map_err(damaged)?;
    let mut store = Store::new(engine, limits());
    store.limiter(|limits| limits);
    store.set_epoch_deadline(engine::DEADLINE_TICKS);
    let instance = Linker::new(engine).instantiate(&mut store, &code).map_err(trap)?;
    let missing = |name: &str| Error::Manifest(format!("it exports no `{name}`; compile it with its operators apart"));
    let memory = instance.get_memory(&mut store, "memory").ok_or_else(|| missing("memory"))?;
    let functions: Vec<TypedFunc<i32, ()>> = (0..steps)
        .map(|n| {
            let name = format!("step.{n}");
            instance.get_typed_func(&mut store, &name).map_err(|_| missing(&name))
        })
        .collect::<Result<_, _>>()?;

    let mut rounds: Vec<Vec<Duration>> = vec![Vec::new(); steps];
    let start = Instant::now();
    while rounds.first().is_some_and(|times| times.len() < 3 || start.elapsed() < budget) {
        let data = memory.data_mut(&mut store);
        for (spec, region) in manifest.inputs.iter().zip(&batch.inputs) {
            let offset = spec.offset as usize;
            data[offset..offset + spec.row_bytes()].copy_from_slice(&region[..spec.row_bytes()]);
        }
        store.set_epoch_deadline(engine::DEADLINE_TICKS);
        for (function, times) in functions.iter().zip(&mut rounds) {
            let before = Instant::now();
            function.call(&mut store, 0).map_err(trap)?;
            times.push(before.elapsed());
        }
    }
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2]
    };
    Ok(rounds.into_iter().map(median).collect())
}
