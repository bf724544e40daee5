//! Prints a graph, one line for each node:
//!
//! ```text
//! %0 = input 0 : f32[3] ; alcohol
//! %1 = const [1, 2.5, 3] : f32[3]
//! %2 = sub %0, %1 : f32[3] ; Scaler
//! return %2
//! ```
//!
//! Long constants and large forests are summarised; what is printed in full, [`super::parse`] reads back.

use std::fmt::Write;

use super::eval::Reader;
use super::{Aggregate, Binary, Child, Graph, Mode, Node, Op, Reduce, Scatter, Strided, Trees, Type, Unary};
use crate::math::{Kind, Program, Step, Var};

/// Elements of a constant that are printed; of a longer one, the first few and its length.
const SHOWN: usize = 16;
/// Nodes of a forest that are printed.
const SHOWN_SPLITS: usize = 16;
/// Steps of a program that are printed.
const SHOWN_STEPS: usize = 24;

impl std::fmt::Display for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, node) in self.nodes.iter().enumerate() {
            write!(f, "%{i} = {}", op_name(&node.op))?;
            for (n, id) in node.inputs.iter().enumerate() {
                write!(f, "{} %{}", if n == 0 { "" } else { "," }, id.0)?;
            }
            write!(f, "{} : {}", attributes(self, node), ty_name(node.ty))?;
            if !node.shape.is_empty() {
                write!(f, "{:?}", node.shape)?;
            }
            writeln!(f, "{}{}", if node.name.is_empty() { "" } else { " ; " }, node.name.replace(['\n', '\r'], " "))?;
        }
        let outputs: Vec<String> = self.outputs.iter().map(|id| format!("%{}", id.0)).collect();
        writeln!(f, "return {}", outputs.join(", "))
    }
}

/// The word for a type.
pub fn ty_name(ty: Type) -> &'static str {
    TYPES.iter().find(|(t, _)| *t == ty).map_or("", |(_, name)| name)
}

/// The word for an operator.
pub fn op_name(op: &Op) -> &'static str {
    match op {
        Op::Input(_) => "input",
        Op::Const(_) => "const",
        Op::Unary(op) => UNARY.iter().find(|(u, _)| u == op).map_or("unary", |(_, name)| name),
        Op::Binary(op) => BINARY.iter().find(|(b, _)| b == op).map_or("binary", |(_, name)| name),
        Op::Select => "select",
        Op::Cast => "cast",
        Op::MatMul => "matmul",
        Op::Reduce(op, _) => REDUCE.iter().find(|(r, _)| r == op).map_or("reduce", |(_, name)| name),
        Op::ArgExtreme { .. } => "arg",
        Op::Softmax { .. } => "softmax",
        Op::Gather { .. } => "gather",
        Op::Slice { .. } => "slice",
        Op::Concat { .. } => "concat",
        Op::Reshape => "reshape",
        Op::Transpose { .. } => "transpose",
        Op::Broadcast => "broadcast",
        Op::Pad(_) => "pad",
        Op::Contract(_) => "contract",
        Op::Pool(op, _) => POOL.iter().find(|(r, _)| r == op).map_or("pool", |(_, name)| name),
        Op::Scatter(how) => SCATTER.iter().find(|(s, _)| s == how).map_or("scatter", |(_, name)| name),
        Op::TopK { .. } => "topk",
        Op::Cumulate(how) => {
            if how.product {
                "cumprod"
            } else {
                "cumsum"
            }
        }
        Op::Coupling => "coupling",
        Op::Trees(_) => "trees",
        Op::OneHot { .. } => "onehot",
        Op::Lookup(_) => "lookup",
        Op::Map(_) => "map",
        Op::Dense(_) => "dense",
    }
}

