//! A program on one number at a time.

use super::code::{Code, val_type};
use crate::math::{Bin, Kind, Program, Step, Un, Var};

/// Writes the program; `param` pushes parameter `n`. The result is left on the stack.
pub fn emit(code: &mut Code, program: &Program, param: &mut dyn FnMut(&mut Code, usize)) {
    let mut uses = vec![0; program.steps.len()];
    program.steps.iter().flat_map(|s| s.operands()).for_each(|v| uses[v.index()] += 1);
    let count = program.steps.len();
    let mut emitter = Emitter { program, kinds: program.kinds(), uses, locals: vec![None; count] };
    emitter.value(code, program.result, param);
    emitter.locals.into_iter().flatten().for_each(|local| code.release(local));
}

struct Emitter<'a> {
    program: &'a Program,
    kinds: Vec<Kind>,
    uses: Vec<u32>,
    locals: Vec<Option<u32>>,
}

impl Emitter<'_> {
    /// Pushes a value; one that is used more than once goes to a local the first time.
    fn value(&mut self, code: &mut Code, v: Var, param: &mut dyn FnMut(&mut Code, usize)) {
        if let Some(local) = self.locals[v.index()] {
            code.i().local_get(local);
            return;
        }
        let step = self.program.steps[v.index()];
        match step {
            Step::Const(kind, bits) => return code.constant(kind, bits),
            Step::Param(n, _) => param(code, n as usize),
            Step::Un(op, a) => {
                self.value(code, a, param);
                un(code, op, self.kinds[a.index()]);
            }
            Step::Bin(Bin::Fmod, a, b) => {
                self.value(code, a, param);
                self.value(code, b, param);
                super::super::lower::fmod::emit(code);
            }
            Step::Bin(op, a, b) => {
                self.value(code, a, param);
                self.value(code, b, param);
                bin(code, op, self.kinds[a.index()]);
            }
            Step::Select { cond, yes, no } => {
                self.value(code, yes, param);
                self.value(code, no, param);
                self.value(code, cond, param);
                code.i().select();
            }
        }
        if self.uses[v.index()] > 1 {
            let local = code.local(val_type(self.kinds[v.index()]));
            code.i().local_tee(local);
            self.locals[v.index()] = Some(local);
        }
    }
}

fn un(code: &mut Code, op: Un, kind: Kind) {
    let mut i = code.i();
    match (op, kind) {
        (Un::Abs, Kind::F32) => i.f32_abs(),
        (Un::Abs, _) => i.f64_abs(),
        (Un::Neg, Kind::F32) => i.f32_neg(),
        (Un::Neg, _) => i.f64_neg(),
        (Un::Floor, Kind::F32) => i.f32_floor(),
        (Un::Floor, _) => i.f64_floor(),
        (Un::Ceil, Kind::F32) => i.f32_ceil(),
        (Un::Ceil, _) => i.f64_ceil(),
        (Un::Nearest, Kind::F32) => i.f32_nearest(),
        (Un::Nearest, _) => i.f64_nearest(),
        (Un::Sqrt, Kind::F32) => i.f32_sqrt(),
        (Un::Sqrt, _) => i.f64_sqrt(),
        (Un::Eqz, Kind::I64) => i.i64_eqz(),
        (Un::Eqz, _) => i.i32_eqz(),
        (Un::ToI32, Kind::I64) => i.i32_wrap_i64(),
        (Un::ToI32, Kind::F32) => i.i32_trunc_sat_f32_s(),
        (Un::ToI32, Kind::F64) => i.i32_trunc_sat_f64_s(),
        (Un::ToI64, Kind::I32) => i.i64_extend_i32_s(),
        (Un::ToI64, Kind::F32) => i.i64_trunc_sat_f32_s(),
        (Un::ToI64, Kind::F64) => i.i64_trunc_sat_f64_s(),
        (Un::ToF32, Kind::I32) => i.f32_convert_i32_s(),
        (Un::ToF32, Kind::I64) => i.f32_convert_i64_s(),
        (Un::ToF32, Kind::F64) => i.f32_demote_f64(),
        (Un::ToF64, Kind::I32) => i.f64_convert_i32_s(),
        (Un::ToF64, Kind::I64) => i.f64_convert_i64_s(),
        (Un::ToF64, Kind::F32) => i.f64_promote_f32(),
        (Un::Bits, Kind::F32) => i.i32_reinterpret_f32(),
        (Un::Bits, _) => i.i64_reinterpret_f64(),
        (Un::FromBits, Kind::I32) => i.f32_reinterpret_i32(),
        (Un::FromBits, _) => i.f64_reinterpret_i64(),
        _ => i.nop(), // a conversion to its own kind
    };
}

