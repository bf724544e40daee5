//! What the compiler takes and gives: options, the signature, the compiled module.

use std::collections::BTreeMap;

use contract::{Manifest, TensorSpec};

/// How to compile. `Options::default()` is what one wants without a reason to differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Names of the elements of a row, by input name: the features of a foreign `[N, k]` input.
    /// They end up in the manifest, so that a host can take named features.
    pub columns: BTreeMap<String, Vec<String>>,
    /// Shapes of inputs, by name: fixes dimensions that the file leaves free. `None` leaves the first one free still.
    pub shapes: BTreeMap<String, Vec<Option<usize>>>,
    /// Fixes the first dimension of every input that leaves it free.
    pub batch: Option<usize>,
    /// Most rows that one call of the module takes; the planner chooses when absent.
    pub rows_max: Option<u32>,
    /// Use the 128-bit vectors of WebAssembly (`simd128`). The answers have the same bits either way.
    pub simd: bool,
    /// Let engines fuse products and sums (relaxed SIMD): faster where the machine has it, but the last bits may differ
    /// from engine to engine, and the manifest says so. Asks for `simd`.
    pub relaxed: bool,
    /// Give each operator a function of its own and export it as `step.0`, `step.1`, …, so that a host can time them.
    pub apart: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            columns: BTreeMap::new(),
            shapes: BTreeMap::new(),
            batch: None,
            rows_max: None,
            simd: true,
            relaxed: false,
            apart: false,
        }
    }
}

/// A compiled model.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// The module, unsealed: with the sections `beira.manifest` and `beira.graph`.
    pub wasm: Vec<u8>,
    /// What the module says of itself; the same as in its section.
    pub manifest: Manifest,
    /// The compiled graph as text.
    pub graph: String,
    /// What the module does for a row, operator by operator.
    pub steps: Vec<Step>,
}

/// One operator of a compiled model that made code.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The compiled graph's operator: `contract`, `dense`, `trees`, …
    pub operator: &'static str,
    /// Name of the ONNX node that it comes from; may be empty.
    pub node: String,
    /// Shape of the result of one row.
    pub shape: Vec<usize>,
    /// Floating-point operations for one row.
    pub flops: u64,
    /// Bytes of constants that no earlier step reads.
    pub data_bytes: u64,
    /// Bytes of instructions.
    pub code_bytes: u64,
}

/// What the front knows of the model's outside, for the manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// Inputs in the order of the ONNX file. Offsets are 0: the planner fills them.
    pub inputs: Vec<TensorSpec>,
    /// Outputs in the order of the ONNX file. Offsets are 0: the planner fills them.
    pub outputs: Vec<TensorSpec>,
    /// True when every operator treats rows alone: the rows axis is stripped from the graph and
    /// the module loops over rows. False: the graph computes the whole input, one "row" a call.
    pub row_wise: bool,
    /// sha256 (hex) of the ONNX file.
    pub onnx_sha256: String,
    /// Operator sets of the ONNX file, domain to version (`""` is `ai.onnx`).
    pub opset: BTreeMap<String, i64>,
}
