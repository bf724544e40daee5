//! `erf`: `x P(x²)` below 1, else `1 - exp(-x²) Q(t)` with `t = (x - 3) / (x + 3)`, the change of
//! variable of Schonfelder (Chebyshev expansions for the error and related functions, Mathematics
//! of Computation 32, 1978). `P` and `Q` are interpolated at Chebyshev nodes, within 2e-16.

use super::maker::Maker;
use super::program::{Bin, Kind, Un, Var};

#[expect(clippy::approx_constant, reason = "a coefficient of the interpolation, which lies beside 2/√π")]
const P: [f64; 13] = [
    1.1283791670955126,
    -0.3761263890318375,
    0.11283791670954879,
    -0.026866170645076792,
    0.0052239776248180145,
    -0.000854832698083379,
    0.0001205533111164271,
    -1.4925595266831182e-05,
    1.6461000484121368e-06,
    -1.6350312701054695e-07,
    1.4659775274047436e-08,
    -1.1372848856791674e-09,
    5.957176147748911e-11,
];
const Q: [f64; 16] = [
    0.17900115118138996,
    -0.3262335600430372,
    0.24560380171233487,
    -0.15011593650077898,
    0.07166583719747308,
    -0.024392499318915004,
    0.004269136356961225,
    0.0007077464666941425,
    -0.0005970624964924544,
    4.525434558991009e-05,
    6.406279226046039e-05,
    -1.2845780030775907e-05,
    -8.00978093907608e-06,
    2.0135111426447427e-06,
    1.2755818949624478e-06,
    3.381355142042904e-09,
];

impl Maker {
    /// erf of an f32 or f64.
    pub(super) fn erf(&mut self, x: Var) -> Var {
        let narrow = self.kind(x) == Kind::F32;
        let x = self.un(Un::ToF64, x);
        let size = self.un(Un::Abs, x);
        let z = self.mul(x, x);
        let p = self.polynomial(z, &P);
        let small = self.mul(x, p);
        // Large: from 6 on it is 1.
        let (one, three) = (self.f64(1.0), self.f64(3.0));
        let bounded = self.clamp(size, 1.0, 6.0);
        let above = self.sub(bounded, three);
        let below = self.add(bounded, three);
        let t = self.div(above, below);
        let q = self.polynomial(t, &Q);
        let square = self.mul(bounded, bounded);
        let minus = self.un(Un::Neg, square);
        let zero = self.f64(0.0);
        let e = if narrow { self.exp_short(minus) } else { self.exp_sum(minus, zero) };
        let e = self.mul(e, q);
        let large = self.sub(one, e);
        let large = self.with_sign(large, x);
        let is_small = self.bin(Bin::Lt, size, one);
        let y = self.select(is_small, small, large);
        if narrow { self.un(Un::ToF32, y) } else { y }
    }
}
