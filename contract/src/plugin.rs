//! What is linked into a Proxy-Wasm plugin beside the model's code.

use serde::{Deserialize, Serialize};

use crate::{Manifest, Seal};

/// The model's card: the plugin cannot read custom sections, so this lies in its memory as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Identity of the module that was linked in.
    pub module_sha256: String,
    /// Its manifest; offsets are those of the module by itself.
    pub manifest: Manifest,
    /// Its seal: golden rows, profile.
    pub seal: Seal,
    /// Most rows of one request, so that a callback stays within its time.
    pub request_rows_max: usize,
}
