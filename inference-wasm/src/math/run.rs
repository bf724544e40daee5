//! Runs programs natively, with exactly the results that WebAssembly's definition gives.

use super::program::{Bin, Kind, Program, Step, Un, kind};

/// Evaluates a program again and again without allocating.
pub struct Runner<'a> {
    program: &'a Program,
    kinds: Vec<Kind>,
    values: Vec<u64>,
}

impl<'a> Runner<'a> {
    /// A runner of `program`.
    pub fn new(program: &'a Program) -> Runner<'a> {
        let mut kinds = Vec::new();
        for step in &program.steps {
            kinds.push(kind(*step, &kinds));
        }
        Runner { program, kinds, values: vec![0; program.steps.len()] }
    }

    /// The result's bits for the parameters' bits.
    pub fn run(&mut self, params: &[u64]) -> u64 {
        for (i, step) in self.program.steps.iter().enumerate() {
            let v = &self.values;
            self.values[i] = match *step {
                Step::Param(n, _) => params[n as usize],
                Step::Const(_, bits) => bits,
                Step::Un(op, a) => un(op, self.kinds[a.index()], v[a.index()]),
                Step::Bin(op, a, b) => bin(op, self.kinds[a.index()], v[a.index()], v[b.index()]),
                Step::Select { cond, yes, no } => v[if v[cond.index()] as u32 != 0 { yes } else { no }.index()],
            };
        }
        self.values[self.program.result.index()]
    }
}

/// One operand of `kind`, as bits.
pub fn un(op: Un, kind: Kind, a: u64) -> u64 {
    match kind {
        Kind::F32 => {
            let x = f32::from_bits(a as u32);
            match op {
                Un::Abs => of32(x.abs()),
                Un::Neg => of32(-x),
                Un::Floor => of32(x.floor()),
                Un::Ceil => of32(x.ceil()),
                Un::Nearest => of32(x.round_ties_even()),
                Un::Sqrt => of32(x.sqrt()),
                Un::ToI32 => of_i32(x as i32),
                Un::ToI64 => x as i64 as u64,
                Un::ToF64 => f64::from(x).to_bits(),
                Un::ToF32 | Un::Bits => a,
                Un::Eqz | Un::FromBits => unreachable!("{op:?} of a float"),
            }
        }
        Kind::F64 => {
            let x = f64::from_bits(a);
            match op {
                Un::Abs => x.abs().to_bits(),
                Un::Neg => (-x).to_bits(),
                Un::Floor => x.floor().to_bits(),
                Un::Ceil => x.ceil().to_bits(),
                Un::Nearest => x.round_ties_even().to_bits(),
                Un::Sqrt => x.sqrt().to_bits(),
                Un::ToI32 => of_i32(x as i32),
                Un::ToI64 => x as i64 as u64,
                Un::ToF32 => of32(x as f32),
                Un::ToF64 | Un::Bits => a,
                Un::Eqz | Un::FromBits => unreachable!("{op:?} of a float"),
            }
        }
        Kind::I32 => {
            let x = a as u32 as i32;
            match op {
                Un::Eqz => u64::from(x == 0),
                Un::ToI64 => i64::from(x) as u64,
                Un::ToF32 => of32(x as f32),
                Un::ToF64 => f64::from(x).to_bits(),
                Un::FromBits | Un::ToI32 => a,
                _ => unreachable!("{op:?} of an integer"),
            }
        }
        Kind::I64 => {
            let x = a as i64;
            match op {
                Un::Eqz => u64::from(x == 0),
                Un::ToI32 => of_i32(x as i32),
                Un::ToF32 => of32(x as f32),
                Un::ToF64 => (x as f64).to_bits(),
                Un::FromBits | Un::ToI64 => a,
                _ => unreachable!("{op:?} of an integer"),
            }
        }
    }
}

/// Two operands of `kind`, as bits.
pub fn bin(op: Bin, kind: Kind, a: u64, b: u64) -> u64 {
    match kind {
        Kind::F32 => {
            let (x, y) = (f32::from_bits(a as u32), f32::from_bits(b as u32));
            match op {
                Bin::Add => of32(x + y),
                Bin::Sub => of32(x - y),
                Bin::Mul => of32(x * y),
                Bin::Div => of32(x / y),
                Bin::Min => of32(min(f64::from(x), f64::from(y)) as f32),
                Bin::Max => of32(max(f64::from(x), f64::from(y)) as f32),
                _ => compare(op, x, y),
            }
        }
        Kind::F64 => {
            let (x, y) = (f64::from_bits(a), f64::from_bits(b));
            match op {
                Bin::Add => (x + y).to_bits(),
                Bin::Sub => (x - y).to_bits(),
                Bin::Mul => (x * y).to_bits(),
                Bin::Div => (x / y).to_bits(),
                Bin::Min => min(x, y).to_bits(),
                Bin::Max => max(x, y).to_bits(),
                Bin::Fmod => (x % y).to_bits(),
                _ => compare(op, x, y),
            }
        }
        Kind::I32 => {
            let (x, y) = (a as u32 as i32, b as u32 as i32);
            match op {
                Bin::Add => of_i32(x.wrapping_add(y)),
                Bin::Sub => of_i32(x.wrapping_sub(y)),
                Bin::Mul => of_i32(x.wrapping_mul(y)),
                Bin::Div => of_i32(x.wrapping_div(y)),
                Bin::Rem => of_i32(x.wrapping_rem(y)),
                Bin::And => of_i32(x & y),
                Bin::Or => of_i32(x | y),
                Bin::Xor => of_i32(x ^ y),
                Bin::Shl => of_i32(x.wrapping_shl(y as u32)),
                Bin::ShrS => of_i32(x.wrapping_shr(y as u32)),
                Bin::ShrU => u64::from((x as u32).wrapping_shr(y as u32)),
                _ => compare(op, x, y),
            }
        }
        Kind::I64 => {
            let (x, y) = (a as i64, b as i64);
            match op {
                Bin::Add => x.wrapping_add(y) as u64,
                Bin::Sub => x.wrapping_sub(y) as u64,
                Bin::Mul => x.wrapping_mul(y) as u64,
                Bin::Div => x.wrapping_div(y) as u64,
                Bin::Rem => x.wrapping_rem(y) as u64,
                Bin::And => a & b,
                Bin::Or => a | b,
                Bin::Xor => a ^ b,
                Bin::Shl => x.wrapping_shl(y as u32) as u64,
                Bin::ShrS => x.wrapping_shr(y as u32) as u64,
                Bin::ShrU => a.wrapping_shr(y as u32),
                _ => compare(op, x, y),
            }
        }
    }
}

fn compare<T: PartialOrd>(op: Bin, x: T, y: T) -> u64 {
    u64::from(match op {
        Bin::Eq => x == y,
        Bin::Ne => x != y,
        Bin::Lt => x < y,
        Bin::Le => x <= y,
        Bin::Gt => x > y,
        Bin::Ge => x >= y,
        _ => unreachable!("{op:?} is not defined for this kind"),
    })
}

/// WebAssembly's `min`: NaN if either is, -0 below +0.
fn min(x: f64, y: f64) -> f64 {
    if x.is_nan() || y.is_nan() {
        f64::NAN
    } else if x < y || (x == y && x.is_sign_negative()) {
        x
    } else {
        y
    }
}

/// WebAssembly's `max`.
fn max(x: f64, y: f64) -> f64 {
    if x.is_nan() || y.is_nan() {
        f64::NAN
    } else if x > y || (x == y && x.is_sign_positive()) {
        x
    } else {
        y
    }
}

fn of32(x: f32) -> u64 {
    u64::from(x.to_bits())
}

fn of_i32(x: i32) -> u64 {
    u64::from(x as u32)
}
