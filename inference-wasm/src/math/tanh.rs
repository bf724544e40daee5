//! `tanh` and `sigmoid`.
//!
//! `tanh x = x + x³ T(x²)` below 0.625 (the split is that of Cephes, Moshier 1989), else
//! `1 - 2 / (exp(2x) + 1)`. `T` is interpolated at Chebyshev nodes, within 7e-17 of its value.

use super::maker::Maker;
use super::program::{Bin, Kind, Un, Var};

const T: [f64; 12] = [
    -0.3333333333333333,
    0.13333333333333042,
    -0.05396825396789699,
    0.021869488519008305,
    -0.008863235103240878,
    0.0035921217511549622,
    -0.0014557754120478055,
    0.0005896606577757043,
    -0.0002375906496055562,
    9.257116129556769e-05,
    -3.12011014257974e-05,
    6.485163482793113e-06,
];

impl Maker {
    /// tanh of an f32 or f64.
    pub(super) fn tanh(&mut self, x: Var) -> Var {
        let narrow = self.kind(x) == Kind::F32;
        let x = self.un(Un::ToF64, x);
        let size = self.un(Un::Abs, x);
        // Small.
        let z = self.mul(x, x);
        let p = self.polynomial(z, &T);
        let cube = self.mul(x, z);
        let p = self.mul(cube, p);
        let small = self.add(x, p);
        // Large, with the sign put back; from 20 on it is 1.
        let (one, two, limit) = (self.f64(1.0), self.f64(2.0), self.f64(20.0));
        let bounded = self.bin(Bin::Min, size, limit);
        let doubled = self.add(bounded, bounded);
        let zero = self.f64(0.0);
        let e = if narrow { self.exp_short(doubled) } else { self.exp_sum(doubled, zero) };
        let e = self.add(e, one);
        let e = self.div(two, e);
        let large = self.sub(one, e);
        let large = self.with_sign(large, x);
        let split = self.f64(0.625);
        let is_small = self.lt(size, split);
        let y = self.select(is_small, small, large);
        if narrow { self.un(Un::ToF32, y) } else { y }
    }

    /// `1 / (1 + exp(-x))` of an f32 or f64.
    pub(super) fn sigmoid(&mut self, x: Var) -> Var {
        let narrow = self.kind(x) == Kind::F32;
        let x = self.un(Un::ToF64, x);
        let x = self.un(Un::Neg, x);
        let zero = self.f64(0.0);
        let e = if narrow { self.exp_short(x) } else { self.exp_sum(x, zero) };
        let one = self.f64(1.0);
        let e = self.add(one, e);
        let y = self.div(one, e);
        if narrow { self.un(Un::ToF32, y) } else { y }
    }

    /// `y >= 0` negated where `x < 0`.
    pub(super) fn with_sign(&mut self, y: Var, x: Var) -> Var {
        let zero = self.f64(0.0);
        let negative = self.lt(x, zero);
        let minus = self.un(Un::Neg, y);
        self.select(negative, minus, y)
    }
}
