//! Why a model does not compile: the operator, the node and what would help.

/// Why a model does not compile or does not run. Values of the model or of a request are never repeated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are no ONNX file, or one that is damaged.
    #[error("not a readable ONNX file: {0}")]
    Damaged(String),
    /// The file is well-formed, but the model in it cannot be right: a name nobody makes, lists of unequal length.
    #[error("{place}: {what}")]
    Invalid {
        /// Where: a node, an input, an initializer.
        place: String,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// The model needs something that the compiler does not have.
    #[error("{place}: {what} is not supported; {help}")]
    Unsupported {
        /// Where: operator and node name, or the input.
        place: String,
        /// The operator, attribute or shape.
        what: String,
        /// What would help.
        help: String,
    },
    /// The model is beyond a limit (memory, module size).
    #[error("{what} is {value}, more than the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: String,
        /// How large it is.
        value: u64,
        /// How large it may be.
        limit: u64,
    },
    /// A region given to [`crate::Reference::run`] does not fit the signature.
    #[error("input {name:?}: {what}")]
    Input {
        /// Name of the input.
        name: String,
        /// What is wrong.
        what: String,
    },
    /// A step of the compiler contradicts another one: never the user's fault.
    #[error("a mistake of the compiler, please report it: {0}")]
    Bug(String),
}

impl Error {
    pub(crate) fn invalid(place: impl Into<String>, what: impl Into<String>) -> Self {
        Error::Invalid { place: place.into(), what: what.into() }
    }

    pub(crate) fn unsupported(place: impl Into<String>, what: impl Into<String>, help: impl Into<String>) -> Self {
        Error::Unsupported { place: place.into(), what: what.into(), help: help.into() }
    }

    /// What no tool before us has found; it may still be us who are wrong.
    pub(crate) fn contradiction(what: impl Into<String>) -> Self {
        let what = format!("{}; if another runtime takes this model, please report it", what.into());
        Error::invalid("the model does not hold together", what)
    }

    pub(crate) fn bug(what: impl Into<String>) -> Self {
        Error::Bug(what.into())
    }
}
