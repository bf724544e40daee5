//! One operand, element by element.

use tract_onnx::tract_core::ops::cast::Cast;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::math::IsInf;
use tract_onnx::tract_core::ops::nn::LeakyRelu;

use super::{Context, Stop};
use crate::graph::{Binary, Id, Op, Type, Unary};
use crate::math::element;

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
        "Sign" => Unary::Sign,
        "Sin" => Unary::Sin,
        "Cos" => Unary::Cos,
        "Tan" => Unary::Tan,
        "Asin" => Unary::Asin,
        "Acos" => Unary::Acos,
        "Atan" => Unary::Atan,
        "Sinh" => Unary::Sinh,
        "Cosh" => Unary::Cosh,
        "Asinh" => Unary::Asinh,
        "Acosh" => Unary::Acosh,
        "Atanh" => Unary::Atanh,
        "IsNan" => Unary::IsNan,
        "Not" => Unary::Not,
        "BitNot" => Unary::BitNot,
        "Square" => return Ok(c.result(Op::Binary(Binary::Mul), vec![x, x])),
        "Rsqrt" => {
            let root = c.result(Op::Unary(Unary::Sqrt), vec![x]);
            return Ok(c.result(Op::Unary(Unary::Reciprocal), vec![root]));
        }
        "Silu" => {
            let gate = c.result(Op::Unary(Unary::Sigmoid), vec![x]);
            return Ok(c.result(Op::Binary(Binary::Mul), vec![x, gate]));
        }
        "HardSwish" => return Ok(hard_swish(c, x)),
        "GeluApproximate" => return Ok(gelu(c, x)),
        "LeakyRelu" => {
            let alpha = op.0.downcast_ref::<LeakyRelu>().map_or(0.0, |op| f64::from(op.alpha));
            let (alpha, zero) = (c.number(alpha), c.number(0.0));
            let shape = c.out.shape.clone();
            let below = c.shaped(Op::Binary(Binary::Less), vec![x, zero], shape, Type::Bool);
            let scaled = c.result(Op::Binary(Binary::Mul), vec![x, alpha]);
            return Ok(c.result(Op::Select, vec![below, scaled, x]));
        }
        "IsInf" => {
            let (plus, minus) =
                op.0.downcast_ref::<IsInf>().map_or((true, true), |op| (op.detect_positive, op.detect_negative));
            return Ok(infinite(c, plus, minus));
        }
        name => return Err(c.unsupported(&format!("the inner operator {name}"))),
    };
    let ty = c.inputs[0].layout.ty;
    if element::unary(unary, ty).is_none() {
        return Err(c.unsupported(&format!("the operation {} on {ty:?}", op.0.name())));
    }
    Ok(c.result(Op::Unary(unary), vec![x]))
}

/// `x · max(0, min(1, x / 6 + 1 / 2))`
fn hard_swish(c: &mut Context, x: Id) -> Id {
    let [sixth, half, zero, one] = [1.0 / 6.0, 0.5, 0.0, 1.0].map(|v| c.number(v));
    let mut gate = c.result(Op::Binary(Binary::Mul), vec![x, sixth]);
    for (op, number) in [(Binary::Add, half), (Binary::Min, one), (Binary::Max, zero)] {
        gate = c.result(Op::Binary(op), vec![gate, number]);
    }
    c.result(Op::Binary(Binary::Mul), vec![x, gate])
}

/// `½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))` (Hendrycks and Gimpel, 2016)
fn gelu(c: &mut Context, x: Id) -> Id {
    let [half, one, cubic, scale] = [0.5, 1.0, 0.044715, (2.0 / std::f64::consts::PI).sqrt()].map(|v| c.number(v));
    let mut y = c.result(Op::Binary(Binary::Mul), vec![x, x]);
    for (op, other) in [(Binary::Mul, x), (Binary::Mul, cubic), (Binary::Add, x), (Binary::Mul, scale)] {
        y = c.result(Op::Binary(op), vec![y, other]);
    }
    y = c.result(Op::Unary(Unary::Tanh), vec![y]);
    for (op, other) in [(Binary::Add, one), (Binary::Mul, x), (Binary::Mul, half)] {
        y = c.result(Op::Binary(op), vec![y, other]);
    }
    y
}

/// Whether operand 0 is one of the infinities asked for.
fn infinite(c: &mut Context, plus: bool, minus: bool) -> Id {
    let x = c.inputs[0].clone();
    let shape = c.out.shape.clone();
    let equal = |c: &mut Context, value: f64| {
        let value = c.numbers(&[value], vec![], x.layout.ty);
        c.shaped(Op::Binary(Binary::Equal), vec![x.id, value], shape.clone(), Type::Bool)
    };
    match (plus, minus) {
        (true, false) => equal(c, f64::INFINITY),
        (false, true) => equal(c, f64::NEG_INFINITY),
        (true, true) => {
            let (a, b) = (equal(c, f64::INFINITY), equal(c, f64::NEG_INFINITY));
            c.result(Op::Binary(Binary::Or), vec![a, b])
        }
        (false, false) => {
            let no = c.numbers(&[0.0], vec![], Type::Bool);
            c.result(Op::Broadcast, vec![no])
        }
    }
}

/// To the result's type.
pub fn cast(c: &mut Context, _: &Cast) -> Result<Id, Stop> {
    let x = c.inputs[0].clone();
    if x.layout.ty == c.out.ty { Ok(x.id) } else { Ok(c.result(Op::Cast, vec![x.id])) }
}
