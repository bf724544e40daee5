//! One fault of a request, as FastAPI reports it: `{"detail": [{"type", "loc", "msg"}]}`.

use serde::{Deserialize, Serialize};

/// One fault. The offending value is not repeated: it may be private.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Machine-readable kind: `missing`, `extra_forbidden`, `float_type`, `finite_number`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Path to the fault: `["body", 3, "alcohol"]`.
    pub loc: Vec<Loc>,
    /// A sentence for a person.
    pub msg: String,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Loc {
    /// Row or element.
    Index(usize),
    /// Field or feature.
    Name(String),
}

impl From<usize> for Loc {
    fn from(index: usize) -> Self {
        Loc::Index(index)
    }
}

impl From<&str> for Loc {
    fn from(name: &str) -> Self {
        Loc::Name(name.to_owned())
    }
}

impl Fault {
    /// A fault of `kind` at `loc`.
    pub fn new(kind: &str, loc: Vec<Loc>, msg: impl Into<String>) -> Self {
        Fault { kind: kind.to_owned(), loc, msg: msg.into() }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, step) in self.loc.iter().enumerate() {
            match step {
                Loc::Index(index) => write!(f, "[{index}]")?,
                Loc::Name(name) if i == 0 => f.write_str(name)?,
                Loc::Name(name) => write!(f, ".{name}")?,
            }
        }
        write!(f, ": {}", self.msg)
    }
}

/// The body of a 422.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// Every fault of the request, not the first alone.
    pub detail: Vec<Fault>,
}
