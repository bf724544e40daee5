//! What a model module says of itself: signature, memory, cost, golden rows.
//!
//! A module carries up to five custom sections, in this order: [`MANIFEST`] and [`GRAPH`] from the
//! compiler, then [`SEAL`] and [`IDENTITY`] from whoever ran it first, then [`SIGNATURE`]. Its
//! identity is the sha256 of every byte before the identity section (of all bytes, unsealed).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Date, Profile, hex};

/// Custom section with [`Manifest`] as JSON.
pub const MANIFEST: &str = "beira.manifest";
/// Custom section with the compiled graph as text, for `beira inspect`; no host reads it.
pub const GRAPH: &str = "beira.graph";
/// Custom section with [`Seal`] as JSON.
pub const SEAL: &str = "beira.seal";
/// Custom section with the module's identity as 64 hex digits: the sha256 of every byte before this
/// section. Hosts that are handed a compiled module and never see its bytes (a Cloudflare Worker)
/// read it; hosts that see the bytes check it, which finds every damaged file.
pub const IDENTITY: &str = "beira.identity";
/// Custom section with an Ed25519 signature over all bytes before it.
pub const SIGNATURE: &str = "beira.signature";
/// Version of the manifest and of the module's ABI that this code reads and writes.
pub const VERSION: u32 = 1;

/// Id of a string that the training data did not hold.
pub const UNSEEN: i32 = -1;
/// Id of a missing string.
pub const MISSING: i32 = -2;

/// The compiler's part: everything a host needs to feed the module and read its answer.
///
/// ABI: the module exports `memory` and `run(rows: i32) -> i32` (0, or an error code). Before the
/// call each input's region (`offset`, row-major, little-endian) holds `rows` rows; after it each
/// output's region does. `1 <= rows <= rows_max`; hosts split larger batches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Always [`VERSION`].
    pub version: u32,
    /// Compiler and its version, `beira 0.1.0`.
    pub compiler: String,
    /// sha256 (hex) of the ONNX file.
    pub onnx_sha256: String,
    /// Operator sets of the ONNX file, domain to version (`""` is `ai.onnx`).
    pub opset: BTreeMap<String, i64>,
    /// Most rows one call of `run` takes; 1 for a model whose rows depend on each other.
    pub rows_max: u32,
    /// Inputs in the order of the ONNX file.
    pub inputs: Vec<TensorSpec>,
    /// Outputs in the order of the ONNX file.
    pub outputs: Vec<TensorSpec>,
    /// What a prediction costs.
    pub cost: Cost,
    /// True when results may differ between engines (`--relaxed-simd`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub relaxed: bool,
}

/// One input or output of the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TensorSpec {
    /// Name in the ONNX file.
    pub name: String,
    /// Element type as the Open Inference Protocol spells it.
    pub datatype: Datatype,
    /// Shape; -1 marks the rows axis, always first where there is one.
    pub shape: Vec<i64>,
    /// Byte offset of the region in the module's memory.
    pub offset: u32,
    /// Strings by id, for `BYTES`: the module holds i32 ids, see [`UNSEEN`] and [`MISSING`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strings: Option<Vec<String>>,
    /// Names of the elements of a row: features of a foreign `[N, k]` input, class labels of a
    /// probability output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// How the input's dates are written in JSON; the module is fed the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
}

impl TensorSpec {
    /// Elements in one row: the product of the shape without the rows axis.
    pub fn row_elements(&self) -> usize {
        self.shape.iter().filter(|d| **d >= 0).map(|d| *d as usize).product()
    }

    /// Bytes of one row in the module's memory.
    pub fn row_bytes(&self) -> usize {
        self.row_elements() * self.datatype.bytes()
    }

    /// Names of the elements of a row, as a person gives them: the tensor's own name when a row
    /// has one element, else `columns`, else `name[i]`.
    pub fn element_names(&self) -> Vec<String> {
        match (&self.columns, self.row_elements()) {
            (Some(columns), _) => columns.clone(),
            (None, 1) => vec![self.name.clone()],
            (None, n) => (0..n).map(|i| format!("{}[{i}]", self.name)).collect(),
        }
    }
}

/// Element types, spelled as in the Open Inference Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum Datatype {
    Bool,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Int8,
    Int16,
    Int32,
    Int64,
    Fp16,
    Fp32,
    Fp64,
    Bytes,
}

impl Datatype {
    /// Bytes of one element in the module's memory (a string is an i32 id).
    pub fn bytes(self) -> usize {
        use Datatype::*;
        match self {
            Bool | Uint8 | Int8 => 1,
            Uint16 | Int16 | Fp16 => 2,
            Uint32 | Int32 | Fp32 | Bytes => 4,
            Uint64 | Int64 | Fp64 => 8,
        }
    }

    /// The name on the wire, `FP32`.
    pub fn name(self) -> &'static str {
        use Datatype::*;
        match self {
            Bool => "BOOL",
            Uint8 => "UINT8",
            Uint16 => "UINT16",
            Uint32 => "UINT32",
            Uint64 => "UINT64",
            Int8 => "INT8",
            Int16 => "INT16",
            Int32 => "INT32",
            Int64 => "INT64",
            Fp16 => "FP16",
            Fp32 => "FP32",
            Fp64 => "FP64",
            Bytes => "BYTES",
        }
    }

    /// True for the floating-point types, which alone have a value for "missing" (NaN).
    pub fn is_float(self) -> bool {
        matches!(self, Datatype::Fp16 | Datatype::Fp32 | Datatype::Fp64)
    }
}

impl std::fmt::Display for Datatype {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Static cost of a module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Floating-point operations for one row; a comparison of a tree counts as one.
    pub flops_per_row: u64,
    /// Linear memory in bytes.
    pub memory_bytes: u64,
    /// Bytes of the code section.
    pub code_bytes: u64,
    /// Bytes of the data segments (weights).
    pub data_bytes: u64,
}

/// What is added once the module has run: proof of its answers, and what its training data was like.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seal {
    /// Rows with their exact answers; a host runs them before its first prediction.
    pub golden: Golden,
    /// The training data in counts, for monitoring; absent for a model that came without data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
}

/// A few rows and the exact bits that must come out. A region is `rows` rows of one tensor,
/// as it lies in memory, in lower-case hex. An input's region that is shorter repeats until the rows are full: a picture
/// need not be kept whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Golden {
    /// Number of rows.
    pub rows: u32,
    /// One region for each input.
    pub inputs: Vec<String>,
    /// One region for each output.
    pub outputs: Vec<String>,
}

impl Golden {
    /// The inputs' regions, whole; `None` where one is not hex, or empty though its rows are not.
    pub fn inputs(&self, manifest: &Manifest) -> Option<Vec<Vec<u8>>> {
        let whole = |(text, spec): (&String, &TensorSpec)| {
            let (part, bytes) = (hex::decode(text)?, self.rows as usize * spec.row_bytes());
            (!part.is_empty() || bytes == 0).then(|| part.iter().copied().cycle().take(bytes).collect())
        };
        self.inputs.iter().zip(&manifest.inputs).map(whole).collect()
    }

    /// The outputs' regions; `None` where one is not hex.
    pub fn outputs(&self) -> Option<Vec<Vec<u8>>> {
        self.outputs.iter().map(|text| hex::decode(text)).collect()
    }
}
