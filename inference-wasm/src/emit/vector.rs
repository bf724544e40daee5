//! A program on four numbers at a time: f32 and i32 in one vector, f64 and i64 in two.
//!
//! Each lane sees the operations of the scalar form in the same order, so the bits are the same. A
//! comparison's result is a mask here (all bits or none) instead of 1 or 0.

use wasm_encoder::ValType;

use super::code::Code;
use crate::graph::Type;
use crate::math::{Bin, Kind, Program, Step, Un, Var};

/// Whether every step has a vector form.
pub fn possible(program: &Program) -> bool {
    let narrow = |ty: &Type| matches!(ty, Type::F32 | Type::I32);
    let (kinds, masks) = (program.kinds(), masks(program));
    let constant = |v: Var| matches!(program.steps[v.index()], Step::Const(..));
    let step = |(i, step): (usize, &Step)| match *step {
        Step::Param(..) | Step::Const(..) => true,
        Step::Un(op, a) => match (op, kinds[a.index()]) {
            (Un::ToF32 | Un::ToF64, Kind::I64) | (Un::ToI64, Kind::F32 | Kind::F64) | (Un::ToI32, Kind::I64) => false,
            (Un::ToF32, Kind::I32) | (Un::ToI32, Kind::F32 | Kind::F64) => true,
            _ => true,
        },
        Step::Bin(Bin::Div | Bin::Rem, a, _) if !kinds[a.index()].is_float() => false,
        Step::Bin(Bin::Fmod, ..) => false,
        Step::Bin(Bin::Shl | Bin::ShrS | Bin::ShrU, _, b) => constant(b),
        Step::Bin(..) => true,
        // A mask of a wide comparison is narrow; as a value it stays one.
        Step::Select { cond, .. } => masks[cond.index()] && !masks[i],
    };
    program.params.iter().all(narrow) && narrow(&program.ty) && program.steps.iter().enumerate().all(step)
}

/// Writes the program; `param` pushes a vector of parameter `n`. A vector of results is left on the stack.
pub fn emit(code: &mut Code, program: &Program, param: &mut dyn FnMut(&mut Code, usize)) {
    let mut last = vec![0; program.steps.len()];
    for (i, step) in program.steps.iter().enumerate() {
        step.operands().for_each(|v| last[v.index()] = i);
    }
    last[program.result.index()] = usize::MAX;
    let count = program.steps.len();
    let mut e = Emitter { program, kinds: program.kinds(), masks: masks(program), at: vec![[None; 2]; count] };
    for (i, step) in program.steps.iter().enumerate() {
        if !matches!(step, Step::Const(..)) {
            e.step(code, i, *step, param);
        }
        for v in step.operands() {
            if last[v.index()] == i {
                std::mem::take(&mut e.at[v.index()]).into_iter().flatten().for_each(|local| code.release(local));
            }
        }
    }
    e.number(code, program.result, 0);
    e.at.into_iter().flatten().flatten().for_each(|local| code.release(local));
}

/// Which values are masks.
fn masks(program: &Program) -> Vec<bool> {
    let mut masks: Vec<bool> = Vec::new();
    for step in &program.steps {
        let mask = match *step {
            Step::Bin(op, a, b) => {
                op.is_comparison()
                    || (matches!(op, Bin::And | Bin::Or | Bin::Xor) && masks[a.index()] && masks[b.index()])
            }
            Step::Un(op, _) => op == Un::Eqz,
            _ => false,
        };
        masks.push(mask);
    }
    masks
}

struct Emitter<'a> {
    program: &'a Program,
    kinds: Vec<Kind>,
    masks: Vec<bool>,
    at: Vec<[Option<u32>; 2]>,
}

