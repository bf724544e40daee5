//! The compiler's own graph: small, static, printable.
//!
//! A graph is a pure function of **one row**. In a row-wise model the rows axis is stripped from
//! every shape and the module loops over rows; in any other model the "row" is the whole input.
//! Every shape is static, every node has one result, and nodes stand in an order in which each
//! one's inputs come before it.

pub mod build;
pub mod eval;
pub(crate) mod eval_coupling;
pub(crate) mod eval_trees;
pub(crate) mod eval_windows;
pub mod parse;
pub mod text;
pub mod verify;

use std::sync::Arc;

use crate::math::Program;

/// A node, and the value it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u32);

impl Id {
    /// Position in [`Graph::nodes`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The function of one row.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Nodes in evaluation order.
    pub nodes: Vec<Node>,
    /// Inputs in the order of the signature; each is an [`Op::Input`] node.
    pub inputs: Vec<Id>,
    /// Outputs in the order of the signature.
    pub outputs: Vec<Id>,
}

/// One operation and its result.
#[derive(Clone, Debug)]
pub struct Node {
    /// What is computed.
    pub op: Op,
    /// Operands.
    pub inputs: Vec<Id>,
    /// Shape of the result, rows axis stripped; `[]` is one number.
    pub shape: Vec<usize>,
    /// Element type of the result.
    pub ty: Type,
    /// Name of the ONNX node it comes from, for errors and the text form; may be empty.
    pub name: String,
}

impl Node {
    /// Number of elements of the result.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// True for a result without elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Element types. A string is the `I32` id of a vocabulary that the signature holds. Programs compute with narrow integers as
/// I32 and with U32 as I64, and wrap after each operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Type {
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
}

impl Type {
    /// Bytes of one element in memory; a boolean is one byte, 0 or 1.
    pub fn bytes(self) -> usize {
        match self {
            Type::Bool | Type::I8 | Type::U8 => 1,
            Type::I16 | Type::U16 => 2,
            Type::I32 | Type::U32 | Type::F32 => 4,
            Type::I64 | Type::U64 | Type::F64 => 8,
        }
    }

    /// True for F32 and F64.
    pub fn is_float(self) -> bool {
        matches!(self, Type::F32 | Type::F64)
    }

    /// The bits that a program sees for an element's bytes, zeros above them: narrow integers are widened.
    pub fn widen(self, bits: u64) -> u64 {
        match self {
            Type::I8 => u64::from(bits as u8 as i8 as i32 as u32),
            Type::I16 => u64::from(bits as u16 as i16 as i32 as u32),
            _ => bits,
        }
    }

    /// The least and the greatest number, as the bits that a program sees.
    pub fn range(self) -> (u64, u64) {
        let signed = |bits: u32| (self.widen(1 << (bits - 1)), (1 << (bits - 1)) - 1);
        match self {
            Type::Bool => (0, 1),
            Type::U8 => (0, 0xff),
            Type::U16 => (0, 0xffff),
            Type::U32 => (0, 0xffff_ffff),
            Type::U64 => (0, u64::MAX),
            Type::I8 => signed(8),
            Type::I16 => signed(16),
            Type::I32 => signed(32),
            Type::I64 => signed(64),
            Type::F32 => (u64::from(f32::NEG_INFINITY.to_bits()), u64::from(f32::INFINITY.to_bits())),
            Type::F64 => (f64::NEG_INFINITY.to_bits(), f64::INFINITY.to_bits()),
        }
    }

    /// The bytes of the number `x`.
    pub fn number(self, x: f64) -> Vec<u8> {
        match self {
            Type::Bool => vec![u8::from(x != 0.0)],
            Type::I8 => (x as i8).to_le_bytes().to_vec(),
            Type::U8 => (x as u8).to_le_bytes().to_vec(),
            Type::I16 => (x as i16).to_le_bytes().to_vec(),
            Type::U16 => (x as u16).to_le_bytes().to_vec(),
            Type::I32 => (x as i32).to_le_bytes().to_vec(),
            Type::U32 => (x as u32).to_le_bytes().to_vec(),
            Type::U64 => (x as u64).to_le_bytes().to_vec(),
            Type::I64 => (x as i64).to_le_bytes().to_vec(),
            Type::F32 => (x as f32).to_le_bytes().to_vec(),
            Type::F64 => x.to_le_bytes().to_vec(),
        }
    }
}

/// A constant: row-major, little-endian bytes. Shape and type are the node's.
#[derive(Clone, PartialEq, Eq)]
pub struct Bytes(pub Arc<[u8]>);

