//! A loaded model: checked once, shared by all threads, run as often as one likes.

use std::sync::{Mutex, PoisonError};

use contract::{Manifest, Seal, check};
use wasmtime::{InstancePre, Linker, StoreLimits};

use crate::instance::Instance;
use crate::records::Reader;
use crate::{Batch, Error, engine, sections};

/// A model module. `Send` and `Sync`; keep it in an `Arc`.
pub struct Module {
    manifest: Manifest,
    reader: Reader,
    seal: Option<Seal>,
    sha256: String,
    bytes_len: usize,
    pre: InstancePre<StoreLimits>,
    idle: Mutex<Vec<Instance>>,
}

impl Module {
    /// Reads, checks, compiles and instantiates a module, and runs its golden rows when it is sealed.
    ///
    /// Refused are: damaged or cut-off bytes, another manifest version, imports, a missing export,
    /// regions outside of memory, a seal that does not fit, and golden rows that do not come out.
    pub fn load(bytes: &[u8]) -> Result<Module, Error> {
        let found = sections::read(bytes)?;
        let sha256 = sections::identity(bytes)?;
        let engine = engine::engine()?;
        let code = wasmtime::Module::from_binary(engine, bytes).map_err(|e| Error::Damaged(format!("{e:#}")))?;
        if let Some(import) = code.imports().next() {
            let (module, name) = (import.module(), import.name());
            return Err(Error::Manifest(format!("it imports `{module}.{name}`; a model module imports nothing")));
        }
        let linker = Linker::new(engine);
        let pre = linker.instantiate_pre(&code).map_err(|e| Error::Damaged(format!("{e:#}")))?;
        let instance = Instance::new(&pre)?;
        check::manifest(&found.manifest, instance.memory_bytes()).map_err(Error::Manifest)?;
        let module = Module {
            reader: Reader::new(&found.manifest),
            manifest: found.manifest,
            seal: found.seal,
            sha256,
            bytes_len: bytes.len(),
            pre,
            idle: Mutex::new(vec![instance]),
        };
        module.check_seal()?;
        Ok(module)
    }

    /// Signature, memory, cost.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Reads records of named features for this model.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Golden rows and profile; absent for a module that was not sealed.
    pub fn seal(&self) -> Option<&Seal> {
        self.seal.as_ref()
    }

    /// Identity, 64 hex digits.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Size of the file.
    pub fn bytes_len(&self) -> usize {
        self.bytes_len
    }

    /// Predicts any number of rows, in chunks of `rows_max`. Answers one region for each output, in
    /// the manifest's order, row-major and little-endian.
    pub fn run(&self, batch: &Batch) -> Result<Vec<Vec<u8>>, Error> {
        batch.check(&self.manifest).map_err(Error::Batch)?;
        let capacity = |width: usize| batch.rows.saturating_mul(width);
        let mut outputs: Vec<Vec<u8>> =
            self.manifest.outputs.iter().map(|spec| Vec::with_capacity(capacity(spec.row_bytes()))).collect();
        if batch.rows == 0 {
            return Ok(outputs);
        }
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut instance = idle.map_or_else(|| Instance::new(&self.pre), Ok)?;
        let chunk = self.manifest.rows_max as usize;
        for from in (0..batch.rows).step_by(chunk) {
            let rows = chunk.min(batch.rows - from);
            instance.run(&self.manifest, &batch.inputs, from, rows, &mut outputs)?; // a failed instance is dropped
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(instance);
        Ok(outputs)
    }

    fn check_seal(&self) -> Result<(), Error> {
        let Some(seal) = &self.seal else { return Ok(()) };
        check::seal(&self.manifest, seal).map_err(Error::Seal)?;
        if let Some(profile) = &seal.profile
            && monitoring::reference::edges_sha256(profile) != profile.edges_sha256
        {
            return Err(Error::Seal("profile.edges_sha256 is not that of its edges".to_owned()));
        }
        let not_hex = || Error::Seal("golden: not hex".to_owned());
        let inputs = seal.golden.inputs(&self.manifest).ok_or_else(not_hex)?;
        let wanted = seal.golden.outputs().ok_or_else(not_hex)?;
        let answers = self.run(&Batch { rows: seal.golden.rows as usize, inputs })?;
        for ((spec, answer), expected) in self.manifest.outputs.iter().zip(&answers).zip(&wanted) {
            if let Some(byte) = host_rows::golden::differs(&self.manifest, spec, answer, expected) {
                return Err(Error::Golden { output: spec.name.clone(), row: byte / spec.row_bytes() });
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module").field("sha256", &self.sha256).field("bytes", &self.bytes_len).finish_non_exhaustive()
    }
}
