//! The circular functions.
//!
//! `sin` and `cos`: Cody and Waite's reduction by π/2 in three parts (Software Manual for the Elementary Functions, 1980,
//! chapter 8), good for |x| up to about 1e9; then Taylor's polynomials on |r| <= π/4, within 1e-17. `atan`: the argument is
//! brought below 1 by its reciprocal and below tan(π/12) by the addition theorem, then Taylor's polynomial. The rest
//! follows from these.

use super::maker::Maker;
use super::program::{Bin, Kind, Un, Var};

/// π/2 in three parts, the first two of 33 bits.
const HALF_PI: [f64; 3] = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21];
/// sin r = r + r³ S(r²)
const S: [f64; 8] = [
    -1.0 / 6.0,
    1.0 / 120.0,
    -1.0 / 5040.0,
    1.0 / 362880.0,
    -1.0 / 39916800.0,
    1.0 / 6227020800.0,
    -1.0 / 1307674368000.0,
    1.0 / 355687428096000.0,
];
/// cos r = 1 + r² C(r²)
const C: [f64; 8] = [
    -1.0 / 2.0,
    1.0 / 24.0,
    -1.0 / 720.0,
    1.0 / 40320.0,
    -1.0 / 3628800.0,
    1.0 / 479001600.0,
    -1.0 / 87178291200.0,
    1.0 / 20922789888000.0,
];
/// atan r = r + r³ A(r²)
const A: [f64; 13] = [
    -1.0 / 3.0,
    1.0 / 5.0,
    -1.0 / 7.0,
    1.0 / 9.0,
    -1.0 / 11.0,
    1.0 / 13.0,
    -1.0 / 15.0,
    1.0 / 17.0,
    -1.0 / 19.0,
    1.0 / 21.0,
    -1.0 / 23.0,
    1.0 / 25.0,
    -1.0 / 27.0,
];

#[allow(missing_docs)] // one word each: the function of that name, of an f32 or f64
impl Maker {
    /// `f` computed in f64, rounded once to the kind of `x`.
    pub(super) fn in_double(&mut self, x: Var, f: impl FnOnce(&mut Maker, Var) -> Var) -> Var {
        let narrow = self.kind(x) == Kind::F32;
        let x = self.un(Un::ToF64, x);
        let y = f(self, x);
        if narrow { self.un(Un::ToF32, y) } else { y }
    }

    pub(super) fn sin(&mut self, x: Var) -> Var {
        self.in_double(x, |m, x| m.turned(x, 0))
    }

    pub(super) fn cos(&mut self, x: Var) -> Var {
        self.in_double(x, |m, x| m.turned(x, 1))
    }

    pub(super) fn tan(&mut self, x: Var) -> Var {
        self.in_double(x, |m, x| {
            let (sin, cos) = (m.turned(x, 0), m.turned(x, 1));
            m.div(sin, cos)
        })
    }

    pub(super) fn atan(&mut self, x: Var) -> Var {
        self.in_double(x, |m, x| m.atan64(x))
    }

    pub(super) fn asin(&mut self, x: Var) -> Var {
        self.in_double(x, |m, x| {
            let y = m.leg(x);
            let y = m.div(x, y);
            m.atan64(y)
        })
    }

    pub(super) fn acos(&mut self, x: Var) -> Var {
        // acos x = 2 atan(√(1 - x²) / (1 + x))
        self.in_double(x, |m, x| {
            let (y, one) = (m.leg(x), m.f64(1.0));
            let sum = m.add(one, x);
            let y = m.div(y, sum);
            let y = m.atan64(y);
            m.add(y, y)
        })
    }

    /// `√(1 - x²)`
    fn leg(&mut self, x: Var) -> Var {
        let one = self.f64(1.0);
        let (less, more) = (self.sub(one, x), self.add(one, x));
        let product = self.mul(less, more);
        self.un(Un::Sqrt, product)
    }

    /// sin(x + quarter π/2)
    fn turned(&mut self, x: Var, quarter: i32) -> Var {
        let scale = self.f64(std::f64::consts::FRAC_2_PI);
        let scaled = self.mul(x, scale);
        let k = self.un(Un::Nearest, scaled);
        let mut r = x;
        for part in HALF_PI {
            let part = self.f64(part);
            let part = self.mul(k, part);
            r = self.sub(r, part);
        }
        let k = self.un(Un::ToI64, k);
        let quarter = self.i64(i64::from(quarter));
        let k = self.add(k, quarter);
        let z = self.mul(r, r);
        let s = self.polynomial(z, &S);
        let cube = self.mul(r, z);
        let s = self.mul(cube, s);
        let s = self.add(r, s);
        let c = self.polynomial(z, &C);
        let c = self.mul(z, c);
        let one = self.f64(1.0);
        let c = self.add(one, c);
        let (bit, two, zero) = (self.i64(1), self.i64(2), self.i64(0));
        let odd = self.and(k, bit);
        let odd = self.bin(Bin::Ne, odd, zero);
        let y = self.select(odd, c, s);
        let half = self.and(k, two);
        let half = self.bin(Bin::Ne, half, zero);
        let minus = self.un(Un::Neg, y);
        self.select(half, minus, y)
    }

    fn atan64(&mut self, x: Var) -> Var {
        let (one, size) = (self.f64(1.0), self.un(Un::Abs, x));
        let large = self.lt(one, size);
        let inverse = self.div(one, size);
        let t = self.select(large, inverse, size);
        // Above tan(π/12): atan t = π/6 + atan((t √3 - 1) / (t + √3)).
        let (limit, root) = (self.f64(0.2679491924311227), self.f64(1.7320508075688772));
        let steep = self.lt(limit, t);
        let product = self.mul(t, root);
        let (over, under) = (self.sub(product, one), self.add(t, root));
        let moved = self.div(over, under);
        let r = self.select(steep, moved, t);
        let z = self.mul(r, r);
        let p = self.polynomial(z, &A);
        let cube = self.mul(r, z);
        let p = self.mul(cube, p);
        let y = self.add(r, p);
        let sixth = self.f64(std::f64::consts::FRAC_PI_6);
        let more = self.add(sixth, y);
        let y = self.select(steep, more, y);
        let quarter = self.f64(std::f64::consts::FRAC_PI_2);
        let rest = self.sub(quarter, y);
        let y = self.select(large, rest, y);
        self.with_sign(y, x)
    }
}
