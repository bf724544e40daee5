//! Why training stopped: the file, line, column or key, and what would help.

use std::path::PathBuf;

/// Why training stopped. Cells of the data are never repeated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key of the pipeline is wrong.
    #[error("{file}: {what}")]
    Pipeline {
        /// The pipeline's file, or `pipeline` for the built-in one.
        file: String,
        /// Key and line, what is wrong, what would help.
        what: String,
    },
    /// The data is not usable.
    #[error("{place}: {what}")]
    Data {
        /// File, and where they are known line and column.
        place: String,
        /// What is wrong, and what would help.
        what: String,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {}{help}", path.display())]
    File {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
        /// What would help; empty or a sentence beginning with `; `.
        help: String,
    },
    /// A learner could not fit the data.
    #[error("{learner}: {what}")]
    Learner {
        /// `linear` or `boosting`.
        learner: &'static str,
        /// What is wrong.
        what: String,
    },
    /// The exported model does not compile: a mistake of ours.
    #[error("the exported model does not compile: {0}")]
    Compile(#[from] inference_wasm::Error),
    /// The compiled module does not run: a mistake of ours.
    #[error("the compiled module: {0}")]
    Module(#[from] host_native::Error),
    /// The compiled module answers something else than the model that was trained.
    #[error("{who} differs from the trained model by {difference:.1e} on the held-out rows, more than {tolerance:.0e}")]
    Parity {
        /// Who differs.
        who: &'static str,
        /// Greatest difference, relative to 1 + |value|.
        difference: f64,
        /// What is accepted.
        tolerance: f64,
    },
    /// Nobody answers at the server's address.
    #[error("no answer from {server} ({what}); start it with `beira serve`, or name another one with --server")]
    Unreachable {
        /// Address.
        server: String,
        /// What the system says.
        what: String,
    },
    /// The server refused a request.
    #[error("{server} refused {request}: {what}")]
    Refused {
        /// Address.
        server: String,
        /// Method and path.
        request: String,
        /// Status, error code and sentence.
        what: String,
    },
    /// A model that the gate was given cannot be found.
    #[error("{reference}: {what}")]
    Model {
        /// What was given: `models:/wine-quality/7`, a file.
        reference: String,
        /// What is wrong, and what would help.
        what: String,
    },
    /// What the gate was asked makes no sense.
    #[error(transparent)]
    Gate(#[from] crate::gate::Error),
    /// Artifacts of the run are kept where this program cannot write.
    #[error("cannot write artifacts to {uri}: {what}")]
    Artifacts {
        /// The run's artifact root.
        uri: String,
        /// What would help.
        what: String,
    },
}

impl Error {
    pub(crate) fn data(place: impl Into<String>, what: impl Into<String>) -> Self {
        Error::Data { place: place.into(), what: what.into() }
    }
}
