//! Accuracy of our functions against f64 arithmetic of the standard library, in units of the last place.

use beira_inference_wasm::graph::{Binary, Type, Unary};
use beira_inference_wasm::math::element;
use beira_inference_wasm::math::run::Runner;

/// Points over all magnitudes of f32, and close ones between -8 and 8.
fn points() -> impl Iterator<Item = f32> {
    let all = (0..u32::MAX).step_by(65_521).map(f32::from_bits);
    all.chain((-80_000..80_000).map(|i| i as f32 * 1e-4)).filter(|x| !x.is_nan())
}

/// Distance in units of the last place of the f32 nearest to `exact`.
fn ulps32(got: f32, exact: f64) -> f64 {
    let near = exact as f32;
    if got.is_nan() || near.is_nan() || near.is_infinite() || got.is_infinite() {
        return if got.to_bits() == near.to_bits() || (got.is_nan() && near.is_nan()) { 0.0 } else { f64::INFINITY };
    }
    let unit = f64::from(near.abs().next_up()) - f64::from(near.abs());
    (f64::from(got) - exact).abs() / unit
}

fn check32(op: Unary, exact: impl Fn(f64) -> f64, most: f64) {
    let program = element::unary(op, Type::F32).unwrap();
    let mut runner = Runner::new(&program);
    let mut worst = (0.0, 0.0);
    for x in points() {
        let got = f32::from_bits(runner.run(&[u64::from(x.to_bits())]) as u32);
        let error = ulps32(got, exact(f64::from(x)));
        if error > worst.0 {
            worst = (error, x);
        }
    }
    assert!(worst.0 <= most, "{op:?}({}): {} ULP", worst.1, worst.0);
}

#[test]
fn f32_functions_are_within_half_a_unit_and_a_little() {
    check32(Unary::Exp, f64::exp, 0.501);
    check32(Unary::Log, f64::ln, 0.501);
    check32(Unary::Tanh, f64::tanh, 0.501);
    check32(Unary::Sigmoid, |x| 1.0 / (1.0 + (-x).exp()), 0.501);
    check32(Unary::Erf, erf, 0.501);
}

/// `2/√π exp(-x²) Σ 2ⁿ x²ⁿ⁺¹ / (2n+1)!!`: all terms have one sign.
fn erf(x: f64) -> f64 {
    if x.abs() > 6.5 {
        return x.signum();
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..400 {
        term *= 2.0 * x * x / f64::from(2 * n + 1);
        sum += term;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

/// Distance in representable numbers.
fn ulps64(got: f64, exact: f64) -> u64 {
    if got.is_nan() && exact.is_nan() {
        return 0;
    }
    let ordered =
        |x: f64| if x.to_bits() >> 63 == 1 { -((x.to_bits() & !(1 << 63)) as i64) } else { x.to_bits() as i64 };
    ordered(got).abs_diff(ordered(exact))
}

#[test]
fn f64_functions_are_within_two_units() {
    let check = |op: Unary, exact: fn(f64) -> f64, low: f64, high: f64| {
        let program = element::unary(op, Type::F64).unwrap();
        let mut runner = Runner::new(&program);
        for i in 0..200_000 {
            let x = low + (high - low) * f64::from(i) / 200_000.0;
            let error = ulps64(f64::from_bits(runner.run(&[x.to_bits()])), exact(x));
            assert!(error <= 2, "{op:?}({x:e}): {error} ULP");
        }
    };
    check(Unary::Exp, f64::exp, -746.0, 710.0);
    check(Unary::Exp, f64::exp, -1.0, 1.0);
    check(Unary::Log, f64::ln, 0.0, 3.0);
    check(Unary::Log, f64::ln, 0.0, 1e-300);
    check(Unary::Log, f64::ln, 1.0, 1e9);
    check(Unary::Tanh, f64::tanh, -3.0, 3.0);
    check(Unary::Tanh, f64::tanh, -30.0, 30.0);
}

#[test]
fn powers_follow_c99() {
    let p32 = element::binary(Binary::Pow, Type::F32).unwrap();
    let p64 = element::binary(Binary::Pow, Type::F64).unwrap();
    let (mut r32, mut r64) = (Runner::new(&p32), Runner::new(&p64));
    let inf = f64::INFINITY;
    let edges = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        2.0,
        -2.0,
        3.0,
        -3.0,
        0.5,
        -0.5,
        2.5,
        inf,
        -inf,
        f64::NAN,
        1e20,
        -1e20,
        7.0,
        1e-30,
        0.999,
    ];
    let ordinary = (0..300).map(|i| 0.01 + f64::from(i) * 0.37).chain(edges);
    for x in ordinary {
        for y in edges.into_iter().chain((-60..60).map(|i| f64::from(i) * 0.73)) {
            let got = f64::from_bits(r64.run(&[x.to_bits(), y.to_bits()]));
            assert!(ulps64(got, x.powf(y)) <= 2, "pow({x}, {y}) = {got}, not {}", x.powf(y));
            let (a, b) = (x as f32, y as f32);
            let got = f32::from_bits(r32.run(&[u64::from(a.to_bits()), u64::from(b.to_bits())]) as u32);
            let exact = f64::from(a).powf(f64::from(b));
            assert!(ulps32(got, exact) <= 0.501, "pow32({a}, {b}) = {got}, not {exact}");
        }
    }
}

#[test]
fn integers_never_trap() {
    let check = |op: Binary, a: i64, b: i64, expected: i64| {
        for ty in [Type::I32, Type::I64] {
            let program = element::binary(op, ty).unwrap();
            let got = Runner::new(&program).run(&[a as u64, b as u64]);
            let got = if ty == Type::I32 { i64::from(got as u32 as i32) } else { got as i64 };
            assert_eq!(got, expected, "{op:?} {ty:?} {a} {b}");
        }
    };
    check(Binary::Div, 7, -2, -3);
    check(Binary::Div, 7, 0, 0);
    check(Binary::Mod, -7, 3, 2);
    check(Binary::Mod, 7, -3, -2);
    check(Binary::Fmod, -7, 3, -1);
    check(Binary::Mod, 7, 0, 0);
    check(Binary::Pow, -3, 3, -27);
    check(Binary::Pow, 2, 30, 1 << 30);
    check(Binary::Pow, -1, 65, -1);
    check(Binary::Pow, 2, -1, 0);
    let program = element::binary(Binary::Div, Type::I64).unwrap();
    assert_eq!(Runner::new(&program).run(&[i64::MIN as u64, -1i64 as u64]), i64::MIN as u64);
}
