//! Why there is no verdict: the question is wrong.

/// Why there is no verdict. Values of rows are never repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The policy is wrong.
    #[error("{file}: {what}")]
    Policy {
        /// The policy's file, or `policy`.
        file: String,
        /// Key, what is wrong, what would help.
        what: String,
    },
    /// What is compared does not fit together.
    #[error("{field}: {what}")]
    Input {
        /// Field of the comparison.
        field: String,
        /// What is wrong, and what would help.
        what: String,
    },
}

impl Error {
    pub(super) fn input(field: impl Into<String>, what: impl Into<String>) -> Self {
        Error::Input { field: field.into(), what: what.into() }
    }
}
