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
    /// The table is not what the pipeline's `schema` says.
    #[error("{} of the schema failed:{}", counted(faults.len()), listed(faults))]
    Schema {
        /// File, line, column, what is wrong and what would help, of each.
        faults: Vec<String>,
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
    #[error("{who} differs from the trained model by {difference:.1e} on rows of the table, more than {tolerance:.0e}")]
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
        /// HTTP status; 200 for an answer that cannot be read.
        status: u16,
        /// Status, error code and sentence.
        what: String,
    },
    /// The server was away until the end; nothing is lost.
    #[error(
        "run {run_id} is done, but {server} does not answer: {requests} requests are kept in order; \
         `beira sync {}` sends them",
        folder.display()
    )]
    Kept {
        /// Address.
        server: String,
        /// The run.
        run_id: String,
        /// How many requests wait.
        requests: usize,
        /// Where they are.
        folder: PathBuf,
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

fn counted(checks: usize) -> String {
    if checks == 1 { "1 check".to_owned() } else { format!("{checks} checks") }
}

/// At most 20 of them, each on a line.
fn listed(faults: &[String]) -> String {
    let mut text: String = faults.iter().take(20).map(|fault| format!("\n  {fault}")).collect();
    if faults.len() > 20 {
        text += &format!("\n  … and {} more", faults.len() - 20);
    }
    text
}

impl Error {
    /// Whether the server is away or not well, so that the same request may succeed later.
    pub(crate) fn is_away(&self) -> bool {
        match self {
            Error::Unreachable { .. } => true,
            Error::Refused { status, .. } => *status == 429 || *status >= 500,
            _ => false,
        }
    }

    pub(crate) fn data(place: impl Into<String>, what: impl Into<String>) -> Self {
        Error::Data { place: place.into(), what: what.into() }
    }
}
