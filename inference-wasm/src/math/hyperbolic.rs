//! The hyperbolic functions and their inverses, from `exp` and `log` in f64; close to 0, where these cancel, from the first
//! terms of their series.

use super::maker::Maker;
use super::program::{Un, Var};

#[allow(missing_docs)] // one word each: the function of that name, of an f32 or f64
impl Maker {
    pub(super) fn sinh(&mut self, x: Var) -> Var {
        self.in_double(x, |m, x| {
            let (e, inverse) = m.exponentials(x);
            let half = m.f64(0.5);
            let difference = m.sub(e, inverse);
            let y = m.mul(half, difference);
            m.near_zero(x, y, 1.0 / 6.0, 1.0 / 120.0)
        })
    }

    pub(super) fn cosh(&mut self, x: Var) -> Var {
        self.in_double(x, |m, x| {
            let (e, inverse) = m.exponentials(x);
            let half = m.f64(0.5);
            let sum = m.add(e, inverse);
            m.mul(half, sum)
        })
    }

    /// `sign x · log(|x| + √(x² + 1))`
    pub(super) fn asinh(&mut self, x: Var) -> Var {
        self.in_double(x, |m, x| {
            let (size, one) = (m.un(Un::Abs, x), m.f64(1.0));
            let square = m.mul(x, x);
            let sum = m.add(square, one);
            let root = m.un(Un::Sqrt, sum);
            let sum = m.add(size, root);
            let y = m.log64(sum);
            let y = m.with_sign(y, x);
            m.near_zero(x, y, -1.0 / 6.0, 3.0 / 40.0)
        })
    }

    /// `log(x + √(x² - 1))`
    pub(super) fn acosh(&mut self, x: Var) -> Var {
        self.in_double(x, |m, x| {
            let one = m.f64(1.0);
            let (less, more) = (m.sub(x, one), m.add(x, one));
            let product = m.mul(less, more);
            let root = m.un(Un::Sqrt, product);
            let sum = m.add(x, root);
            m.log64(sum)
        })
    }

    /// `½ log((1 + x) / (1 - x))`
    pub(super) fn atanh(&mut self, x: Var) -> Var {
        self.in_double(x, |m, x| {
            let (one, half) = (m.f64(1.0), m.f64(0.5));
            let (more, less) = (m.add(one, x), m.sub(one, x));
            let ratio = m.div(more, less);
            let y = m.log64(ratio);
            let y = m.mul(half, y);
            m.near_zero(x, y, 1.0 / 3.0, 1.0 / 5.0)
        })
    }

    fn exponentials(&mut self, x: Var) -> (Var, Var) {
        let (zero, minus) = (self.f64(0.0), self.un(Un::Neg, x));
        (self.exp_sum(x, zero), self.exp_sum(minus, zero))
    }

    /// `x + a x³ + b x⁵` where |x| < 1e-3, else `y`.
    fn near_zero(&mut self, x: Var, y: Var, a: f64, b: f64) -> Var {
        let z = self.mul(x, x);
        let p = self.polynomial(z, &[1.0, a, b]);
        let series = self.mul(x, p);
        let (size, limit) = (self.un(Un::Abs, x), self.f64(1e-3));
        let small = self.lt(size, limit);
        self.select(small, series, y)
    }
}
