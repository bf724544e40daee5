//! The slow, obvious truth: evaluates a graph natively, every reduction in the order in which the
//! emitted code runs it, so that both give the same bits. Folds constants, too.

use super::build::{broadcast_strides, strides};
use super::eval_windows;
use super::{Bytes, Dense, Graph, Id, Lookup, Node, Op, Reduce, Type};
use crate::Error;
use crate::math::{Bin, Kind, Program, element, run};

/// A tensor as it lies in memory: row-major, little-endian.
pub type Tensor = Vec<u8>;

/// The outputs for one row of inputs.
pub fn eval(graph: &Graph, inputs: &[Tensor]) -> Result<Vec<Tensor>, Error> {
    let mut values: Vec<Tensor> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let value = match &node.op {
            Op::Input(n) => {
                let given = inputs.get(*n).ok_or_else(|| Error::Bug(format!("input {n} is not given")))?;
                if given.len() != node.len() * node.ty.bytes() {
                    return Err(Error::Bug(format!("input {n} has {} bytes", given.len())));
                }
                given.clone()
            }
            _ => {
                let operands: Vec<&Tensor> = node.inputs.iter().map(|id| &values[id.index()]).collect();
                node_value(graph, node, &operands)?
            }
        };
        values.push(value);
    }
    Ok(graph.outputs.iter().map(|id| values[id.index()].clone()).collect())
}

/// The value of one node for the values of its operands.
pub fn node_value(graph: &Graph, node: &Node, operands: &[&Tensor]) -> Result<Tensor, Error> {
    let shape = |n: usize| &graph.node(node.inputs[n]).shape[..];
    let ty = |n: usize| graph.node(node.inputs[n]).ty;
    let undefined = || Error::Bug(format!("{:?} is not defined for its type", node.op));
    Ok(match &node.op {
        Op::Input(_) => return Err(undefined()),
        Op::Const(Bytes(bytes)) => bytes.to_vec(),
        Op::Unary(op) => map(graph, node, &element::unary(*op, ty(0)).ok_or_else(undefined)?, operands),
        Op::Binary(op) => map(graph, node, &element::binary(*op, ty(0)).ok_or_else(undefined)?, operands),
        Op::Select => map(graph, node, &element::select(node.ty), operands),
        Op::Cast => map(graph, node, &element::cast(ty(0), node.ty), operands),
        Op::Map(program) => map(graph, node, program, operands),
        Op::MatMul => matmul(node, shape(0), shape(1), operands),
        Op::Dense(dense) => dense_value(graph, node, dense, operands),
        Op::Reduce(op, axes) => reduce(node, *op, axes, shape(0), operands[0]),
        Op::ArgExtreme { axis, least, last } => arg_extreme(ty(0), shape(0), *axis, *least, *last, operands[0]),
        Op::Softmax { axis } => softmax(node, *axis, operands[0]),
        Op::Gather { axis } => {
            let indices = Reader(ty(1), operands[1]);
            let dim = shape(0)[*axis] as i64;
            let inner: usize = shape(0)[*axis + 1..].iter().product();
            let outer: usize = shape(0)[..*axis].iter().product();
            let count = indices.len();
            fill(
                node,
                |i| {
                    let (o, rest) = (i / (count * inner), i % (count * inner));
                    let index = wrap(indices.signed(rest / inner), dim);
                    debug_assert!(o < outer.max(1));
                    (0, (o * dim as usize + index) * inner + rest % inner)
                },
                operands,
            )
        }
        Op::Slice { axis, start, step } => {
            let from = strides(shape(0));
            walk(node, operands, |index| {
                index
                    .iter()
                    .enumerate()
                    .map(|(d, i)| {
                        let i = if d == *axis { (*start as isize + *i as isize * step) as usize } else { *i };
                        i * from[d]
                    })
                    .sum()
            })
        }
        Op::Transpose { perm } => {
            let from = strides(shape(0));
            walk(node, operands, |index| index.iter().zip(perm).map(|(i, p)| i * from[*p]).sum())
        }
        Op::Broadcast => {
            let from = broadcast_strides(shape(0), &node.shape);
            walk(node, operands, |index| index.iter().zip(&from).map(|(i, s)| i * s).sum())
        }
        Op::Concat { axis } => {
            let inner: usize = node.shape[*axis + 1..].iter().product();
            let outer: usize = node.shape[..*axis].iter().product();
            let mut result = Vec::new();
            for o in 0..outer {
                for (n, part) in operands.iter().enumerate() {
                    let bytes = shape(n)[*axis] * inner * node.ty.bytes();
                    result.extend_from_slice(&part[o * bytes..(o + 1) * bytes]);
                }
            }
            result
        }
        Op::Reshape => operands[0].clone(),
        Op::Pad(pad) => eval_windows::pad(node, pad, shape(0), operands[0]),
        Op::Contract(contract) => eval_windows::contract(graph, node, contract, operands),
        Op::Pool(op, pool) => eval_windows::pool(node, *op, pool, operands[0]),
        Op::Scatter(how) => eval_windows::scatter(node, *how, operands),
        Op::TopK { axis, least } => eval_windows::top_k(ty(0), shape(0), *axis, node.shape[*axis], *least, operands[0]),
        Op::Cumulate(how) => eval_windows::cumulate(node, *how, operands[0]),
        Op::Coupling => {
            let q = Reader(Type::F32, operands[0]);
            let numbers: Vec<f32> = (0..q.len()).map(|i| f32::from_bits(q.get(i) as u32)).collect();
            let mut out = Writer::new(Type::F32);
            let both = super::eval_coupling::couple(&numbers, node.shape[1]);
            both.into_iter().for_each(|number| out.push(u64::from(number.to_bits())));
            out.1
        }
        Op::Trees(trees) => {
            let width = trees.features * node.ty.bytes();
            let row = |row: usize| super::eval_trees::value(trees, &operands[0][row * width..][..width]);
            (0..node.len() / trees.targets.max(1)).flat_map(row).collect()
        }
        Op::OneHot { categories } => {
            let (x, c) = (Reader(ty(0), operands[0]), Reader(ty(0), &categories.0));
            let mut out = Writer::new(Type::F32);
            for i in 0..x.len() {
                for j in 0..c.len() {
                    let same = run::bin(Bin::Eq, ty(0).into(), x.get(i), c.get(j)) != 0;
                    out.push(u64::from(f32::from(u8::from(same)).to_bits()));
                }
            }
            out.1
        }
        Op::Lookup(table) => lookup(node, table, operands[0]),
    })
}

