//! The evaluator of what looks at windows and positions: padding, convolutions, pooling, scatters, running sums.

use super::build::strides;
use super::eval::{Reader, Tensor, Writer, each_index, operand, start, step, sum, wrap};
use super::{Binary, Contract, Cumulate, Frame, Graph, Node, Pad, Pool, Reduce, Scatter, Strided, Type};
use crate::math::{Bin, Kind, Program, element, run};

pub(super) fn pad(node: &Node, pad: &Pad, shape: &[usize], value: &Tensor) -> Tensor {
    let (bytes, to) = (node.ty.bytes(), strides(&node.shape));
    let mut out = pad.value.0.repeat(node.len());
    let mut from = 0;
    each_index(shape, |index| {
        let place = |d: usize| (pad.before[d] + index[d] * (pad.between[d] + 1)) * to[d];
        let at = (0..index.len()).map(place).sum::<usize>() * bytes;
        out[at..at + bytes].copy_from_slice(&value[from..from + bytes]);
        from += bytes;
    });
    out
}

fn at(strides: &[usize], index: &[usize]) -> usize {
    strides.iter().zip(index).map(|(s, i)| s * i).sum()
}

/// Positions of the window's elements, from the window's first one on.
fn window(inner: &[usize], of: &Strided) -> Vec<usize> {
    let mut places = Vec::new();
    each_index(inner, |j| places.push(at(&of.inner, j)));
    places
}

pub(super) fn contract(graph: &Graph, node: &Node, contract: &Contract, operands: &[&Tensor]) -> Tensor {
    if let Some(Frame { shape, before, value }) = &contract.frame {
        let inside = Node { shape: shape.clone(), ..node.clone() };
        let results = self::contract(graph, &inside, &Contract { frame: None, ..contract.clone() }, operands);
        let around = Pad { before: before.clone(), between: vec![0; before.len()], value: value.clone() };
        return pad(node, &around, shape, &results);
    }
    let ty = contract.program.params[0];
    let kind = Kind::from(ty);
    let (x, y) = (Reader(ty, operands[0]), Reader(ty, operands[1]));
    let more = node.inputs[2..].iter().zip(&operands[2..]);
    let more: Vec<_> = more.map(|(id, value)| operand(graph, *id, value, node)).collect();
    let mut runner = run::Runner::new(&contract.program);
    let (left, right) = (window(&contract.inner, &contract.left), window(&contract.inner, &contract.right));
    let mut out = Writer::new(node.ty);
    each_index(&node.shape, |i| {
        let a = contract.left.start + at(&contract.left.outer, i);
        let b = contract.right.start + at(&contract.right.outer, i);
        let products = left.iter().zip(&right).map(|(l, r)| run::bin(Bin::Mul, kind, x.get(a + l), y.get(b + r)));
        let mut params = vec![sum(kind, products)];
        params.extend(more.iter().map(|(data, strides)| data.get(at(strides, i))));
        out.push(runner.run(&params));
    });
    out.1
}

pub(super) fn pool(node: &Node, op: Reduce, pool: &Pool, value: &Tensor) -> Tensor {
    let (data, places) = (Reader(node.ty, value), window(&pool.inner, &pool.operand));
    let (one, mean) = (step(op, node.ty), element::binary(Binary::Div, node.ty).expect("a number"));
    let mut runner = run::Runner::new(&one);
    let count = number(node.ty, places.len());
    let mut out = Writer::new(node.ty);
    each_index(&node.shape, |i| {
        let first = pool.operand.start + at(&pool.operand.outer, i);
        let total = places.iter().fold(start(op, node.ty), |sum, p| runner.run(&[sum, data.get(first + p)]));
        out.push(if op == Reduce::Mean { run::Runner::new(&mean).run(&[total, count]) } else { total });
    });
    out.1
}

fn number(ty: Type, n: usize) -> u64 {
    match ty {
        Type::F32 => u64::from((n as f32).to_bits()),
        Type::F64 => (n as f64).to_bits(),
        _ => n as u64,
    }
}

/// What is written for `(old, new)`.
pub(crate) fn combine(how: Scatter, ty: Type) -> Option<Program> {
    let op = match how {
        Scatter::Replace => return Some(crate::math::element::second(ty)),
        Scatter::Add => Binary::Add,
        Scatter::Mul => Binary::Mul,
        Scatter::Min => Binary::Min,
        Scatter::Max => Binary::Max,
    };
    element::binary(op, ty)
}

