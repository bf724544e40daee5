//! Integer division, remainder and power that never trap: anything divided by 0 is 0.

use super::maker::Maker;
use super::program::{Bin, Kind, Un, Var};
use crate::graph::{Binary, Type};

impl Maker {
    /// Toward zero; MIN / -1 wraps.
    pub(super) fn integer_div(&mut self, a: Var, b: Var) -> Var {
        let kind = self.kind(a);
        let (zero, one, minus_one) = (self.number(kind, 0.0), self.number(kind, 1.0), self.number(kind, -1.0));
        let (by_zero, by_minus_one) = (self.eq(b, zero), self.eq(b, minus_one));
        let unsafe_ = self.or(by_zero, by_minus_one);
        let divisor = self.select(unsafe_, one, b);
        let quotient = self.div(a, divisor);
        let negated = self.sub(zero, a);
        let q = self.select(by_minus_one, negated, quotient);
        self.select(by_zero, zero, q)
    }

    /// The sign of the dividend, or of the divisor when `floor`.
    pub(super) fn integer_rem(&mut self, a: Var, b: Var, floor: bool) -> Var {
        let kind = self.kind(a);
        let (zero, minus_one) = (self.number(kind, 0.0), self.number(kind, -1.0));
        let by_zero = self.eq(b, zero);
        let divisor = self.select(by_zero, minus_one, b); // x rem -1 = 0
        let r = self.bin(Bin::Rem, a, divisor);
        if !floor {
            return r;
        }
        let mixed = self.bin(Bin::Xor, r, divisor);
        let differs = self.lt(mixed, zero);
        let nonzero = self.bin(Bin::Ne, r, zero);
        let adjust = self.and(differs, nonzero);
        let shifted = self.add(r, divisor);
        self.select(adjust, shifted, r)
    }

    /// By squaring; wraps. A negative power of anything but ±1 is 0.
    pub(super) fn integer_pow(&mut self, base: Var, exponent: Var) -> Var {
        let kind = self.kind(base);
        let (zero, one, minus_one) = (self.number(kind, 0.0), self.number(kind, 1.0), self.number(kind, -1.0));
        let sixty_four = self.number(kind, 64.0);
        let (mut power, mut square) = (one, base);
        for bit in 0..6 {
            let mask = self.number(kind, f64::from(1 << bit));
            let part = self.and(exponent, mask);
            let set = self.bin(Bin::Ne, part, zero);
            let product = self.mul(power, square);
            power = self.select(set, product, power);
            square = self.mul(square, square);
        }
        // From the 64th power on only 0 and ±1 do not overflow; the others give 0.
        let (low, high) = (self.lt(exponent, zero), self.bin(Bin::Ge, exponent, sixty_four));
        let outside = self.or(low, high);
        let last_bit = self.and(exponent, one);
        let odd = self.bin(Bin::Ne, last_bit, zero);
        let sign = self.select(odd, minus_one, one);
        let is_minus_one = self.eq(base, minus_one);
        let is_one = self.eq(base, one);
        let edge = self.select(is_minus_one, sign, zero);
        let edge = self.select(is_one, one, edge);
        self.select(outside, edge, power)
    }

    /// The number that is left when `x` is stored as `ty`.
    pub(super) fn wrapped(&mut self, x: Var, ty: Type) -> Var {
        let mask = match ty {
            Type::U8 => 0xff as f64,
            Type::U16 => 0xffff as f64,
            Type::U32 => 0xffff_ffffu32 as f64,
            Type::I8 | Type::I16 => {
                let shift = self.i32(if ty == Type::I8 { 24 } else { 16 });
                let high = self.bin(Bin::Shl, x, shift);
                return self.bin(Bin::ShrS, high, shift);
            }
            _ => return x,
        };
        let mask = self.number(ty.into(), mask);
        self.and(x, mask)
    }

    /// Whether `a < b` as U64.
    pub(super) fn below(&mut self, a: Var, b: Var) -> Var {
        let top = self.i64(i64::MIN);
        let (a, b) = (self.bin(Bin::Xor, a, top), self.bin(Bin::Xor, b, top));
        self.lt(a, b)
    }

    /// Division, remainder, least and greatest of U64; `None` for a power.
    pub(super) fn unsigned(&mut self, op: Binary, a: Var, b: Var) -> Option<Var> {
        Some(match op {
            Binary::Min | Binary::Max => {
                let less = self.below(a, b);
                if op == Binary::Min { self.select(less, a, b) } else { self.select(less, b, a) }
            }
            Binary::Div => self.unsigned_div(a, b),
            Binary::Mod | Binary::Fmod => {
                let quotient = self.unsigned_div(a, b);
                let product = self.mul(quotient, b);
                self.sub(a, product)
            }
            _ => return None,
        })
    }

    /// Half of `a` divided and doubled is at most one off; a divisor from 2^63 on fits once or not at all.
    fn unsigned_div(&mut self, a: Var, b: Var) -> Var {
        let (zero, one) = (self.i64(0), self.i64(1));
        let (large, none) = (self.lt(b, zero), self.eq(b, zero));
        let special = self.or(large, none);
        let divisor = self.select(special, one, b);
        let half = self.bin(Bin::ShrU, a, one);
        let quotient = self.div(half, divisor);
        let quotient = self.bin(Bin::Shl, quotient, one);
        let product = self.mul(quotient, divisor);
        let rest = self.sub(a, product);
        let short = self.below(rest, divisor);
        let more = self.add(quotient, one);
        let quotient = self.select(short, quotient, more);
        let less = self.below(a, b);
        let once = self.select(less, zero, one);
        let quotient = self.select(large, once, quotient);
        self.select(none, zero, quotient)
    }

    /// The nearest float; above 2^63 by way of half the number, its last bit kept for the rounding.
    pub(super) fn unsigned_to_float(&mut self, x: Var, kind: Kind) -> Var {
        let to = if kind == Kind::F32 { Un::ToF32 } else { Un::ToF64 };
        let (zero, one) = (self.i64(0), self.i64(1));
        let (half, last) = (self.bin(Bin::ShrU, x, one), self.and(x, one));
        let half = self.or(half, last);
        let half = self.un(to, half);
        let doubled = self.add(half, half);
        let plain = self.un(to, x);
        let large = self.lt(x, zero);
        self.select(large, doubled, plain)
    }

    /// Toward zero, negative numbers as if they were signed.
    pub(super) fn float_to_unsigned(&mut self, x: Var) -> Var {
        let limit = self.number(self.kind(x), 9223372036854775808.0);
        let less = self.sub(x, limit);
        let (high, low) = (self.un(Un::ToI64, less), self.un(Un::ToI64, x));
        let top = self.i64(i64::MIN);
        let high = self.bin(Bin::Xor, high, top);
        let small = self.lt(x, limit);
        self.select(small, low, high)
    }
}
