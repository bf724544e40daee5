//! The element-wise part of an LSTM step.

use tract_onnx::tract_core::ops::lstm_cell::LstmEpilogue;

use super::{Context, Stop};
use crate::graph::{Binary, Id, Op, Unary};

/// `[b, 4 hidden]` sums of the gates i, o, f, c and `[b, hidden]` cells to the new output (slot 0) and the new cells (slot 1):
/// `c = σ(f) c + σ(i) tanh(g)`, `h = σ(o) tanh(c)`.
pub fn cell(c: &mut Context, op: &LstmEpilogue) -> Result<Id, Stop> {
    let (sums, cells) = (c.inputs[0].clone(), c.inputs[1].id);
    let (out, ty) = (c.out.shape.clone(), c.out.ty);
    let axis = sums.layout.shape.len() - 1;
    let gate = |c: &mut Context, n: usize, f: Unary| {
        let slice = Op::Slice { axis, start: n * op.hidden, step: 1 };
        let sum = c.shaped(slice, vec![sums.id], out.clone(), ty);
        c.shaped(Op::Unary(f), vec![sum], out.clone(), ty)
    };
    let (enter, keep) = (gate(c, 0, Unary::Sigmoid), gate(c, 2, Unary::Sigmoid));
    let new = gate(c, 3, Unary::Tanh);
    let kept = c.result(Op::Binary(Binary::Mul), vec![keep, cells]);
    let entered = c.result(Op::Binary(Binary::Mul), vec![enter, new]);
    let cells = c.result(Op::Binary(Binary::Add), vec![kept, entered]);
    if c.slot == 1 {
        return Ok(cells);
    }
    let shown = gate(c, 1, Unary::Sigmoid);
    let bent = c.result(Op::Unary(Unary::Tanh), vec![cells]);
    Ok(c.result(Op::Binary(Binary::Mul), vec![shown, bent]))
}
