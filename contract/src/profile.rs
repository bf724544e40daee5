//! What the training data was like: edges fixed once, and reference counts on them.

use serde::{Deserialize, Serialize};

/// Reference counts per feature and for the score. The edges are part of the module, so every
/// host counts on the same ones and a merge is exact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// sha256 (hex) over names, edges and categories; counters of different edges are never merged.
    pub edges_sha256: String,
    /// Rows the reference counts come from.
    pub rows: u64,
    /// One entry for each element of an input row, in the manifest's order.
    pub features: Vec<Reference>,
    /// The score: probability of the positive class, greatest class probability, or the predicted number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
}

/// One feature of the training data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// Feature name: the CSV's header.
    pub name: String,
    /// How values fall into bins.
    pub bins: Bins,
    /// Rows in each bin; `bins.len()` of them.
    pub counts: Vec<u64>,
    /// Rows without a value.
    #[serde(default)]
    pub missing: u64,
}

/// How values fall into bins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bins {
    /// Ascending finite edges `e`. Bin 0 is `v < e[0]`, bin `i` is `e[i-1] <= v < e[i]`, the last is `v >= e[last]`.
    Edges(Vec<f64>),
    /// One bin for each category, in the order of the input's string ids (or of these numbers, as text).
    Categories(Vec<String>),
}

impl Bins {
    /// Number of bins.
    pub fn len(&self) -> usize {
        match self {
            Bins::Edges(edges) => edges.len() + 1,
            Bins::Categories(categories) => categories.len(),
        }
    }

    /// True when nothing can be counted.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Where the score is read and how it was distributed on held-out rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Name of the output that holds it.
    pub output: String,
    /// Which element of the output's row; absent: the greatest of the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element: Option<usize>,
    /// Bins of the score; the decision threshold is one of the edges.
    pub bins: Bins,
    /// Held-out rows in each bin.
    pub counts: Vec<u64>,
    /// How good the answers were on those rows; absent for a model that came without data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out: Option<HeldOut>,
}

/// How good the answers were on the held-out rows: what performance in production is compared with.
/// Not part of the edges' identity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldOut {
    /// Of the rows in each bin of the score: those of the positive class where the score is one
    /// element of a pair of classes, else those whose greatest class is the right one.
    Hits(Vec<u64>),
    /// Errors of a predicted number.
    Errors {
        /// Mean absolute error.
        mae: f64,
        /// Root of the mean squared error.
        rmse: f64,
    },
}