pub(super) const TYPES: [(Type, &str); 11] = [
    (Type::Bool, "bool"),
    (Type::I8, "i8"),
    (Type::U8, "u8"),
    (Type::I16, "i16"),
    (Type::U16, "u16"),
    (Type::I32, "i32"),
    (Type::U32, "u32"),
    (Type::I64, "i64"),
    (Type::U64, "u64"),
    (Type::F32, "f32"),
    (Type::F64, "f64"),
];
pub(super) const UNARY: [(Unary, &str); 32] = [
    (Unary::Abs, "abs"),
    (Unary::Neg, "neg"),
    (Unary::Floor, "floor"),
    (Unary::Ceil, "ceil"),
    (Unary::Round, "round"),
    (Unary::Sqrt, "sqrt"),
    (Unary::Reciprocal, "reciprocal"),
    (Unary::Exp, "exp"),
    (Unary::Log, "log"),
    (Unary::Tanh, "tanh"),
    (Unary::Erf, "erf"),
    (Unary::Sigmoid, "sigmoid"),
    (Unary::Relu, "relu"),
    (Unary::Sign, "sign"),
    (Unary::Sin, "sin"),
    (Unary::Cos, "cos"),
    (Unary::Tan, "tan"),
    (Unary::Asin, "asin"),
    (Unary::Acos, "acos"),
    (Unary::Atan, "atan"),
    (Unary::Sinh, "sinh"),
    (Unary::Cosh, "cosh"),
    (Unary::Asinh, "asinh"),
    (Unary::Acosh, "acosh"),
    (Unary::Atanh, "atanh"),
    (Unary::BitNot, "bitnot"),
    (Unary::Bits, "bits"),
    (Unary::FromBits, "frombits"),
    (Unary::FromHalf, "fromhalf"),
    (Unary::ToHalf, "tohalf"),
    (Unary::IsNan, "isnan"),
    (Unary::Not, "not"),
];
pub(super) const BINARY: [(Binary, &str); 20] = [
    (Binary::Add, "add"),
    (Binary::Sub, "sub"),
    (Binary::Mul, "mul"),
    (Binary::Div, "div"),
    (Binary::Mod, "mod"),
    (Binary::Fmod, "fmod"),
    (Binary::Pow, "pow"),
    (Binary::Min, "min"),
    (Binary::Max, "max"),
    (Binary::Equal, "equal"),
    (Binary::Less, "less"),
    (Binary::LessEqual, "lessequal"),
    (Binary::And, "and"),
    (Binary::Or, "or"),
    (Binary::Xor, "xor"),
    (Binary::BitAnd, "bitand"),
    (Binary::BitOr, "bitor"),
    (Binary::BitXor, "bitxor"),
    (Binary::ShiftLeft, "shl"),
    (Binary::ShiftRight, "shr"),
];
pub(super) const REDUCE: [(Reduce, &str); 5] = [
    (Reduce::Sum, "reducesum"),
    (Reduce::Mean, "reducemean"),
    (Reduce::Max, "reducemax"),
    (Reduce::Min, "reducemin"),
    (Reduce::Prod, "reduceprod"),
];
pub(super) const POOL: [(Reduce, &str); 5] = [
    (Reduce::Sum, "poolsum"),
    (Reduce::Mean, "poolmean"),
    (Reduce::Max, "poolmax"),
    (Reduce::Min, "poolmin"),
    (Reduce::Prod, "poolprod"),
];
pub(super) const SCATTER: [(Scatter, &str); 5] = [
    (Scatter::Replace, "scatter"),
    (Scatter::Add, "scatteradd"),
    (Scatter::Mul, "scattermul"),
    (Scatter::Min, "scattermin"),
    (Scatter::Max, "scattermax"),
];
pub(super) const MODE: [(Mode, &str); 6] = [
    (Mode::LessEqual, "<="),
    (Mode::Less, "<"),
    (Mode::GreaterEqual, ">="),
    (Mode::Greater, ">"),
    (Mode::Equal, "=="),
    (Mode::NotEqual, "!="),
];
pub(super) const AGGREGATE: [(Aggregate, &str); 4] =
    [(Aggregate::Sum, "sum"), (Aggregate::Average, "average"), (Aggregate::Min, "min"), (Aggregate::Max, "max")];

fn attributes(graph: &Graph, node: &Node) -> String {
    let operand = || graph.nodes.get(node.inputs[0].index()).map_or(node.ty, |n| n.ty);
    match &node.op {
        Op::Input(n) => format!(" {n}"),
        Op::Const(bytes) => format!(" {}", list(node.ty, &bytes.0)),
        Op::Reduce(_, axes) => format!(" axes={axes:?}"),
        Op::ArgExtreme { axis, least, last } => {
            format!(
                " axis={axis} {} {}",
                if *least { "least" } else { "greatest" },
                if *last { "last" } else { "first" }
            )
        }
        Op::Softmax { axis } | Op::Gather { axis } | Op::Concat { axis } => format!(" axis={axis}"),
        Op::Slice { axis, start, step } => format!(" axis={axis} start={start} step={step}"),
        Op::Transpose { perm } => format!(" perm={perm:?}"),
        Op::Pad(pad) => {
            let value = number(node.ty.into(), Reader(node.ty, &pad.value.0).get(0));
            format!(" before={:?} between={:?} value={value}", pad.before, pad.between)
        }
        Op::Contract(c) => {
            let mut windows = format!(" inner={:?} left={} right={}", c.inner, strided(&c.left), strided(&c.right));
            if let Some(frame) = &c.frame {
                let value = number(node.ty.into(), Reader(node.ty, &frame.value.0).get(0));
                windows += &format!(" framed={:?} before={:?} value={value}", frame.shape, frame.before);
            }
            if c.program.is_copy() { windows } else { format!("{windows} {{ {} }}", expression(&c.program)) }
        }
        Op::Pool(_, p) => format!(" inner={:?} operand={}", p.inner, strided(&p.operand)),
        Op::TopK { axis, least } => format!(" axis={axis} {}", if *least { "least" } else { "greatest" }),
        Op::Cumulate(how) => {
            let (reverse, exclusive) = (how.reverse, how.exclusive);
            let word = |on: bool, word: &'static str| if on { word } else { "" };
            format!(" axis={}{}{}", how.axis, word(reverse, " reverse"), word(exclusive, " exclusive"))
        }
        Op::Trees(t) => format!(" {}", forest(t)),
        Op::OneHot { categories } => {
            format!(" categories={} {}", ty_name(operand()), list(operand(), &categories.0))
        }
        Op::Lookup(t) => {
            let default = number(node.ty.into(), Reader(node.ty, &t.default.0).get(0));
            let (keys, values) = (list(t.key_type, &t.keys.0), list(node.ty, &t.values.0));
            format!(" {} {keys} {values} {default}", ty_name(t.key_type))
        }
        Op::Map(program) => format!(" {{ {} }}", expression(program)),
        Op::Dense(d) => format!(" k={} n={} panels={} {{ {} }}", d.k, d.n, runs(&d.panels), expression(&d.program)),
        _ => String::new(),
    }
}