impl Emitter<'_> {
    fn step(&mut self, code: &mut Code, i: usize, step: Step, param: &mut dyn FnMut(&mut Code, usize)) {
        for half in 0..if self.kinds[i].is_wide() { 2 } else { 1 } {
            match step {
                Step::Param(n, _) => param(code, n as usize),
                Step::Const(..) => {}
                Step::Un(op, a) => self.un(code, op, a, half),
                Step::Bin(op, a, b) => self.bin(code, op, a, b, self.masks[i], half),
                Step::Select { cond, yes, no } => {
                    self.number(code, yes, half);
                    self.number(code, no, half);
                    self.raw(code, cond, 0);
                    match (self.kinds[i].is_wide(), half) {
                        (false, _) => {}
                        (true, 0) => {
                            code.i().i64x2_extend_low_i32x4_s();
                        }
                        (true, _) => {
                            code.i().i64x2_extend_high_i32x4_s();
                        }
                    }
                    code.i().v128_bitselect();
                }
            }
            let local = code.local(ValType::V128);
            code.i().local_set(local);
            self.at[i][half] = Some(local);
        }
    }

    /// Pushes a value as it is: a mask as a mask.
    fn raw(&mut self, code: &mut Code, v: Var, half: usize) {
        match (self.program.steps[v.index()], self.at[v.index()][half]) {
            (Step::Const(kind, bits), _) => constant(code, kind, bits),
            (_, Some(local)) => {
                code.i().local_get(local);
            }
            (step, None) => unreachable!("{step:?} has no value"),
        }
    }

    /// Pushes a value as a number: a mask as 1 or 0.
    fn number(&mut self, code: &mut Code, v: Var, half: usize) {
        self.raw(code, v, half);
        if self.masks[v.index()] {
            constant(code, Kind::I32, 1);
            code.i().v128_and();
        }
    }

    fn un(&mut self, code: &mut Code, op: Un, a: Var, half: usize) {
        let kind = self.kinds[a.index()];
        if op == Un::Eqz && self.masks[a.index()] {
            self.raw(code, a, 0);
            code.i().v128_not();
            return;
        }
        match (op, kind) {
            (Un::ToF32, Kind::F64) => {
                // Two halves of two results each.
                self.number(code, a, 0);
                code.i().f32x4_demote_f64x2_zero();
                self.number(code, a, 1);
                code.i().f32x4_demote_f64x2_zero();
                code.i().i8x16_shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
                return;
            }
            (Un::ToI32, Kind::F64) => {
                self.number(code, a, 0);
                code.i().i32x4_trunc_sat_f64x2_s_zero();
                self.number(code, a, 1);
                code.i().i32x4_trunc_sat_f64x2_s_zero();
                code.i().i8x16_shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
                return;
            }
            (Un::Eqz, Kind::I64) => {
                for half in 0..2 {
                    self.number(code, a, half);
                    constant(code, Kind::I64, 0);
                    code.i().i64x2_eq();
                }
                narrow_mask(code);
                return;
            }
            (Un::ToF64, Kind::F32 | Kind::I32) => {
                self.number(code, a, 0);
                if half == 1 {
                    self.number(code, a, 0);
                    code.i().i8x16_shuffle([8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]);
                }
                match kind {
                    Kind::F32 => code.i().f64x2_promote_low_f32x4(),
                    _ => code.i().f64x2_convert_low_i32x4_s(),
                };
                return;
            }
            (Un::ToI64, Kind::I32) => {
                self.number(code, a, 0);
                match half {
                    0 => code.i().i64x2_extend_low_i32x4_s(),
                    _ => code.i().i64x2_extend_high_i32x4_s(),
                };
                return;
            }
            _ => {}
        }
        self.number(code, a, half);
        if matches!(op, Un::Eqz) {
            constant(code, Kind::I32, 0);
            code.i().i32x4_eq();
            return;
        }
        let mut i = code.i();
        match (op, kind) {
            (Un::Abs, Kind::F32) => i.f32x4_abs(),
            (Un::Abs, _) => i.f64x2_abs(),
            (Un::Neg, Kind::F32) => i.f32x4_neg(),
            (Un::Neg, _) => i.f64x2_neg(),
            (Un::Floor, Kind::F32) => i.f32x4_floor(),
            (Un::Floor, _) => i.f64x2_floor(),
            (Un::Ceil, Kind::F32) => i.f32x4_ceil(),
            (Un::Ceil, _) => i.f64x2_ceil(),
            (Un::Nearest, Kind::F32) => i.f32x4_nearest(),
            (Un::Nearest, _) => i.f64x2_nearest(),
            (Un::Sqrt, Kind::F32) => i.f32x4_sqrt(),
            (Un::Sqrt, _) => i.f64x2_sqrt(),
            (Un::ToF32, _) => i.f32x4_convert_i32x4_s(),
            (Un::ToI32, _) => i.i32x4_trunc_sat_f32x4_s(),
            _ => i.nop(), // the same bits under another name
        };
    }

    fn bin(&mut self, code: &mut Code, op: Bin, a: Var, b: Var, mask: bool, half: usize) {
        let kind = self.kinds[a.index()];
        if mask && !op.is_comparison() {
            self.raw(code, a, half);
            self.raw(code, b, half);
            return instruction(code, op, kind);
        }
        if let (Bin::Shl | Bin::ShrS | Bin::ShrU, Step::Const(_, bits)) = (op, self.program.steps[b.index()]) {
            self.number(code, a, half);
            code.i().i32_const(bits as i32);
            return instruction(code, op, kind);
        }
        if let (Bin::Min | Bin::Max, Step::Const(_, bits)) = (op, self.program.steps[b.index()])
            && let Some(add_zero) = bounded(op, kind, bits)
        {
            self.number(code, a, half);
            constant(code, kind, bits);
            match (op, kind) {
                (Bin::Min, Kind::F32) => code.i().f32x4_pmin(),
                (Bin::Min, _) => code.i().f64x2_pmin(),
                (_, Kind::F32) => code.i().f32x4_pmax(),
                (..) => code.i().f64x2_pmax(),
            };
            if add_zero {
                constant(code, kind, bits);
                match kind {
                    Kind::F32 => code.i().f32x4_add(),
                    _ => code.i().f64x2_add(),
                };
            }
            return;
        }
        if op.is_comparison() && kind.is_wide() {
            for half in 0..2 {
                self.number(code, a, half);
                self.number(code, b, half);
                instruction(code, op, kind);
            }
            return narrow_mask(code);
        }
        self.number(code, a, half);
        self.number(code, b, half);
        instruction(code, op, kind);
    }
}

