//! `log`: `x = 2^k m` with `m` in `[√½, √2)`, `s = (m - 1) / (m + 1)`, and
//! `log m = 2 (s + s³/3 + s⁵/5 + …)`, arranged as in FDLIBM's `e_log.c` (Sun Microsystems, 1993) so
//! that `m - 1`, which is exact, carries the leading digits.
//!
//! The series in `s²` is interpolated at Chebyshev nodes, within 6e-17 of its value.

use super::maker::Maker;
use super::program::{Bin, Kind, Un, Var};

const L: [f64; 8] = [
    0.6666666666666666,
    0.4000000000000088,
    0.28571428570803614,
    0.22222222391713917,
    0.18181795640132906,
    0.15386239702814658,
    0.13268773138656886,
    0.13086626147840102,
];
/// ln 2 in two parts; the first has 32 bits.
const LN2_HIGH: f64 = 0.6931471803691238;
const LN2_LOW: f64 = 1.9082149292705877e-10;

impl Maker {
    /// log of an f32 or f64: -inf of 0, NaN of what is below.
    pub(super) fn log(&mut self, x: Var) -> Var {
        let narrow = self.kind(x) == Kind::F32;
        let x = self.un(Un::ToF64, x);
        let y = self.log64(x);
        if narrow { self.un(Un::ToF32, y) } else { y }
    }

    pub(super) fn log64(&mut self, x: Var) -> Var {
        let (k, f) = self.split_power(x);
        let two = self.f64(2.0);
        let sum = self.add(two, f);
        let s = self.div(f, sum);
        let z = self.mul(s, s);
        let r = self.polynomial(z, &L);
        let r = self.mul(z, r);
        // log(1 + f) = f - (f²/2 - s (f²/2 + r))
        let half = self.f64(0.5);
        let square = self.mul(f, f);
        let half_square = self.mul(half, square);
        let inner = self.add(half_square, r);
        let inner = self.mul(s, inner);
        let (high, low) = (self.f64(LN2_HIGH), self.f64(LN2_LOW));
        let (high, low) = (self.mul(k, high), self.mul(k, low));
        let inner = self.add(inner, low);
        let inner = self.sub(half_square, inner);
        let inner = self.sub(inner, f);
        let y = self.sub(high, inner);
        self.log_edges(x, y)
    }

    /// `k` (as f64) and `m - 1` of `x = 2^k m`; any number for what is not positive and finite.
    pub(super) fn split_power(&mut self, x: Var) -> (Var, Var) {
        let (tiny, lift) = (self.f64(f64::MIN_POSITIVE), self.f64(18014398509481984.0)); // 2^54
        let small = self.lt(x, tiny);
        let lifted = self.mul(x, lift);
        let x = self.select(small, lifted, x);
        let bits = self.un(Un::Bits, x);
        // Adding what lies between √½ and 1 makes the exponent change at √½.
        let offset = self.i64((1.0f64.to_bits() - std::f64::consts::FRAC_1_SQRT_2.to_bits()) as i64);
        let shift = self.i64(52);
        let moved = self.add(bits, offset);
        let k = self.bin(Bin::ShrS, moved, shift);
        let k32 = self.un(Un::ToI32, k);
        let (bias, bias_small) = (self.i32(1023), self.i32(1023 + 54));
        let bias = self.select(small, bias_small, bias);
        let exponent = self.sub(k32, bias);
        let exponent = self.un(Un::ToF64, exponent);
        let mask = self.i64((1 << 52) - 1);
        let fraction = self.and(moved, mask);
        let base = self.i64(std::f64::consts::FRAC_1_SQRT_2.to_bits() as i64);
        let m = self.add(fraction, base);
        let m = self.un(Un::FromBits, m);
        let one = self.f64(1.0);
        (exponent, self.sub(m, one))
    }

    fn log_edges(&mut self, x: Var, y: Var) -> Var {
        let (zero, infinity) = (self.f64(0.0), self.f64(f64::INFINITY));
        let (minus, nan) = (self.f64(f64::NEG_INFINITY), self.f64(f64::NAN));
        let normal = self.lt(x, infinity);
        let y = self.select(normal, y, x); // inf and NaN are their own logarithms
        let negative = self.lt(x, zero);
        let y = self.select(negative, nan, y);
        let is_zero = self.eq(x, zero);
        self.select(is_zero, minus, y)
    }
}
