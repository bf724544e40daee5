//! One operand, element by element.

use tract_onnx::tract_core::ops::cast::Cast;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;

use super::{Context, Stop};
use crate::graph::{Binary, Id, Op, Unary};

/// Any [`ElementWiseOp`].
pub fn unary(c: &mut Context, op: &ElementWiseOp) -> Result<Id, Stop> {
    let x = c.inputs[0].id;
    let unary = match &*op.0.name() {
        "Abs" => Unary::Abs,
        "Neg" => Unary::Neg,
        "Floor" => Unary::Floor,
        "Ceil" => Unary::Ceil,
        "RoundHalfToEven" => Unary::Round,
        "Sqrt" => Unary::Sqrt,
        "Recip" => Unary::Reciprocal,
        "Exp" => Unary::Exp,
        "Ln" => Unary::Log,
        "Tanh" => Unary::Tanh,
        "Erf" => Unary::Erf,
        "Sigmoid" => Unary::Sigmoid,
        "IsNan" => Unary::IsNan,
        "Not" => Unary::Not,
        "Square" => return Ok(c.result(Op::Binary(Binary::Mul), vec![x, x])),
        "Rsqrt" => {
            let root = c.result(Op::Unary(Unary::Sqrt), vec![x]);
            return Ok(c.result(Op::Unary(Unary::Reciprocal), vec![root]));
        }
        name => return Err(c.unsupported(&format!("the inner operator {name}"))),
    };
    Ok(c.result(Op::Unary(unary), vec![x]))
}

/// To the result's type.
pub fn cast(c: &mut Context, _: &Cast) -> Result<Id, Stop> {
    let x = c.inputs[0].clone();
    if x.layout.ty == c.out.ty { Ok(x.id) } else { Ok(c.result(Op::Cast, vec![x.id])) }
}
