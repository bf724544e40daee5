//! Integer division, remainder and power that never trap: anything divided by 0 is 0.

use super::maker::Maker;
use super::program::{Bin, Var};

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
}
