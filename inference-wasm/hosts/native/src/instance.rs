//! One instance: a memory and `run`, reused from call to call.

use contract::Manifest;
use wasmtime::{InstancePre, Memory, Store, StoreLimits, StoreLimitsBuilder, TypedFunc};

use crate::{Error, engine};

/// A module in memory. Nothing of one call is visible in the next, since every call writes all inputs.
pub struct Instance {
    store: Store<StoreLimits>,
    memory: Memory,
    run: TypedFunc<i32, i32>,
}

/// Limits of a store: one memory of at most [`engine::MEMORY_MAX`].
pub fn limits() -> StoreLimits {
    StoreLimitsBuilder::new()
        .memory_size(engine::MEMORY_MAX)
        .memories(1)
        .instances(1)
        .tables(1)
        .table_elements(1 << 16)
        .trap_on_grow_failure(true)
        .build()
}

impl Instance {
    /// Instantiates and finds the two exports.
    pub fn new(module: &InstancePre<StoreLimits>) -> Result<Instance, Error> {
        let mut store = Store::new(engine::engine()?, limits());
        store.limiter(|limits| limits);
        store.set_epoch_deadline(engine::DEADLINE_TICKS);
        let instance = module.instantiate(&mut store).map_err(trap)?;
        let memory = instance
            .get_memory(&mut store, "memory")
            .ok_or_else(|| Error::Manifest("it exports no memory named `memory`".to_owned()))?;
        let run = instance
            .get_typed_func(&mut store, "run")
            .map_err(|_| Error::Manifest("it exports no function `run(rows: i32) -> i32`".to_owned()))?;
        Ok(Instance { store, memory, run })
    }

    /// Bytes of linear memory.
    pub fn memory_bytes(&self) -> u64 {
        self.memory.data_size(&self.store) as u64
    }

    /// Runs `rows` rows starting at `from` of `inputs` and appends the answers to `outputs`.
    /// Sizes have been checked: `rows <= rows_max`, regions inside of memory.
    pub fn run(
        &mut self,
        manifest: &Manifest,
        inputs: &[Vec<u8>],
        from: usize,
        rows: usize,
        outputs: &mut [Vec<u8>],
    ) -> Result<(), Error> {
        let memory = self.memory.data_mut(&mut self.store);
        for (spec, region) in manifest.inputs.iter().zip(inputs) {
            let (width, offset) = (spec.row_bytes(), spec.offset as usize);
            memory[offset..offset + rows * width].copy_from_slice(&region[from * width..(from + rows) * width]);
        }
        self.store.set_epoch_deadline(engine::DEADLINE_TICKS);
        match self.run.call(&mut self.store, rows as i32).map_err(trap)? {
            0 => (),
            code => return Err(Error::Run(code)),
        }
        let memory = self.memory.data(&self.store);
        for (spec, region) in manifest.outputs.iter().zip(outputs) {
            let offset = spec.offset as usize;
            region.extend_from_slice(&memory[offset..offset + rows * spec.row_bytes()]);
        }
        Ok(())
    }
}

/// wasmtime's error in one line, without the backtrace of wasm frames.
pub fn trap(error: wasmtime::Error) -> Error {
    match error.downcast_ref::<wasmtime::Trap>() {
        Some(wasmtime::Trap::Interrupt) => {
            Error::Trap(format!("it ran for more than {} s and was stopped", engine::DEADLINE.as_secs()))
        }
        Some(trap) => Error::Trap(trap.to_string()),
        None => Error::Trap(error.to_string().lines().next().unwrap_or_default().to_owned()),
    }
}
