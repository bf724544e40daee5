//! The compiler's own graph: small, static, printable.
//!
//! A graph is a pure function of **one row**. In a row-wise model the rows axis is stripped from
//! every shape and the module loops over rows; in any other model the "row" is the whole input.
//! Every shape is static, every node has one result, and nodes stand in an order in which each
//! one's inputs come before it.

pub mod build;
pub mod eval;
pub(crate) mod eval_trees;
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

/// Element types. A string is the `I32` id of a vocabulary that the signature holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Type {
    Bool,
    I32,
    I64,
    F32,
    F64,
}

impl Type {
    /// Bytes of one element in memory; a boolean is one byte, 0 or 1.
    pub fn bytes(self) -> usize {
        match self {
            Type::Bool => 1,
            Type::I32 | Type::F32 => 4,
            Type::I64 | Type::F64 => 8,
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
    /// One operand, element by element; the type stays (but [`Unary::IsNan`], [`Unary::Not`] give Bool).
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
    /// Sums of leaves: `[features]` to `[targets]`.
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
    IsNan,
    Not,
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
