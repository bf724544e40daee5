//! The element-wise operators as programs.

use super::maker::Maker;
use super::program::{Bin, Kind, Program, Un, Var};
use crate::graph::{Binary, Type, Unary};

/// The program of a unary operator; `None` where the type does not allow it.
pub fn unary(op: Unary, ty: Type) -> Option<Program> {
    let mut m = Maker::new();
    let x = m.param(0, ty);
    let (kind, float) = (Kind::from(ty), ty.is_float());
    if (ty == Type::Bool) != (op == Unary::Not) {
        return None;
    }
    let (y, out) = match op {
        Unary::Not => (m.un(Un::Eqz, x), Type::Bool),
        Unary::BitNot if !float => {
            let ones = m.number(kind, -1.0);
            (m.bin(Bin::Xor, x, ones), ty)
        }
        Unary::BitNot => return None,
        Unary::Bits => {
            let out = match ty {
                Type::F32 => Type::I32,
                Type::F64 => Type::I64,
                _ => return None,
            };
            (m.un(Un::Bits, x), out)
        }
        Unary::FromBits => {
            let out = match ty {
                Type::I32 => Type::F32,
                Type::I64 => Type::F64,
                _ => return None,
            };
            (m.un(Un::FromBits, x), out)
        }
        Unary::FromHalf => (ty == Type::U16).then(|| (m.from_half(x), Type::F32))?,
        Unary::ToHalf => (ty == Type::F32).then(|| (m.to_half(x), Type::U16))?,
        Unary::Sign => {
            let [zero, one, minus] = [0.0, 1.0, -1.0].map(|v| m.number(kind, v));
            let (below, above) = (m.lt(x, zero), m.lt(zero, x));
            let y = m.select(below, minus, x); // 0 and NaN stay as they are
            (m.select(above, one, y), ty)
        }
        Unary::Abs if float => (m.un(Un::Abs, x), ty),
        Unary::Neg if float => (m.un(Un::Neg, x), ty),
        Unary::Abs | Unary::Neg | Unary::Relu if !float => {
            let zero = m.number(kind, 0.0);
            let (minus, negative) = (m.sub(zero, x), m.lt(x, zero));
            let y = match op {
                Unary::Abs => m.select(negative, minus, x),
                Unary::Neg => minus,
                _ => m.select(negative, zero, x),
            };
            (y, ty)
        }
        _ if !float => return None,
        Unary::Floor => (m.un(Un::Floor, x), ty),
        Unary::Ceil => (m.un(Un::Ceil, x), ty),
        Unary::Round => (m.un(Un::Nearest, x), ty),
        Unary::Sqrt => (m.un(Un::Sqrt, x), ty),
        Unary::Reciprocal => {
            let one = m.number(kind, 1.0);
            (m.div(one, x), ty)
        }
        Unary::Exp => (m.exp(x), ty),
        Unary::Log => (m.log(x), ty),
        Unary::Tanh => (m.tanh(x), ty),
        Unary::Erf => (m.erf(x), ty),
        Unary::Sigmoid => (m.sigmoid(x), ty),
        Unary::Sin => (m.sin(x), ty),
        Unary::Cos => (m.cos(x), ty),
        Unary::Tan => (m.tan(x), ty),
        Unary::Asin => (m.asin(x), ty),
        Unary::Acos => (m.acos(x), ty),
        Unary::Atan => (m.atan(x), ty),
        Unary::Sinh => (m.sinh(x), ty),
        Unary::Cosh => (m.cosh(x), ty),
        Unary::Asinh => (m.asinh(x), ty),
        Unary::Acosh => (m.acosh(x), ty),
        Unary::Atanh => (m.atanh(x), ty),
        Unary::Relu => {
            let zero = m.number(kind, 0.0);
            (m.bin(Bin::Max, x, zero), ty)
        }
        Unary::IsNan => (m.bin(Bin::Ne, x, x), Type::Bool),
        Unary::Abs | Unary::Neg => unreachable!("handled above"),
    };
    let y = m.wrapped(y, out);
    Some(m.finish(&[ty], out, y))
}

/// The program of a binary operator on two values of `ty`; `None` where the type does not allow it.
pub fn binary(op: Binary, ty: Type) -> Option<Program> {
    let mut m = Maker::new();
    let (a, b) = (m.param(0, ty), m.param(1, ty));
    let (y, out) = match (op, ty) {
        (Binary::Equal, _) => (m.eq(a, b), Type::Bool),
        (Binary::And, Type::Bool) => (m.and(a, b), Type::Bool),
        (Binary::Or, Type::Bool) => (m.or(a, b), Type::Bool),
        (Binary::Xor, Type::Bool) => (m.bin(Bin::Xor, a, b), Type::Bool),
        (_, Type::Bool) | (Binary::And | Binary::Or | Binary::Xor, _) => return None,
        (Binary::Less, Type::U64) => (m.below(a, b), Type::Bool),
        (Binary::LessEqual, Type::U64) => {
            let above = m.below(b, a);
            (m.un(Un::Eqz, above), Type::Bool)
        }
        (Binary::Less, _) => (m.lt(a, b), Type::Bool),
        (Binary::LessEqual, _) => (m.bin(Bin::Le, a, b), Type::Bool),
        (Binary::Add, _) => (m.add(a, b), ty),
        (Binary::Sub, _) => (m.sub(a, b), ty),
        (Binary::Mul, _) => (m.mul(a, b), ty),
        (Binary::BitAnd | Binary::BitOr | Binary::BitXor | Binary::ShiftLeft | Binary::ShiftRight, _) => {
            if ty.is_float() {
                return None;
            }
            (bits(&mut m, op, a, b), ty)
        }
        (_, Type::F32 | Type::F64) => (float(&mut m, op, a, b), ty),
        (_, Type::U64) => (m.unsigned(op, a, b)?, ty),
        _ => (integer(&mut m, op, a, b), ty),
    };
    let y = m.wrapped(y, out);
    Some(m.finish(&[ty, ty], out, y))
}