pub(super) fn scatter(node: &Node, how: Scatter, operands: &[&Tensor]) -> Tensor {
    let (positions, bytes) = (Reader(Type::I64, operands[1]), node.ty.bytes());
    let mut out = operands[0].clone();
    if positions.len() == 0 || out.is_empty() {
        return out;
    }
    let slice = operands[2].len() / positions.len() / bytes;
    let count = node.len() / slice.max(1);
    let program = combine(how, node.ty).expect("the verifier has seen it");
    let mut runner = run::Runner::new(&program);
    for i in 0..positions.len() {
        let to = wrap(positions.get(i) as i64, count as i64) * slice;
        for j in 0..slice {
            let old = Reader(node.ty, &out).get(to + j);
            let new = runner.run(&[old, Reader(node.ty, operands[2]).get(i * slice + j)]);
            out[(to + j) * bytes..][..bytes].copy_from_slice(&new.to_le_bytes()[..bytes]);
        }
    }
    out
}

/// `(a, i, b, j)`: whether `a` at position `i` comes before `b` at position `j`, as Bool.
pub(crate) fn precedes(ty: Type, least: bool) -> Program {
    let mut m = crate::math::Maker::new();
    let (a, i) = (m.param(0, ty), m.param(1, Type::I64));
    let (b, j) = (m.param(2, ty), m.param(3, Type::I64));
    let nan = |m: &mut crate::math::Maker, x| m.bin(Bin::Ne, x, x);
    let wins = m.bin(if least { Bin::Lt } else { Bin::Gt }, a, b);
    let (a_nan, b_nan) = (nan(&mut m, a), nan(&mut m, b));
    // NaN is the greatest: it wins, or loses, against every number.
    let number = |m: &mut crate::math::Maker, x| m.un(crate::math::Un::Eqz, x);
    let other = if least { (a_nan, b_nan) } else { (b_nan, a_nan) };
    let is_number = number(&mut m, other.0);
    let by_nan = m.and(is_number, other.1);
    let wins = m.or(wins, by_nan);
    let same = m.eq(a, b);
    let both = m.and(a_nan, b_nan);
    let same = m.or(same, both);
    let earlier = m.lt(i, j);
    let tie = m.and(same, earlier);
    let y = m.or(wins, tie);
    m.finish(&[ty, Type::I64, ty, Type::I64], Type::Bool, y)
}

pub(super) fn top_k(ty: Type, shape: &[usize], axis: usize, k: usize, least: bool, value: &Tensor) -> Tensor {
    let (data, n) = (Reader(ty, value), shape[axis]);
    let inner: usize = shape[axis + 1..].iter().product();
    let outer: usize = shape[..axis].iter().product();
    let program = precedes(ty, least);
    let mut result = vec![0u64; outer * k * inner];
    for (o, i) in (0..outer).flat_map(|o| (0..inner).map(move |i| (o, i))) {
        let get = |j: usize| data.get((o * n + j) * inner + i);
        let mut order: Vec<usize> = (0..n).collect();
        let mut runner = run::Runner::new(&program);
        order.sort_by(|a, b| {
            let before = runner.run(&[get(*a), *a as u64, get(*b), *b as u64]) != 0;
            if before { std::cmp::Ordering::Less } else { std::cmp::Ordering::Greater }
        });
        (0..k).for_each(|j| result[(o * k + j) * inner + i] = order[j] as u64);
    }
    let mut out = Writer::new(Type::I64);
    result.into_iter().for_each(|bits| out.push(bits));
    out.1
}

pub(super) fn cumulate(node: &Node, how: Cumulate, value: &Tensor) -> Tensor {
    let (data, n) = (Reader(node.ty, value), node.shape[how.axis]);
    let inner: usize = node.shape[how.axis + 1..].iter().product();
    let outer: usize = node.shape[..how.axis].iter().product();
    let op = if how.product { Reduce::Prod } else { Reduce::Sum };
    let program = step(op, node.ty);
    let mut runner = run::Runner::new(&program);
    let mut result = vec![0; node.len()];
    for (o, i) in (0..outer).flat_map(|o| (0..inner).map(move |i| (o, i))) {
        let mut total = start(op, node.ty);
        for j in 0..n {
            let at = (o * n + if how.reverse { n - 1 - j } else { j }) * inner + i;
            let next = runner.run(&[total, data.get(at)]);
            result[at] = if how.exclusive { total } else { next };
            total = next;
        }
    }
    let mut out = Writer::new(node.ty);
    result.into_iter().for_each(|bits| out.push(bits));
    out.1
}
