//! Softmax, and its logarithm.

use tract_onnx::tract_core::ops::nn::Softmax;
use tract_onnx::tract_core::ops::nn::SoftmaxKind;

use super::{Context, Stop};
use crate::graph::{Id, Op, Unary};

/// Along one axis, or several neighbours taken as one (operator sets before 13).
pub fn softmax(c: &mut Context, op: &Softmax) -> Result<Id, Stop> {
    let x = c.inputs[0].clone();
    let mut axes = op.axes.iter().map(|axis| x.layout.strip(*axis)).collect::<Result<Vec<_>, _>>()?;
    axes.sort_unstable();
    let (Some(first), Some(last)) = (axes.first().copied(), axes.last().copied()) else {
        return Err(c.unsupported("a softmax along no axis"));
    };
    if last - first + 1 != axes.len() || op.quant_output_dt.is_some() {
        return Err(c.unsupported("a softmax along axes that are not neighbours"));
    }
    let mut merged = x.layout.shape[..first].to_vec();
    merged.push(x.layout.shape[first..=last].iter().product());
    merged.extend(&x.layout.shape[last + 1..]);
    let flat = c.reshape(x.id, &merged);
    let ty = c.out.ty;
    let mut made = c.shaped(Op::Softmax { axis: first }, vec![flat], merged.clone(), ty);
    if op.kind == SoftmaxKind::LogSoftmax {
        made = c.shaped(Op::Unary(Unary::Log), vec![made], merged, ty);
    }
    let shape = c.out.shape.clone();
    Ok(c.reshape(made, &shape))
}