/// `5 [4, 1] [1]`: start, outer and inner strides.
fn strided(s: &Strided) -> String {
    format!("{} {:?} {:?}", s.start, s.outer, s.inner)
}

/// `[16 x3, 4, 2]`
fn runs(widths: &[usize]) -> String {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for w in widths {
        match parts.last_mut() {
            Some((width, count)) if width == w => *count += 1,
            _ => parts.push((*w, 1)),
        }
    }
    let parts: Vec<String> =
        parts.iter().map(|(w, n)| if *n == 1 { w.to_string() } else { format!("{w} x{n}") }).collect();
    format!("[{}]", parts.join(", "))
}

fn list(ty: Type, bytes: &[u8]) -> String {
    let data = Reader(ty, bytes);
    let shown = if data.len() <= SHOWN { data.len() } else { 4 };
    let mut words: Vec<String> = (0..shown).map(|i| number(ty.into(), data.get(i))).collect();
    if shown < data.len() {
        words.push(format!("… {} in all", data.len()));
    }
    format!("[{}]", words.join(", "))
}

fn number(kind: Kind, bits: u64) -> String {
    match kind {
        Kind::F32 => f32::from_bits(bits as u32).to_string(),
        Kind::F64 => f64::from_bits(bits).to_string(),
        Kind::I32 => (bits as u32 as i32).to_string(),
        Kind::I64 => (bits as i64).to_string(),
    }
}

fn forest(t: &Trees) -> String {
    let aggregate = AGGREGATE.iter().find(|(a, _)| *a == t.aggregate).map_or("", |(_, name)| name);
    let mut text = format!("{aggregate} features={} targets={}", t.features, t.targets);
    if !t.base.is_empty() {
        let _ = write!(text, " base={:?}", t.base);
    }
    if t.nodes.len() > SHOWN_SPLITS || t.leaves.iter().map(Vec::len).sum::<usize>() > 2 * SHOWN_SPLITS {
        let (trees, nodes, leaves) = (t.roots.len(), t.nodes.len(), t.leaves.len());
        let _ = write!(text, " {{ {trees} trees, {nodes} comparisons, {leaves} leaves }}");
        return text;
    }
    let trees: Vec<String> = t.roots.iter().map(|root| branch(t, *root)).collect();
    let _ = write!(text, " {{ {} }}", trees.join(", "));
    text
}

fn branch(t: &Trees, at: Child) -> String {
    match at {
        Child::Leaf(leaf) => {
            let weights: Vec<String> =
                t.leaves[leaf as usize].iter().map(|w| format!("{}: {}", w.target, w.value)).collect();
            format!("[{}]", weights.join(", "))
        }
        Child::Node(n) => {
            let s = &t.nodes[n as usize];
            let mode = MODE.iter().find(|(m, _)| *m == s.mode).map_or("", |(_, name)| name);
            let nan = if s.missing_yes { " nan" } else { "" };
            let (yes, no) = (branch(t, s.yes), branch(t, s.no));
            format!("(x{} {mode} {}{nan} ? {yes} : {no})", s.feature, s.threshold)
        }
    }
}

/// A program as an expression; values used twice get a name first.
pub fn expression(program: &Program) -> String {
    if program.steps.len() > SHOWN_STEPS {
        return format!("{} steps", program.steps.len());
    }
    let mut uses = vec![0; program.steps.len()];
    program.steps.iter().flat_map(|s| s.operands()).for_each(|v| uses[v.index()] += 1);
    let mut words: Vec<String> = Vec::new();
    let mut text = String::new();
    for (i, step) in program.steps.iter().enumerate() {
        let at = |v: Var| words[v.index()].clone();
        let word = match *step {
            Step::Param(n, _) => {
                char::from_u32('a' as u32 + n).filter(|_| n < 26).map_or(format!("p{n}"), String::from)
            }
            Step::Const(kind, bits) => number(kind, bits),
            Step::Un(op, a) => format!("{}({})", format!("{op:?}").to_lowercase(), at(a)),
            Step::Bin(op, a, b) => format!("{}({}, {})", format!("{op:?}").to_lowercase(), at(a), at(b)),
            Step::Select { cond, yes, no } => format!("select({}, {}, {})", at(cond), at(yes), at(no)),
        };
        if uses[i] > 1 && !matches!(step, Step::Param(..) | Step::Const(..)) {
            let _ = write!(text, "t{i} = {word}; ");
            words.push(format!("t{i}"));
        } else {
            words.push(word);
        }
    }
    text + &words[program.result.index()]
}
