//! Sums, means, extremes and their positions.

use tract_onnx::tract_core::ops::nn::{Reduce, Reducer};

use super::{Context, Stop};
use crate::graph::{self, Binary, Id, Op, Type};

/// Over any axes but that of the rows.
pub fn reduce(c: &mut Context, op: &Reduce) -> Result<Id, Stop> {
    let x = c.inputs[0].clone();
    let mut axes = op.axes.iter().map(|axis| x.layout.strip(*axis)).collect::<Result<Vec<_>, _>>()?;
    axes.sort_unstable();
    let reduce = match op.reducer {
        Reducer::Sum => graph::Reduce::Sum,
        Reducer::Max => graph::Reduce::Max,
        Reducer::Min => graph::Reduce::Min,
        Reducer::Prod => graph::Reduce::Prod,
        Reducer::MeanOfSquares => {
            let squares = c.shaped(Op::Binary(Binary::Mul), vec![x.id, x.id], x.layout.shape, x.layout.ty);
            return Ok(c.result(Op::Reduce(graph::Reduce::Mean, axes), vec![squares]));
        }
        Reducer::ArgMax(last) | Reducer::ArgMin(last) => {
            let id = c.signed(x.id);
            let [axis] = axes[..] else { return Err(c.unsupported("a position along several axes")) };
            let least = matches!(op.reducer, Reducer::ArgMin(_));
            return Ok(c.result(Op::ArgExtreme { axis, least, last }, vec![id]));
        }
        _ => return Err(c.unsupported("a reduction of booleans")),
    };
    if x.layout.ty == Type::Bool {
        // All of them, or any of them.
        let wide = c.shaped(Op::Cast, vec![x.id], x.layout.shape, Type::I32);
        let shape = c.out.shape.clone();
        let made = c.shaped(Op::Reduce(reduce, axes), vec![wide], shape, Type::I32);
        return Ok(c.result(Op::Cast, vec![made]));
    }
    Ok(c.result(Op::Reduce(reduce, axes), vec![x.id]))
}
