//! `pow`: `exp(y log |x|)`, with the cases of C99 (Annex F.9.4.4).
//!
//! For f32 plain f64 is enough. For f64 the logarithm and the product are carried in two f64
//! ("double-double": Dekker, A floating-point technique for extending the available precision,
//! Numerische Mathematik 18, 1971), without fused multiply-add.

use super::maker::Maker;
use super::program::{Bin, Kind, Un, Var};

/// `(log(1+f) - 2s - 2s³/3) / s⁵` in `s²`: interpolated at Chebyshev nodes.
const Q: [f64; 9] = [
    0.4,
    0.28571428571428564,
    0.22222222222228424,
    0.18181818179658246,
    0.15384615760977463,
    0.13333296549572363,
    0.11766812466114947,
    0.10456341945425285,
    0.10762291418628644,
];
const TWO_THIRDS: (f64, f64) = (0.6666666666666666, 3.700743415417188e-17);
/// ln 2 in two parts; the first has 40 bits.
const LN2: (f64, f64) = (0.6931471805592082, 7.371002565167799e-13);

/// A number in two parts.
type Pair = (Var, Var);

impl Maker {
    /// `x` to the power `y`, both f32 or both f64.
    pub(super) fn pow(&mut self, x: Var, y: Var) -> Var {
        let narrow = self.kind(x) == Kind::F32;
        let (x, y) = (self.un(Un::ToF64, x), self.un(Un::ToF64, y));
        let size = self.un(Un::Abs, x);
        let bound = 73786976294838206464.0; // 2^66: beyond it every power is 0, 1 or inf
        let bounded = self.clamp(y, -bound, bound);
        let power = if narrow {
            let log = self.log64(size);
            let product = self.mul(bounded, log);
            self.exp_short(product)
        } else {
            self.pow_size(size, bounded)
        };
        let power = self.pow_edges(x, y, power);
        if narrow { self.un(Un::ToF32, power) } else { power }
    }

    fn pow_size(&mut self, x: Var, y: Var) -> Var {
        let log = self.log_pair(x);
        let (high, low) = self.product(y, log.0);
        let rest = self.mul(y, log.1);
        let low = self.add(low, rest);
        // log of 0 and of inf: only their sign counts.
        let (zero, infinity) = (self.f64(0.0), self.f64(f64::INFINITY));
        let minus = self.f64(f64::NEG_INFINITY);
        let (is_zero, is_infinite) = (self.eq(x, zero), self.eq(x, infinity));
        let edge = self.select(is_zero, minus, infinity);
        let edge = self.mul(y, edge);
        let at_edge = self.or(is_zero, is_infinite);
        let high = self.select(at_edge, edge, high);
        let size = self.un(Un::Abs, high);
        let limit = self.f64(800.0);
        let usable = self.lt(size, limit);
        let low = self.select(usable, low, zero);
        self.exp_sum(high, low)
    }

    /// log of a positive number with about 65 bits.
    fn log_pair(&mut self, x: Var) -> Pair {
        let (k, f) = self.split_power(x);
        // s = f / (2 + f)
        let two = self.f64(2.0);
        let d = self.add(two, f);
        let d_low = self.sub(d, two);
        let d_low = self.sub(f, d_low);
        let s = self.div(f, d);
        let (p, p_low) = self.product(s, d);
        let rest = self.sub(f, p);
        let rest = self.sub(rest, p_low);
        let correction = self.mul(s, d_low);
        let rest = self.sub(rest, correction);
        let s_low = self.div(rest, d);
        // s², s³
        let (z, z_low) = self.product(s, s);
        let cross = self.mul(s, s_low);
        let cross = self.add(cross, cross);
        let z_low = self.add(z_low, cross);
        let cube = self.pair_product((z, z_low), (s, s_low));
        let two_thirds = (self.f64(TWO_THIRDS.0), self.f64(TWO_THIRDS.1));
        let (t, t_low) = self.pair_product(cube, two_thirds);
        let q = self.polynomial(z, &Q);
        let q = self.mul(cube.0, q);
        let q = self.mul(q, z);
        // k ln 2 + 2 s + 2/3 s³ + s⁵ q
        let (high, low) = (self.f64(LN2.0), self.f64(LN2.1));
        let (high, low) = (self.mul(k, high), self.mul(k, low));
        let s2 = self.add(s, s);
        let s2_low = self.add(s_low, s_low);
        let (sum, e1) = self.fast_sum(high, s2);
        let (sum, e2) = self.fast_sum(sum, t);
        let mut small = self.add(low, q);
        for term in [t_low, s2_low, e2, e1] {
            small = self.add(small, term);
        }
        self.fast_sum(sum, small)
    }