/// Elements of a tensor as bits.
pub(crate) struct Reader<'a>(pub Type, pub &'a [u8]);

impl Reader<'_> {
    pub(crate) fn len(&self) -> usize {
        self.1.len() / self.0.bytes()
    }

    pub(crate) fn get(&self, i: usize) -> u64 {
        let n = self.0.bytes();
        let mut bits = [0; 8];
        bits[..n].copy_from_slice(&self.1[i * n..(i + 1) * n]);
        self.0.widen(u64::from_le_bytes(bits))
    }

    pub(crate) fn signed(&self, i: usize) -> i64 {
        if self.0 == Type::I64 { self.get(i) as i64 } else { i64::from(self.get(i) as u32 as i32) }
    }
}

/// A tensor in the making.
pub(crate) struct Writer(pub Type, pub Vec<u8>);

impl Writer {
    pub(crate) fn new(ty: Type) -> Writer {
        Writer(ty, Vec::new())
    }

    pub(crate) fn push(&mut self, bits: u64) {
        self.1.extend_from_slice(&bits.to_le_bytes()[..self.0.bytes()]);
    }
}

/// The position a (possibly negative) index means; one that is out of range is brought to the nearest end.
pub(crate) fn wrap(index: i64, dim: i64) -> usize {
    (if index < 0 { index.wrapping_add(dim) } else { index }).clamp(0, dim - 1) as usize
}

/// Calls `f` with each index of a shape, in row-major order.
pub(super) fn each_index(shape: &[usize], mut f: impl FnMut(&[usize])) {
    let mut index = vec![0; shape.len()];
    for _ in 0..shape.iter().product() {
        f(&index);
        for d in (0..shape.len()).rev() {
            index[d] += 1;
            if index[d] < shape[d] {
                break;
            }
            index[d] = 0;
        }
    }
}

/// Copies elements of the only operand from where `from` says.
fn walk(node: &Node, operands: &[&Tensor], from: impl Fn(&[usize]) -> usize) -> Tensor {
    let (data, mut out) = (Reader(node.ty, operands[0]), Writer::new(node.ty));
    each_index(&node.shape, |index| out.push(data.get(from(index))));
    out.1
}

fn fill(node: &Node, from: impl Fn(usize) -> (usize, usize), operands: &[&Tensor]) -> Tensor {
    let mut out = Writer::new(node.ty);
    for i in 0..node.len() {
        let (operand, at) = from(i);
        out.push(Reader(node.ty, operands[operand]).get(at));
    }
    out.1
}

