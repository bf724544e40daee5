//! `exp`: Cody and Waite's reduction `x = k ln 2 + r`, `|r| <= ln 2 / 2` (Software Manual for the
//! Elementary Functions, 1980, chapter 6), then `1 + r + r² P(r)`.
//!
//! `P` interpolates `(exp(r) - 1 - r) / r²` at Chebyshev nodes, computed with 60 digits: degree 6
//! is within 6e-11 of it (for f32), degree 9 within 3e-16 (for f64).

use super::maker::Maker;
use super::program::{Bin, Kind, Un, Var};

const P6: [f64; 7] = [
    0.5,
    0.16666666719028936,
    0.04166666671901226,
    0.00833329846980059,
    0.001388885403566671,
    0.00019899285575896282,
    2.4859589834589056e-05,
];
const P9: [f64; 10] = [
    0.5000000000000001,
    0.16666666666666669,
    0.04166666666662413,
    0.008333333333330062,
    0.0013888888917213717,
    0.00019841269863053618,
    2.4801521295954376e-05,
    2.7557268459997064e-06,
    2.7620088445409746e-07,
    2.510038549551032e-08,
];
/// ln 2 in two parts; the first has 32 bits, so that its product with `k` is exact.
const LN2_HIGH: f64 = 0.6931471803691238;
const LN2_LOW: f64 = 1.9082149292705877e-10;

impl Maker {
    /// exp of an f32 or f64.
    pub(super) fn exp(&mut self, x: Var) -> Var {
        if self.kind(x) == Kind::F64 {
            let zero = self.f64(0.0);
            return self.exp_sum(x, zero);
        }
        let x = self.un(Un::ToF64, x);
        let y = self.exp_short(x);
        self.un(Un::ToF32, y)
    }

    /// exp of an f64 to about 35 bits, for results that end as f32. Beyond ±710 it stays at exp(±710).
    pub(super) fn exp_short(&mut self, x: Var) -> Var {
        let x = self.clamp(x, -700.0, 700.0);
        let (k, r) = self.reduce(x);
        let y = self.one_plus(r, &P6);
        let scale = self.power_of_two(k);
        self.mul(y, scale)
    }

    /// exp of `x + low` in f64, where `low` is a correction far below `x`; within 1 ULP.
    pub(super) fn exp_sum(&mut self, x: Var, low: Var) -> Var {
        let x = self.clamp(x, -750.0, 710.0);
        let (k, r) = self.reduce(x);
        let r = self.add(r, low);
        let y = self.one_plus(r, &P9);
        // In two steps, so that subnormal results are rounded once and 2^1024 is never needed.
        let one = self.i32(1);
        let half = self.bin(Bin::ShrS, k, one);
        let rest = self.sub(k, half);
        let (half, rest) = (self.power_of_two(half), self.power_of_two(rest));
        let y = self.mul(y, half);
        self.mul(y, rest)
    }

    fn reduce(&mut self, x: Var) -> (Var, Var) {
        let log2e = self.f64(std::f64::consts::LOG2_E);
        let scaled = self.mul(x, log2e);
        let k = self.un(Un::Nearest, scaled);
        let (high, low) = (self.f64(LN2_HIGH), self.f64(LN2_LOW));
        let (high, low) = (self.mul(k, high), self.mul(k, low));
        let r = self.sub(x, high);
        let r = self.sub(r, low);
        (self.un(Un::ToI32, k), r)
    }

    fn one_plus(&mut self, r: Var, p: &[f64]) -> Var {
        let p = self.polynomial(r, p);
        let square = self.mul(r, r);
        let p = self.mul(square, p);
        let p = self.add(r, p);
        let one = self.f64(1.0);
        self.add(one, p)
    }

    /// `2^k` for an i32 `k` in -1022..=1023.
    fn power_of_two(&mut self, k: Var) -> Var {
        let (bias, shift) = (self.i32(1023), self.i64(52));
        let k = self.add(k, bias);
        let k = self.un(Un::ToI64, k);
        let bits = self.bin(Bin::Shl, k, shift);
        self.un(Un::FromBits, bits)
    }
}