fn float(m: &mut Maker, op: Binary, a: Var, b: Var) -> Var {
    match op {
        Binary::Div => m.div(a, b),
        Binary::Min => m.bin(Bin::Min, a, b),
        Binary::Max => m.bin(Bin::Max, a, b),
        Binary::Pow => m.pow(a, b),
        _ => {
            // The remainder is exact in f64, and representable in the operands' type.
            let kind = m.kind(a);
            let (a, b) = (m.un(Un::ToF64, a), m.un(Un::ToF64, b));
            let mut r = m.bin(Bin::Fmod, a, b);
            if op == Binary::Mod {
                let zero = m.f64(0.0);
                let (r_negative, b_negative) = (m.lt(r, zero), m.lt(b, zero));
                let differs = m.bin(Bin::Xor, r_negative, b_negative);
                let nonzero = m.bin(Bin::Ne, r, zero);
                let adjust = m.and(differs, nonzero);
                let shifted = m.add(r, b);
                r = m.select(adjust, shifted, r);
            }
            if kind == Kind::F32 { m.un(Un::ToF32, r) } else { r }
        }
    }
}

fn bits(m: &mut Maker, op: Binary, a: Var, b: Var) -> Var {
    let op = match op {
        Binary::BitAnd => Bin::And,
        Binary::BitOr => Bin::Or,
        Binary::BitXor => Bin::Xor,
        Binary::ShiftLeft => Bin::Shl,
        _ => Bin::ShrU,
    };
    m.bin(op, a, b)
}

fn integer(m: &mut Maker, op: Binary, a: Var, b: Var) -> Var {
    match op {
        Binary::Div => m.integer_div(a, b),
        Binary::Mod => m.integer_rem(a, b, true),
        Binary::Fmod => m.integer_rem(a, b, false),
        Binary::Pow => m.integer_pow(a, b),
        _ => {
            let less = m.lt(a, b);
            if op == Binary::Min { m.select(less, a, b) } else { m.select(less, b, a) }
        }
    }
}

/// `condition ? a : b` on values of `ty`.
pub fn select(ty: Type) -> Program {
    let mut m = Maker::new();
    let (c, a, b) = (m.param(0, Type::Bool), m.param(1, ty), m.param(2, ty));
    let y = m.select(c, a, b);
    m.finish(&[Type::Bool, ty, ty], ty, y)
}

/// The second of two values.
pub fn second(ty: Type) -> Program {
    let mut m = Maker::new();
    let b = m.param(1, ty);
    m.finish(&[ty, ty], ty, b)
}

/// Conversion, see [`crate::graph::Op::Cast`].
pub fn cast(from: Type, to: Type) -> Program {
    let mut m = Maker::new();
    let x = m.param(0, from);
    let y = match to {
        _ if from == to => x,
        Type::Bool => {
            let zero = m.number(from.into(), 0.0);
            m.bin(Bin::Ne, x, zero)
        }
        Type::F32 | Type::F64 if from == Type::U64 => m.unsigned_to_float(x, to.into()),
        Type::U64 if from.is_float() => m.float_to_unsigned(x),
        Type::F32 => m.un(Un::ToF32, x),
        Type::F64 => m.un(Un::ToF64, x),
        _ if Kind::from(to) == Kind::I64 => m.un(Un::ToI64, x),
        // By way of I64, so that what is beyond I32 wraps and does not saturate.
        _ if from.is_float() && to != Type::I32 => {
            let wide = m.un(Un::ToI64, x);
            m.un(Un::ToI32, wide)
        }
        _ => m.un(Un::ToI32, x),
    };
    let y = m.wrapped(y, to);
    m.finish(&[from], to, y)
}

/// The same value; a NaN becomes the one NaN that every engine agrees on.
pub fn canonical(ty: Type) -> Program {
    let mut m = Maker::new();
    let x = m.param(0, ty);
    let y = match ty {
        Type::F32 | Type::F64 => {
            let nan = if ty == Type::F32 { 0x7fc0_0000 } else { 0x7ff8_0000_0000_0000 };
            let nan = m.bits(ty.into(), nan);
            let same = m.eq(x, x);
            m.select(same, x, nan)
        }
        _ => x,
    };
    m.finish(&[ty], ty, y)
}