fn map(graph: &Graph, node: &Node, program: &Program, operands: &[&Tensor]) -> Tensor {
    let walks: Vec<_> = node.inputs.iter().zip(operands).map(|(id, value)| operand(graph, *id, value, node)).collect();
    let (mut runner, mut out) = (run::Runner::new(program), Writer::new(node.ty));
    let mut params = vec![0; walks.len()];
    each_index(&node.shape, |index| {
        for (param, (data, strides)) in params.iter_mut().zip(&walks) {
            *param = data.get(index.iter().zip(strides).map(|(i, s)| i * s).sum());
        }
        out.push(runner.run(&params));
    });
    out.1
}

pub(super) fn operand<'a>(graph: &Graph, id: Id, value: &'a Tensor, node: &Node) -> (Reader<'a>, Vec<usize>) {
    let from = graph.node(id);
    (Reader(from.ty, value), broadcast_strides(&from.shape, &node.shape))
}

fn matmul(node: &Node, a: &[usize], b: &[usize], operands: &[&Tensor]) -> Tensor {
    let kind = Kind::from(node.ty);
    let (x, y) = (Reader(node.ty, operands[0]), Reader(node.ty, operands[1]));
    let (k, n, rank) = (a[a.len() - 1], b[b.len() - 1], node.shape.len());
    let batch = &node.shape[..rank - 2];
    let (a_batch, b_batch) = (matrix_strides(a, batch), matrix_strides(b, batch));
    let mut out = Writer::new(node.ty);
    each_index(&node.shape, |index| {
        let at = |s: &[usize]| -> usize { index.iter().zip(s).map(|(i, s)| i * s).sum() };
        let (row, column) = (at(&a_batch) + index[rank - 2] * k, at(&b_batch) + index[rank - 1]);
        out.push(sum(kind, (0..k).map(|i| run::bin(Bin::Mul, kind, x.get(row + i), y.get(column + i * n)))));
    });
    out.1
}

/// Strides of the batch axes of a stack of matrices.
pub(crate) fn matrix_strides(shape: &[usize], batch: &[usize]) -> Vec<usize> {
    let matrix = shape[shape.len() - 2] * shape[shape.len() - 1];
    broadcast_strides(&shape[..shape.len() - 2], batch).iter().map(|s| s * matrix).collect()
}

pub(super) fn sum(kind: Kind, terms: impl Iterator<Item = u64>) -> u64 {
    terms.fold(0, |sum, term| run::bin(Bin::Add, kind, sum, term))
}

fn dense_value(graph: &Graph, node: &Node, dense: &Dense, operands: &[&Tensor]) -> Tensor {
    let (x, w) = (Reader(Type::F32, operands[0]), Reader(Type::F32, operands[1]));
    let more: Vec<_> =
        node.inputs[2..].iter().zip(&operands[2..]).map(|(id, value)| operand(graph, *id, value, node)).collect();
    let mut columns = Vec::new(); // position of the first weight of each column, and the width of its panel
    let mut start = 0;
    for width in &dense.panels {
        columns.extend((0..*width).map(|c| (start + c, *width)));
        start += dense.k * width;
    }
    let (mut runner, mut out) = (run::Runner::new(&dense.program), Writer::new(node.ty));
    let mut row = 0;
    each_index(&node.shape, |index| {
        let column = index[index.len() - 1];
        let (first, width) = columns[column];
        let term = |i: usize| run::bin(Bin::Mul, Kind::F32, x.get(row * dense.k + i), w.get(first + i * width));
        let mut params = vec![sum(Kind::F32, (0..dense.k).map(term))];
        let at = |s: &[usize]| -> usize { index.iter().zip(s).map(|(i, s)| i * s).sum() };
        params.extend(more.iter().map(|(data, strides)| data.get(at(strides))));
        out.push(runner.run(&params));
        row += usize::from(column + 1 == dense.n);
    });
    out.1
}

/// What a reduction starts with.
pub(crate) fn start(op: Reduce, ty: Type) -> u64 {
    let one = |ty| match ty {
        Type::F32 => u64::from(1f32.to_bits()),
        Type::F64 => 1f64.to_bits(),
        _ => 1,
    };
    match (op, ty) {
        (Reduce::Sum | Reduce::Mean, _) => 0,
        (Reduce::Prod, ty) => one(ty),
        (Reduce::Max, ty) => ty.range().0,
        (Reduce::Min, ty) => ty.range().1,
    }
}

/// One step of a reduction: `(sum, element)` to the next sum.
pub(crate) fn step(op: Reduce, ty: Type) -> Program {
    use super::Binary;
    let op = match op {
        Reduce::Sum | Reduce::Mean => Binary::Add,
        Reduce::Prod => Binary::Mul,
        Reduce::Max => Binary::Max,
        Reduce::Min => Binary::Min,
    };
    element::binary(op, ty).expect("reductions are of numbers")
}

