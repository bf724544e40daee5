//! Side by side along an axis.

use tract_onnx::tract_core::ops::array::TypedConcat;

use super::{Context, Stop};
use crate::graph::{Id, Op};

/// Along any axis but that of the rows.
pub fn concat(c: &mut Context, op: &TypedConcat) -> Result<Id, Stop> {
    let axis = c.out.strip(op.axis)?;
    let parts = (0..c.inputs.len()).map(|i| c.aligned(i)).collect::<Result<Vec<_>, _>>()?;
    Ok(c.result(Op::Concat { axis }, parts))
}
