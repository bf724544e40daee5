//! What can go wrong with a module. Faults of a request are [`contract::Fault`]s instead.

/// Why a module was refused or did not answer. No variant repeats an input value.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not WebAssembly, cut off, or changed after it was sealed.
    #[error("damaged module: {0}")]
    Damaged(String),
    /// WebAssembly, but not a model module of this version.
    #[error("not a model module: {0}")]
    Manifest(String),
    /// The seal does not fit the manifest.
    #[error("the module's seal is wrong: {0}")]
    Seal(String),
    /// The golden rows did not come out.
    #[error(
        "golden mismatch: output `{output}`, row {row}: the bits differ from those the module was sealed with; \
         it is not used"
    )]
    Golden {
        /// Output whose bits differ.
        output: String,
        /// First row that differs.
        row: usize,
    },
    /// The batch is not what the manifest asks for.
    #[error("batch: {0}")]
    Batch(String),
    /// `run` answered with an error code.
    #[error("the model stopped with code {0}")]
    Run(i32),
    /// `run` trapped or was stopped.
    #[error("the model did not finish: {0}")]
    Trap(String),
    /// wasmtime could not be started on this machine.
    #[error("cannot start the WebAssembly engine: {0}")]
    Engine(String),
}