/// The instruction for two operands of the kind on the stack.
pub fn bin(code: &mut Code, op: Bin, kind: Kind) {
    let mut i = code.i();
    match kind {
        Kind::F32 => match op {
            Bin::Add => i.f32_add(),
            Bin::Sub => i.f32_sub(),
            Bin::Mul => i.f32_mul(),
            Bin::Div => i.f32_div(),
            Bin::Min => i.f32_min(),
            Bin::Max => i.f32_max(),
            Bin::Eq => i.f32_eq(),
            Bin::Ne => i.f32_ne(),
            Bin::Lt => i.f32_lt(),
            Bin::Le => i.f32_le(),
            Bin::Gt => i.f32_gt(),
            Bin::Ge => i.f32_ge(),
            _ => unreachable!("{op:?} of f32"),
        },
        Kind::F64 => match op {
            Bin::Add => i.f64_add(),
            Bin::Sub => i.f64_sub(),
            Bin::Mul => i.f64_mul(),
            Bin::Div => i.f64_div(),
            Bin::Min => i.f64_min(),
            Bin::Max => i.f64_max(),
            Bin::Eq => i.f64_eq(),
            Bin::Ne => i.f64_ne(),
            Bin::Lt => i.f64_lt(),
            Bin::Le => i.f64_le(),
            Bin::Gt => i.f64_gt(),
            Bin::Ge => i.f64_ge(),
            _ => unreachable!("{op:?} of f64"),
        },
        Kind::I32 => match op {
            Bin::Add => i.i32_add(),
            Bin::Sub => i.i32_sub(),
            Bin::Mul => i.i32_mul(),
            Bin::Div => i.i32_div_s(),
            Bin::Rem => i.i32_rem_s(),
            Bin::Eq => i.i32_eq(),
            Bin::Ne => i.i32_ne(),
            Bin::Lt => i.i32_lt_s(),
            Bin::Le => i.i32_le_s(),
            Bin::Gt => i.i32_gt_s(),
            Bin::Ge => i.i32_ge_s(),
            Bin::And => i.i32_and(),
            Bin::Or => i.i32_or(),
            Bin::Xor => i.i32_xor(),
            Bin::Shl => i.i32_shl(),
            Bin::ShrS => i.i32_shr_s(),
            Bin::ShrU => i.i32_shr_u(),
            Bin::Min | Bin::Max | Bin::Fmod => unreachable!("{op:?} of i32"),
        },
        Kind::I64 => match op {
            Bin::Add => i.i64_add(),
            Bin::Sub => i.i64_sub(),
            Bin::Mul => i.i64_mul(),
            Bin::Div => i.i64_div_s(),
            Bin::Rem => i.i64_rem_s(),
            Bin::Eq => i.i64_eq(),
            Bin::Ne => i.i64_ne(),
            Bin::Lt => i.i64_lt_s(),
            Bin::Le => i.i64_le_s(),
            Bin::Gt => i.i64_gt_s(),
            Bin::Ge => i.i64_ge_s(),
            Bin::And => i.i64_and(),
            Bin::Or => i.i64_or(),
            Bin::Xor => i.i64_xor(),
            Bin::Shl => i.i64_shl(),
            Bin::ShrS => i.i64_shr_s(),
            Bin::ShrU => i.i64_shr_u(),
            Bin::Min | Bin::Max | Bin::Fmod => unreachable!("{op:?} of i64"),
        },
    };
}