fn reduce(node: &Node, op: Reduce, axes: &[usize], shape: &[usize], value: &Tensor) -> Tensor {
    let (data, strides) = (Reader(node.ty, value), strides(shape));
    let inner: Vec<usize> = (0..shape.len()).map(|d| if axes.contains(&d) { shape[d] } else { 1 }).collect();
    let count: usize = inner.iter().product();
    let program = step(op, node.ty);
    let mean = element::binary(super::Binary::Div, node.ty).expect("a number");
    let n = run::un(
        if node.ty == Type::F32 { crate::math::Un::ToF32 } else { crate::math::Un::ToF64 },
        Kind::I64,
        count as u64,
    );
    let n = if node.ty.is_float() { n } else { count as u64 };
    let mut out = Writer::new(node.ty);
    each_index(&node.shape, |outer| {
        let at = |i: &[usize]| -> usize { i.iter().zip(&strides).map(|(i, s)| i * s).sum() };
        let mut sum = start(op, node.ty);
        let mut runner = run::Runner::new(&program);
        each_index(&inner, |i| sum = runner.run(&[sum, data.get(at(outer) + at(i))]));
        out.push(if op == Reduce::Mean { run::Runner::new(&mean).run(&[sum, n]) } else { sum });
    });
    out.1
}

fn arg_extreme(ty: Type, shape: &[usize], axis: usize, least: bool, last: bool, value: &Tensor) -> Tensor {
    let data = Reader(ty, value);
    let inner: usize = shape[axis + 1..].iter().product();
    let outer: usize = shape[..axis].iter().product();
    let wins = match (least, last) {
        (false, false) => Bin::Gt,
        (false, true) => Bin::Ge,
        (true, false) => Bin::Lt,
        (true, true) => Bin::Le,
    };
    let mut out = Writer::new(Type::I64);
    for (o, i) in (0..outer).flat_map(|o| (0..inner).map(move |i| (o, i))) {
        let at = |j: usize| data.get((o * shape[axis] + j) * inner + i);
        let mut best = 0;
        for j in 1..shape[axis] {
            if run::bin(wins, ty.into(), at(j), at(best)) != 0 {
                best = j;
            }
        }
        out.push(best as u64);
    }
    out.1
}

/// The part of softmax before the division: `(x, greatest)` to `exp(x - greatest)`.
pub(crate) fn softmax_exp(ty: Type) -> Program {
    let mut m = crate::math::Maker::new();
    let (x, greatest) = (m.param(0, ty), m.param(1, ty));
    let exp = element::unary(super::Unary::Exp, ty).expect("softmax is of floats");
    let difference = m.sub(x, greatest);
    let y = m.inline(&exp, &[difference]);
    m.finish(&[ty, ty], ty, y)
}

fn softmax(node: &Node, axis: usize, value: &Tensor) -> Tensor {
    let (kind, data) = (Kind::from(node.ty), Reader(node.ty, value));
    let (inner, n) = (node.shape[axis + 1..].iter().product::<usize>(), node.shape[axis]);
    let outer: usize = node.shape[..axis].iter().product();
    let program = softmax_exp(node.ty);
    let mut exp = run::Runner::new(&program);
    let mut result = vec![0; node.len()];
    for (o, i) in (0..outer).flat_map(|o| (0..inner).map(move |i| (o, i))) {
        let at = |j: usize| (o * n + j) * inner + i;
        let start = start(Reduce::Max, node.ty);
        let greatest = (0..n).fold(start, |best, j| run::bin(Bin::Max, kind, best, data.get(at(j))));
        (0..n).for_each(|j| result[at(j)] = exp.run(&[data.get(at(j)), greatest]));
        let total = sum(kind, (0..n).map(|j| result[at(j)]));
        (0..n).for_each(|j| result[at(j)] = run::bin(Bin::Div, kind, result[at(j)], total));
    }
    let mut out = Writer::new(node.ty);
    result.into_iter().for_each(|bits| out.push(bits));
    out.1
}

fn lookup(node: &Node, table: &Lookup, value: &Tensor) -> Tensor {
    let kind = Kind::from(table.key_type);
    let (data, keys) = (Reader(table.key_type, value), Reader(table.key_type, &table.keys.0));
    let values = Reader(node.ty, &table.values.0);
    let is_nan = |bits: u64| run::bin(Bin::Ne, kind, bits, bits) != 0;
    let same = |a: u64, b: u64| run::bin(Bin::Eq, kind, a, b) != 0 || (is_nan(a) && is_nan(b));
    let mut out = Writer::new(node.ty);
    for i in 0..data.len() {
        let found = (0..keys.len()).find(|k| same(keys.get(*k), data.get(i)));
        out.push(found.map_or_else(|| Reader(node.ty, &table.default.0).get(0), |k| values.get(k)));
    }
    out.1
}
