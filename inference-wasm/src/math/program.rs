//! A straight-line program on numbers: each step makes one value from earlier ones.

use crate::graph::Type;

/// What the machine holds. A boolean is an `I32`, 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Kind {
    I32,
    I64,
    F32,
    F64,
}

impl Kind {
    /// True for the floating-point kinds.
    pub fn is_float(self) -> bool {
        matches!(self, Kind::F32 | Kind::F64)
    }

    /// True for kinds of eight bytes.
    pub fn is_wide(self) -> bool {
        matches!(self, Kind::I64 | Kind::F64)
    }
}

impl From<Type> for Kind {
    fn from(ty: Type) -> Kind {
        match ty {
            Type::Bool | Type::I8 | Type::U8 | Type::I16 | Type::U16 | Type::I32 => Kind::I32,
            Type::U32 | Type::I64 | Type::U64 => Kind::I64,
            Type::F32 => Kind::F32,
            Type::F64 => Kind::F64,
        }
    }
}

/// A value of a program: the step that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Var(pub u32);

impl Var {
    /// Position in [`Program::steps`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // fields are named by the comments
pub enum Step {
    /// Parameter `n`.
    Param(u32, Kind),
    /// A constant's bits (the low four bytes for the narrow kinds).
    Const(Kind, u64),
    /// One operand.
    Un(Un, Var),
    /// Two operands of one kind.
    Bin(Bin, Var, Var),
    /// `cond != 0 ? yes : no`; both are computed.
    Select { cond: Var, yes: Var, no: Var },
}

impl Step {
    /// Operands.
    pub fn operands(self) -> impl Iterator<Item = Var> {
        let (list, n) = match self {
            Step::Param(..) | Step::Const(..) => ([Var(0); 3], 0),
            Step::Un(_, a) => ([a, a, a], 1),
            Step::Bin(_, a, b) => ([a, b, b], 2),
            Step::Select { cond, yes, no } => ([cond, yes, no], 3),
        };
        list.into_iter().take(n)
    }

    /// The same step with other operands.
    pub fn map(self, mut f: impl FnMut(Var) -> Var) -> Step {
        match self {
            Step::Un(op, a) => Step::Un(op, f(a)),
            Step::Bin(op, a, b) => Step::Bin(op, f(a), f(b)),
            Step::Select { cond, yes, no } => Step::Select { cond: f(cond), yes: f(yes), no: f(no) },
            leaf => leaf,
        }
    }
}

/// Operations of one operand. Conversions to integers go toward zero, saturate, and send NaN to 0;
/// i64 to i32 keeps the low bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Un {
    Abs,
    Neg,
    Floor,
    Ceil,
    /// Ties to even.
    Nearest,
    Sqrt,
    /// 1 when zero (integers).
    Eqz,
    ToI32,
    ToI64,
    ToF32,
    ToF64,
    /// The bits of a float as an integer of its size.
    Bits,
    /// The float with these bits.
    FromBits,
}

/// Operations of two operands. Comparisons give 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Bin {
    Add,
    Sub,
    Mul,
    /// Integers: toward zero; the program sees to it that it never divides by 0 or MIN by -1.
    Div,
    /// Integers: the sign of the dividend; never by 0.
    Rem,
    /// Floats only: NaN if either is, -0 below +0.
    Min,
    Max,
    /// F64 only: exact remainder with the sign of the dividend (C `fmod`).
    Fmod,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    And,
    Or,
    Xor,
    Shl,
    ShrS,
    ShrU,
}

impl Bin {
    /// True for those that give 0 or 1.
    pub fn is_comparison(self) -> bool {
        matches!(self, Bin::Eq | Bin::Ne | Bin::Lt | Bin::Le | Bin::Gt | Bin::Ge)
    }
}

/// A function of a few numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Program {
    /// Types of the parameters in memory.
    pub params: Vec<Type>,
    /// Type of the result in memory.
    pub ty: Type,
    /// In an order in which operands come first.
    pub steps: Vec<Step>,
    /// The step that is the result.
    pub result: Var,
}

impl Program {
    /// The kind of each step's value.
    pub fn kinds(&self) -> Vec<Kind> {
        let mut kinds = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            kinds.push(kind(*step, &kinds));
        }
        kinds
    }

    /// Steps that compute with floats: what a flop count counts.
    pub fn flops(&self) -> u64 {
        let kinds = self.kinds();
        let counts = |(i, step): (usize, &Step)| match step {
            Step::Un(Un::Bits | Un::FromBits, _) | Step::Param(..) | Step::Const(..) => false,
            Step::Bin(op, a, _) if op.is_comparison() => kinds[a.index()].is_float(),
            _ => kinds[i].is_float(),
        };
        self.steps.iter().enumerate().filter(|s| counts(*s)).count() as u64
    }

    /// True when it hands on its only parameter.
    pub fn is_copy(&self) -> bool {
        matches!(self.steps[self.result.index()], Step::Param(..))
    }
}

/// Kind of a step's value, given those before it.
pub fn kind(step: Step, kinds: &[Kind]) -> Kind {
    match step {
        Step::Param(_, kind) | Step::Const(kind, _) => kind,
        Step::Select { yes, .. } => kinds[yes.index()],
        Step::Bin(op, ..) if op.is_comparison() => Kind::I32,
        Step::Bin(_, a, _) => kinds[a.index()],
        Step::Un(op, a) => match (op, kinds[a.index()]) {
            (Un::Eqz | Un::ToI32, _) | (Un::Bits, Kind::F32) => Kind::I32,
            (Un::ToI64, _) | (Un::Bits, Kind::F64) => Kind::I64,
            (Un::ToF32, _) | (Un::FromBits, Kind::I32) => Kind::F32,
            (Un::ToF64, _) | (Un::FromBits, Kind::I64) => Kind::F64,
            (_, same) => same,
        },
    }
}
