//! Products and sums over named axes, as one matrix product.

use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_hir::internal::*;

use super::{Context, Stop};
use crate::graph::{Id, Op, Reduce};

/// An operand with a letter for each of its axes, rows stripped.
struct Operand {
    id: Id,
    letters: Vec<char>,
    shape: Vec<usize>,
}

impl Operand {
    fn size(&self, letter: char) -> usize {
        self.letters.iter().position(|l| *l == letter).map_or(1, |at| self.shape[at])
    }
}

/// Of one operand or two. With two it is transposed to `[batch…, m, k] · [batch…, k, n]`.
pub fn product(c: &mut Context, op: &EinSum) -> Result<Id, Stop> {
    if op.q_params.is_some() || c.inputs.len() > 2 {
        return Err(c.unsupported("a product of quantized numbers, or of three operands"));
    }
    if c.out.merged || c.inputs.iter().any(|x| x.layout.merged) {
        return Err(Stop::Mixes);
    }
    let out = letters(op, InOut::Out(0), c.out.rank())?;
    let rows = c.out.rows.map(|axis| out[axis]);
    let mut result: Vec<char> = out;
    result.retain(|l| Some(*l) != rows);

    let mut operands = Vec::new();
    for i in 0..c.inputs.len() {
        let value = c.inputs[i].clone();
        let mut letters = letters(op, InOut::In(i), value.layout.rank())?;
        let (mut id, mut shape) = (value.id, value.layout.shape);
        match (value.layout.rows, rows) {
            // Rows that are summed over, or that end up elsewhere.
            (Some(axis), _) if Some(letters[axis]) != rows => return Err(Stop::Mixes),
            (Some(axis), _) => {
                letters.remove(axis);
            }
            (None, Some(rows)) => {
                if let Some(at) = letters.iter().position(|l| *l == rows) {
                    if shape[at] != 1 {
                        return Err(Stop::Mixes);
                    }
                    letters.remove(at);
                    shape.remove(at);
                    id = c.reshape(id, &shape);
                }
            }
            (None, None) => {}
        }
        let mut operand = Operand { id, letters, shape };
        while diagonal(c, &mut operand) {}
        operands.push(operand);
    }
    for i in 0..operands.len() {
        sum_away(c, &mut operands, i, &result);
    }
    let (made, order) = match &operands[..] {
        [x] => (x.id, x.letters.clone()),
        [a, b] => matrix_product(c, a, b, &result),
        _ => return Err(c.unsupported("a product of nothing")),
    };
    // Letters of the result that no operand has stand for axes of length 1.
    let perm: Vec<usize> = result.iter().filter_map(|l| order.iter().position(|o| o == l)).collect();
    let made = c.transpose(made, &perm);
    let shape = c.out.shape.clone();
    Ok(c.reshape(made, &shape))
}

/// Takes the diagonal of two axes with one letter, if there are such; the first of them stays.
fn diagonal(c: &mut Context, x: &mut Operand) -> bool {
    let pairs = (0..x.letters.len()).flat_map(|a| (a + 1..x.letters.len()).map(move |b| (a, b)));
    let Some((a, b)) = pairs.into_iter().find(|(a, b)| x.letters[*a] == x.letters[*b] && x.shape[*a] == x.shape[*b])
    else {
        return false;
    };
    let (rank, n, ty) = (x.shape.len(), x.shape[a], c.importer.graph.node(x.id).ty);
    // Both axes to the end: every (n + 1)th element lies on the diagonal.
    let mut order: Vec<usize> = (0..rank).filter(|d| *d != a && *d != b).collect();
    let others: Vec<usize> = order.iter().map(|d| x.shape[*d]).collect();
    order.extend([a, b]);
    let turned = c.transpose(x.id, &order);
    let flat = c.reshape(turned, &[&others[..], &[n * n]].concat());
    let slice = Op::Slice { axis: others.len(), start: 0, step: n as isize + 1 };
    x.id = c.shaped(slice, vec![flat], [&others[..], &[n]].concat(), ty);
    x.letters = order[..rank - 1].iter().map(|d| x.letters[*d]).collect();
    x.shape = [&others[..], &[n]].concat();
    true
}

/// Sums over the letters that neither the result nor the other operand has.
fn sum_away(c: &mut Context, operands: &mut [Operand], i: usize, result: &[char]) {
    let elsewhere =
        |l: &char| result.contains(l) || operands.iter().enumerate().any(|(j, o)| j != i && o.letters.contains(l));
    let axes: Vec<usize> = (0..operands[i].letters.len()).filter(|a| !elsewhere(&operands[i].letters[*a])).collect();
    if axes.is_empty() {
        return;
    }
    let operand = &mut operands[i];
    let mut shape = operand.shape.clone();
    axes.iter().for_each(|a| shape[*a] = 1);
    let summed = c.shaped(Op::Reduce(Reduce::Sum, axes.clone()), vec![operand.id], shape, c.out.ty);
    for axis in axes.iter().rev() {
        operand.letters.remove(*axis);
        operand.shape.remove(*axis);
    }
    operand.id = c.reshape(summed, &operand.shape);
}

/// The product, and the letters of its axes.
fn matrix_product(c: &mut Context, a: &Operand, b: &Operand, result: &[char]) -> (Id, Vec<char>) {
    let both = |l: &&char| a.letters.contains(l) && b.letters.contains(l);
    let batch: Vec<char> = result.iter().filter(both).copied().collect();
    let m: Vec<char> = result.iter().filter(|l| a.letters.contains(l) && !both(l)).copied().collect();
    let n: Vec<char> = result.iter().filter(|l| b.letters.contains(l) && !both(l)).copied().collect();
    let k: Vec<char> = a.letters.iter().filter(|l| !result.contains(l)).copied().collect();

    let side = |c: &mut Context, x: &Operand, rows: &[char], columns: &[char]| {
        let order: Vec<char> = [&batch, rows, columns].concat();
        let perm: Vec<usize> = order.iter().filter_map(|l| x.letters.iter().position(|o| o == l)).collect();
        let id = c.transpose(x.id, &perm);
        let size = |letters: &[char]| letters.iter().map(|l| x.size(*l)).product::<usize>();
        let mut shape: Vec<usize> = batch.iter().map(|l| x.size(*l)).collect();
        shape.extend([size(rows), size(columns)]);
        (c.reshape(id, &shape), shape)
    };
    let (left, left_shape) = side(c, a, &m, &k);
    let (right, right_shape) = side(c, b, &k, &n);
    let mut shape: Vec<usize> = left_shape.iter().zip(&right_shape).map(|(l, r)| *l.max(r)).collect();
    let rank = shape.len();
    shape[rank - 2] = left_shape[rank - 2];
    shape[rank - 1] = right_shape[rank - 1];
    let made = c.shaped(Op::MatMul, vec![left, right], shape.clone(), c.out.ty);

    shape.truncate(rank - 2);
    shape.extend(m.iter().map(|l| a.size(*l)));
    shape.extend(n.iter().map(|l| b.size(*l)));
    (c.reshape(made, &shape), [batch, m, n].concat())
}

/// The letter of each axis of a slot.
fn letters(op: &EinSum, slot: InOut, rank: usize) -> Result<Vec<char>, Stop> {
    (0..rank).map(|axis| Ok(op.axes.axis((slot, axis))?.repr)).collect()
}
