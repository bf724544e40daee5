//! Two operands, element by element, and the choice between two.

use tract_onnx::tract_core::ops::binary::TypedBinOp;

use super::{Context, Stop};
use crate::graph::{Binary, Id, Op, Unary};
use crate::math::element;

/// Any [`TypedBinOp`].
pub fn binary(c: &mut Context, op: &TypedBinOp) -> Result<Id, Stop> {
    let (a, b) = (c.aligned(0)?, c.aligned(1)?);
    let ty = c.inputs[0].layout.ty;
    if ty != c.inputs[1].layout.ty {
        return Err(c.unsupported("an operation on two types"));
    }
    let float = ty.is_float();
    let (binary, a, b) = match op.0.name() {
        "Add" => (Binary::Add, a, b),
        "Sub" => (Binary::Sub, a, b),
        "SubF" => (Binary::Sub, b, a),
        "Mul" => (Binary::Mul, a, b),
        "Div" => (Binary::Div, a, b),
        "Rem" => (Binary::Fmod, a, b),
        "Pow" => (Binary::Pow, a, b),
        "Min" => (Binary::Min, a, b),
        "Max" => (Binary::Max, a, b),
        "And" => (Binary::And, a, b),
        "Or" => (Binary::Or, a, b),
        "Xor" => (Binary::Xor, a, b),
        "BitAnd" => (Binary::BitAnd, a, b),
        "BitOr" => (Binary::BitOr, a, b),
        "BitXor" => (Binary::BitXor, a, b),
        "ShiftLeft" => (Binary::ShiftLeft, a, b),
        "ShiftRight" => (Binary::ShiftRight, a, b),
        "Eq" => (Binary::Equal, a, b),
        "LT" => (Binary::Less, a, b),
        "LTE" => (Binary::LessEqual, a, b),
        "GT" => (Binary::Less, b, a),
        "GTE" => (Binary::LessEqual, b, a),
        "NE" if a == b && float => return Ok(c.result(Op::Unary(Unary::IsNan), vec![a])),
        "NE" => {
            let equal = c.result(Op::Binary(Binary::Equal), vec![a, b]);
            return Ok(c.result(Op::Unary(Unary::Not), vec![equal]));
        }
        name => return Err(c.unsupported(&format!("the inner operator {name}"))),
    };
    if element::binary(binary, ty).is_none() {
        return Err(c.unsupported(&format!("the operation {} on {ty:?}", op.0.name())));
    }
    Ok(c.result(Op::Binary(binary), vec![a, b]))
}

/// `condition ? a : b`.
pub fn select(c: &mut Context) -> Result<Id, Stop> {
    let inputs = vec![c.aligned(0)?, c.aligned(1)?, c.aligned(2)?];
    Ok(c.result(Op::Select, inputs))
}
