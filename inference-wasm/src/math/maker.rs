//! Writes programs: each method adds a step, unless the same one is there or its value is known.

use std::collections::HashMap;

use super::program::{Bin, Kind, Program, Step, Un, Var, kind};
use super::run;
use crate::graph::Type;

/// A program in the making.
#[derive(Default)]
pub struct Maker {
    steps: Vec<Step>,
    kinds: Vec<Kind>,
    seen: HashMap<Step, Var>,
}

#[allow(missing_docs)] // one word each: the operation of that name
impl Maker {
    pub fn new() -> Maker {
        Maker::default()
    }

    /// The finished program. Steps that the result does not need are left out.
    pub fn finish(self, params: &[Type], ty: Type, result: Var) -> Program {
        let mut needed = vec![false; self.steps.len()];
        needed[result.index()] = true;
        for i in (0..self.steps.len()).rev().filter(|i| *i <= result.index()) {
            if needed[i] {
                self.steps[i].operands().for_each(|v| needed[v.index()] = true);
            }
        }
        let mut at = vec![Var(0); self.steps.len()];
        let mut steps = Vec::new();
        for (i, step) in self.steps.iter().enumerate().filter(|(i, _)| needed[*i]) {
            at[i] = Var(steps.len() as u32);
            steps.push(step.map(|v| at[v.index()]));
        }
        Program { params: params.to_vec(), ty, steps, result: at[result.index()] }
    }

    /// Kind of a value.
    pub fn kind(&self, v: Var) -> Kind {
        self.kinds[v.index()]
    }

    /// All steps of `program`, with its parameters replaced by values of this one.
    pub fn inline(&mut self, program: &Program, params: &[Var]) -> Var {
        let mut at: Vec<Var> = Vec::with_capacity(program.steps.len());
        for step in &program.steps {
            let v = match *step {
                Step::Param(n, _) => params[n as usize],
                other => self.step(other.map(|v| at[v.index()])),
            };
            at.push(v);
        }
        at[program.result.index()]
    }

    pub fn param(&mut self, n: usize, ty: Type) -> Var {
        self.step(Step::Param(n as u32, ty.into()))
    }

    pub fn f64(&mut self, x: f64) -> Var {
        self.step(Step::Const(Kind::F64, x.to_bits()))
    }

    pub fn i32(&mut self, x: i32) -> Var {
        self.step(Step::Const(Kind::I32, u64::from(x as u32)))
    }

    pub fn i64(&mut self, x: i64) -> Var {
        self.step(Step::Const(Kind::I64, x as u64))
    }

    /// A constant of the kind, from its bits.
    pub fn bits(&mut self, kind: Kind, bits: u64) -> Var {
        self.step(Step::Const(kind, bits))
    }

    /// The number `x` in the kind.
    pub fn number(&mut self, kind: Kind, x: f64) -> Var {
        let bits = match kind {
            Kind::I32 => u64::from(x as i32 as u32),
            Kind::I64 => x as i64 as u64,
            Kind::F32 => u64::from((x as f32).to_bits()),
            Kind::F64 => x.to_bits(),
        };
        self.bits(kind, bits)
    }

    /// A conversion to the kind that a value already has is the value.
    pub fn un(&mut self, op: Un, a: Var) -> Var {
        match (op, self.kind(a)) {
            (Un::ToI32, Kind::I32) | (Un::ToI64, Kind::I64) | (Un::ToF32, Kind::F32) | (Un::ToF64, Kind::F64) => a,
            _ => self.step(Step::Un(op, a)),
        }
    }

    pub fn bin(&mut self, op: Bin, a: Var, b: Var) -> Var {
        self.step(Step::Bin(op, a, b))
    }

    pub fn add(&mut self, a: Var, b: Var) -> Var {
        self.bin(Bin::Add, a, b)
    }

    pub fn sub(&mut self, a: Var, b: Var) -> Var {
        self.bin(Bin::Sub, a, b)
    }

    pub fn mul(&mut self, a: Var, b: Var) -> Var {
        self.bin(Bin::Mul, a, b)
    }

    pub fn div(&mut self, a: Var, b: Var) -> Var {
        self.bin(Bin::Div, a, b)
    }

    pub fn eq(&mut self, a: Var, b: Var) -> Var {
        self.bin(Bin::Eq, a, b)
    }

    pub fn lt(&mut self, a: Var, b: Var) -> Var {
        self.bin(Bin::Lt, a, b)
    }

    pub fn and(&mut self, a: Var, b: Var) -> Var {
        self.bin(Bin::And, a, b)
    }

    pub fn or(&mut self, a: Var, b: Var) -> Var {
        self.bin(Bin::Or, a, b)
    }

    pub fn select(&mut self, cond: Var, yes: Var, no: Var) -> Var {
        self.step(Step::Select { cond, yes, no })
    }

    /// `min(max(x, low), high)`; NaN stays.
    pub fn clamp(&mut self, x: Var, low: f64, high: f64) -> Var {
        let (low, high) = (self.number(self.kind(x), low), self.number(self.kind(x), high));
        let x = self.bin(Bin::Max, x, low);
        self.bin(Bin::Min, x, high)
    }

    /// Horner's rule: `c[0] + x (c[1] + x (c[2] + …))` in f64.
    pub fn polynomial(&mut self, x: Var, c: &[f64]) -> Var {
        let mut sum = self.f64(c[c.len() - 1]);
        for c in c[..c.len() - 1].iter().rev() {
            let product = self.mul(sum, x);
            let c = self.f64(*c);
            sum = self.add(product, c);
        }
        sum
    }

    fn step(&mut self, step: Step) -> Var {
        if let Some(v) = self.seen.get(&step) {
            return *v;
        }
        if let Some(known) = self.known(step) {
            return self.step(known);
        }
        let v = Var(self.steps.len() as u32);
        self.kinds.push(kind(step, &self.kinds));
        self.steps.push(step);
        self.seen.insert(step, v);
        v
    }

    /// The constant that a step over constants makes.
    fn known(&self, step: Step) -> Option<Step> {
        if matches!(step, Step::Param(..) | Step::Const(..)) {
            return None;
        }
        let value = |v: Var| match self.steps[v.index()] {
            Step::Const(_, bits) => Some(bits),
            _ => None,
        };
        let bits = match step {
            Step::Un(op, a) => run::un(op, self.kind(a), value(a)?),
            Step::Bin(op, a, b) => run::bin(op, self.kind(a), value(a)?, value(b)?),
            Step::Select { cond, yes, no } => {
                let (yes, no) = (value(yes)?, value(no)?);
                if value(cond)? as u32 != 0 { yes } else { no }
            }
            _ => return None,
        };
        Some(Step::Const(kind(step, &self.kinds), bits))
    }
}