/// What a node computes. Shapes in the comments leave the rows axis out.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // fields are named by the comments
pub enum Op {
    /// Input `n` of the signature.
    Input(usize),
    /// A constant.
    Const(Bytes),
    /// One operand, element by element; the type stays (but for the tests, which give Bool, and the
    /// numbers of 16 bits).
    Unary(Unary),
    /// Two operands of one type, broadcast as numpy does.
    Binary(Binary),
    /// `condition ? a : b`, broadcast as numpy does.
    Select,
    /// To the node's type. Floats go to integers toward zero, saturating, NaN to 0; I64 to I32 keeps the low bits;
    /// to Bool: `!= 0`.
    Cast,
    /// `[.., m, k] · [.., k, n]`, numpy's rules for batch axes; each sum runs over ascending k.
    MatMul,
    /// Over `axes`, which stay in the shape with size 1.
    Reduce(Reduce, Vec<usize>),
    /// I64 position of the greatest (or least) along `axis`, which stays with size 1. The first
    /// one wins, or the last when `last`.
    ArgExtreme { axis: usize, least: bool, last: bool },
    /// Along `axis`, the maximum subtracted first.
    Softmax { axis: usize },
    /// `data[.., index, ..]` along `axis`: inputs are data and I64 (or I32) indices; negative ones count from the end.
    Gather { axis: usize },
    /// `start, start+step, …` along `axis`; the node's shape says how many.
    Slice { axis: usize, start: usize, step: isize },
    /// Along `axis`.
    Concat { axis: usize },
    /// The same elements in the same order under the node's shape.
    Reshape,
    /// Axis `i` of the result is axis `perm[i]` of the operand.
    Transpose { perm: Vec<usize> },
    /// To the node's shape as numpy broadcasts.
    Broadcast,
    /// The operand with `value` around and between its elements: along axis `d` its element `i` comes to stand at
    /// `before[d] + i (between[d] + 1)`.
    Pad(Box<Pad>),
    /// Sums of products over windows of two operands: convolutions of every kind.
    Contract(Arc<Contract>),
    /// A reduction over windows of one operand: pooling.
    Pool(Reduce, Arc<Pool>),
    /// The first operand, with slices written into it: inputs are data, I64 positions `[n]` and slices. The data are
    /// taken as `[count, slice]`; slice `i` goes to position `positions[i]` (negative ones count from the end, one out of
    /// range to the nearest end) in ascending order of `i`.
    Scatter(Scatter),
    /// I64 positions of the `k` greatest (or least) along `axis`, best first, the lower position first among equals;
    /// NaN counts as the greatest. `k` is the node's size there.
    TopK { axis: usize, least: bool },
    /// Running sums (or products) along `axis`.
    Cumulate(Cumulate),
    /// Probabilities of `k` classes from those of their pairs: `[k, k]` to `[2, k]`, see [`eval_coupling::couple`].
    Coupling,
    /// Sums of leaves: `[.., features]` to `[.., targets]`.
    Trees(Arc<Trees>),
    /// One number `x` to `[.., categories.len()]`, 1 where `x` equals the category, else 0 (F32).
    /// The operand is I32, I64 or F32 of shape `[..]`; the categories are of its type.
    OneHot { categories: Bytes },
    /// A table of pairs: the operand's elements are looked up among `keys`, the result has the node's type.
    Lookup(Arc<Lookup>),
    /// Operands broadcast to the node's shape, one program for each element. Passes make it of
    /// `Unary`, `Binary`, `Select` and `Cast` and fuse chains into one.
    Map(Arc<Program>),
    /// [`Op::MatMul`] of f32 with weights packed for the emitter, and a program on each sum. Made by a pass.
    Dense(Arc<Dense>),
}

/// `[.., m, k]` times constant `[k, n]`: each result is `program(sum, more operands)`.
///
/// Inputs: the left operand, the packed weights, then what the program takes beside the sum,
/// broadcast to the node's shape. The columns stand in panels, each row-major `[k, width]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Length of each sum.
    pub k: usize,
    /// Columns.
    pub n: usize,
    /// Width of each panel; they add up to `n`.
    pub panels: Vec<usize>,
    /// Parameter 0 is the sum.
    pub program: Arc<Program>,
}

/// See [`Op::Pad`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Pad {
    pub before: Vec<usize>,
    pub between: Vec<usize>,
    /// One element of the node's type.
    pub value: Bytes,
}

/// How an operand is walked through: element `start + Σ outer[d] i[d] + Σ inner[d] j[d]` for the result's index `i`
/// and the window's index `j`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Strided {
    pub start: usize,
    pub outer: Vec<usize>,
    pub inner: Vec<usize>,
}

/// Each result is `program(sum, more operands)` of the sum of `left · right` over the window, in row-major order of
/// `inner`. Inputs: left, right, then what the program takes beside the sum, broadcast to the node's shape.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Contract {
    /// Extents of the window.
    pub inner: Vec<usize>,
    pub left: Strided,
    pub right: Strided,
    /// Parameter 0 is the sum; the front leaves it as it is.
    pub program: Arc<Program>,
    /// What the results are put into; the front puts them into nothing. Made by a pass.
    pub frame: Option<Frame>,
}