/// Whether `min` or `max` with this constant on the right may be `pmin` or `pmax`, one instruction of every processor
/// instead of eight, and whether 0 is to be added then. Those keep their left operand where it is NaN or equals the
/// right one, so they differ in the sign of a zero alone: max(-0, 0) is 0, which adding 0 brings about; min(0, -0) is -0.
fn bounded(op: Bin, kind: Kind, bits: u64) -> Option<bool> {
    let bound = match kind {
        Kind::F32 => f64::from(f32::from_bits(bits as u32)),
        Kind::F64 => f64::from_bits(bits),
        Kind::I32 | Kind::I64 => return None,
    };
    let zero = bound == 0.0;
    match op {
        _ if bound.is_nan() || (op == Bin::Min && zero && bound.is_sign_negative()) => None,
        _ => Some(op == Bin::Max && zero && bound.is_sign_positive()),
    }
}

/// Two masks of two lanes become one of four.
fn narrow_mask(code: &mut Code) {
    code.i().i8x16_shuffle([0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]);
}

fn constant(code: &mut Code, kind: Kind, bits: u64) {
    let lane = if kind.is_wide() {
        u128::from(bits) * ((1 << 64) + 1)
    } else {
        u128::from(bits as u32) * 0x1_0000_0001_0000_0001_0000_0001
    };
    code.i().v128_const(lane as i128);
}