    fn pair_product(&mut self, a: Pair, b: Pair) -> Pair {
        let (p, e) = self.product(a.0, b.0);
        let (c, d) = (self.mul(a.0, b.1), self.mul(a.1, b.0));
        let cross = self.add(c, d);
        let e = self.add(e, cross);
        self.fast_sum(p, e)
    }

    /// `a + b` and its rounding error, for `|a| >= |b|` or `a = 0`.
    fn fast_sum(&mut self, a: Var, b: Var) -> Pair {
        let s = self.add(a, b);
        let back = self.sub(s, a);
        (s, self.sub(b, back))
    }

    /// `a b` and its rounding error.
    fn product(&mut self, a: Var, b: Var) -> Pair {
        let p = self.mul(a, b);
        let ((a1, a2), (b1, b2)) = (self.halves(a), self.halves(b));
        let e = self.mul(a1, b1);
        let e = self.sub(e, p);
        let t = self.mul(a1, b2);
        let e = self.add(e, t);
        let t = self.mul(a2, b1);
        let e = self.add(e, t);
        let t = self.mul(a2, b2);
        (p, self.add(e, t))
    }

    /// Two parts of 26 bits (Veltkamp).
    fn halves(&mut self, a: Var) -> Pair {
        let factor = self.f64(134217729.0); // 2^27 + 1
        let c = self.mul(factor, a);
        let d = self.sub(c, a);
        let high = self.sub(c, d);
        (high, self.sub(a, high))
    }

    fn pow_edges(&mut self, x: Var, y: Var, power: Var) -> Var {
        let (zero, half, one) = (self.f64(0.0), self.f64(0.5), self.f64(1.0));
        let (nan, minus) = (self.f64(f64::NAN), self.f64(f64::NEG_INFINITY));
        let floor = self.un(Un::Floor, y);
        let whole = self.eq(floor, y);
        let halved = self.mul(y, half);
        let halved_floor = self.un(Un::Floor, halved);
        let uneven = self.bin(Bin::Ne, halved, halved_floor);
        let odd = self.and(whole, uneven);
        // The sign of an odd power is that of x, -0 included.
        let (bits, none) = (self.un(Un::Bits, x), self.i64(0));
        let signed = self.lt(bits, none);
        let flip = self.and(odd, signed);
        let flipped = self.un(Un::Neg, power);
        let mut r = self.select(flip, flipped, power);
        let negative = self.lt(x, zero);
        let finite = self.bin(Bin::Gt, x, minus);
        let broken = self.bin(Bin::Xor, whole, finite);
        let broken = self.and(broken, finite); // finite and y not whole
        let undefined = self.and(negative, broken);
        r = self.select(undefined, nan, r);
        let (x_nan, y_nan) = (self.bin(Bin::Ne, x, x), self.bin(Bin::Ne, y, y));
        let any_nan = self.or(x_nan, y_nan);
        r = self.select(any_nan, nan, r);
        let (is_one, is_zero) = (self.eq(x, one), self.eq(y, zero));
        let unit = self.or(is_one, is_zero);
        self.select(unit, one, r)
    }
}