impl Contract {
    /// Shape of the results of a node of this shape, the frame left out.
    pub fn results<'a>(&'a self, node: &'a Node) -> &'a [usize] {
        self.frame.as_ref().map_or(&node.shape, |frame| &frame.shape)
    }
}

/// `value` around the results, whose first one comes to stand at `before`. The node's shape is that of the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Frame {
    pub shape: Vec<usize>,
    pub before: Vec<usize>,
    /// One element of the node's type.
    pub value: Bytes,
}

/// Each result reduces the window, in row-major order of `inner`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Pool {
    /// Extents of the window.
    pub inner: Vec<usize>,
    pub operand: Strided,
}

/// What becomes of an element that is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Scatter {
    Replace,
    Add,
    Mul,
    Min,
    Max,
}

/// See [`Op::Cumulate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub struct Cumulate {
    pub axis: usize,
    /// Products instead of sums.
    pub product: bool,
    /// From the end.
    pub reverse: bool,
    /// Without the element itself.
    pub exclusive: bool,
}

/// Functions of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Unary {
    Abs,
    Neg,
    Floor,
    Ceil,
    /// To the nearest, ties to even.
    Round,
    Sqrt,
    Reciprocal,
    Exp,
    Log,
    Tanh,
    Erf,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `max(x, 0)`, NaN stays.
    Relu,
    /// -1, 0 or 1; NaN stays.
    Sign,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Asinh,
    Acosh,
    Atanh,
    IsNan,
    Not,
    /// Of integers.
    BitNot,
    /// The F32 of a number of 16 bits (FLOAT16), which is held as U16.
    FromHalf,
    /// The nearest number of 16 bits.
    ToHalf,
    /// The bits of a float as a signed integer of its size.
    Bits,
    /// The float that has the bits of a signed integer.
    FromBits,
}

/// Functions of two numbers of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    /// Integers: toward zero.
    Div,
    /// The sign of the divisor (ONNX `Mod` with `fmod = 0`).
    Mod,
    /// The sign of the dividend (ONNX `Mod` with `fmod = 1`).
    Fmod,
    Pow,
    /// NaN if either is.
    Min,
    /// NaN if either is.
    Max,
    /// Comparisons give Bool.
    Equal,
    Less,
    LessEqual,
    /// On Bool.
    And,
    Or,
    Xor,
    /// On integers; shifts by 0 up to the type's bits.
    BitAnd,
    BitOr,
    BitXor,
    ShiftLeft,
    ShiftRight,
}

/// Ways to reduce; sums and products run over ascending positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Reduce {
    Sum,
    Mean,
    Max,
    Min,
    Prod,
}

/// A forest. Trees are evaluated in order; a target's value is `base[target]` plus its leaves'
/// weights, added in the order of the trees (ONNX `SUM`), or the aggregate named.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trees {
    /// Length of a row of features.
    pub features: usize,
    /// Length of the result.
    pub targets: usize,
    /// Entry node of each tree.
    pub roots: Vec<Child>,
    /// Inner nodes of all trees.
    pub nodes: Vec<Split>,
    /// Leaves of all trees; each has one weight or more.
    pub leaves: Vec<Vec<Weight>>,
    /// Added at the end; empty, or one for each target.
    pub base: Vec<f64>,
    /// How leaves are brought together.
    pub aggregate: Aggregate,
    /// True when thresholds, leaves and the result are f64 (the operand then is F64 too).
    pub double: bool,
}

/// ONNX `aggregate_function`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Aggregate {
    #[default]
    Sum,
    Average,
    Min,
    Max,
}

/// Where a branch leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Child {
    /// Index into [`Trees::nodes`].
    Node(u32),
    /// Index into [`Trees::leaves`].
    Leaf(u32),
}

/// An inner node: `x[feature] mode threshold ? yes : no`. A NaN goes to `yes` when `missing_yes`, else to `no`
/// (a comparison with NaN is false; `NotEqual` alone is true of it).
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Split {
    pub feature: u32,
    pub mode: Mode,
    pub threshold: f64,
    pub missing_yes: bool,
    pub yes: Child,
    pub no: Child,
}

/// ONNX `nodes_modes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Mode {
    LessEqual,
    Less,
    GreaterEqual,
    Greater,
    Equal,
    NotEqual,
}

/// What a leaf adds to a target.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Weight {
    pub target: u32,
    pub value: f64,
}

/// A table of pairs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// Type of the keys: the operand's. A NaN key matches NaN.
    pub key_type: Type,
    /// Distinct keys, row-major bytes.
    pub keys: Bytes,
    /// As many values of the node's type.
    pub values: Bytes,
    /// Result for anything else, one element of the node's type.
    pub default: Bytes,
}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}