fn instruction(code: &mut Code, op: Bin, kind: Kind) {
    let mut i = code.i();
    match (kind, op) {
        (_, Bin::And) => i.v128_and(),
        (_, Bin::Or) => i.v128_or(),
        (_, Bin::Xor) => i.v128_xor(),
        (Kind::F32, Bin::Add) => i.f32x4_add(),
        (Kind::F32, Bin::Sub) => i.f32x4_sub(),
        (Kind::F32, Bin::Mul) => i.f32x4_mul(),
        (Kind::F32, Bin::Div) => i.f32x4_div(),
        (Kind::F32, Bin::Min) => i.f32x4_min(),
        (Kind::F32, Bin::Max) => i.f32x4_max(),
        (Kind::F32, Bin::Eq) => i.f32x4_eq(),
        (Kind::F32, Bin::Ne) => i.f32x4_ne(),
        (Kind::F32, Bin::Lt) => i.f32x4_lt(),
        (Kind::F32, Bin::Le) => i.f32x4_le(),
        (Kind::F32, Bin::Gt) => i.f32x4_gt(),
        (Kind::F32, _) => i.f32x4_ge(),
        (Kind::F64, Bin::Add) => i.f64x2_add(),
        (Kind::F64, Bin::Sub) => i.f64x2_sub(),
        (Kind::F64, Bin::Mul) => i.f64x2_mul(),
        (Kind::F64, Bin::Div) => i.f64x2_div(),
        (Kind::F64, Bin::Min) => i.f64x2_min(),
        (Kind::F64, Bin::Max) => i.f64x2_max(),
        (Kind::F64, Bin::Eq) => i.f64x2_eq(),
        (Kind::F64, Bin::Ne) => i.f64x2_ne(),
        (Kind::F64, Bin::Lt) => i.f64x2_lt(),
        (Kind::F64, Bin::Le) => i.f64x2_le(),
        (Kind::F64, Bin::Gt) => i.f64x2_gt(),
        (Kind::F64, _) => i.f64x2_ge(),
        (Kind::I32, Bin::Add) => i.i32x4_add(),
        (Kind::I32, Bin::Sub) => i.i32x4_sub(),
        (Kind::I32, Bin::Mul) => i.i32x4_mul(),
        (Kind::I32, Bin::Eq) => i.i32x4_eq(),
        (Kind::I32, Bin::Ne) => i.i32x4_ne(),
        (Kind::I32, Bin::Lt) => i.i32x4_lt_s(),
        (Kind::I32, Bin::Le) => i.i32x4_le_s(),
        (Kind::I32, Bin::Gt) => i.i32x4_gt_s(),
        (Kind::I32, Bin::Ge) => i.i32x4_ge_s(),
        (Kind::I32, Bin::Shl) => i.i32x4_shl(),
        (Kind::I32, Bin::ShrS) => i.i32x4_shr_s(),
        (Kind::I32, _) => i.i32x4_shr_u(),
        (Kind::I64, Bin::Add) => i.i64x2_add(),
        (Kind::I64, Bin::Sub) => i.i64x2_sub(),
        (Kind::I64, Bin::Mul) => i.i64x2_mul(),
        (Kind::I64, Bin::Eq) => i.i64x2_eq(),
        (Kind::I64, Bin::Ne) => i.i64x2_ne(),
        (Kind::I64, Bin::Lt) => i.i64x2_lt_s(),
        (Kind::I64, Bin::Le) => i.i64x2_le_s(),
        (Kind::I64, Bin::Gt) => i.i64x2_gt_s(),
        (Kind::I64, Bin::Ge) => i.i64x2_ge_s(),
        (Kind::I64, Bin::Shl) => i.i64x2_shl(),
        (Kind::I64, Bin::ShrS) => i.i64x2_shr_s(),
        (Kind::I64, _) => i.i64x2_shr_u(),
    };
}
