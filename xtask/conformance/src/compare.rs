//! An answer beside the expected one, with the tolerance of ONNX's own test runner.

use anyhow::ensure;
use contract::{Datatype, TensorSpec, half};

/// Relative and absolute tolerance, those of `onnx.backend.test`.
const RELATIVE: f64 = 1e-3;
const ABSOLUTE: f64 = 1e-7;

/// The largest distance of two floats in units of the last place; an error that names the first element beyond the
/// tolerance. Everything but floats must be equal.
pub fn compare(spec: &TensorSpec, got: &[u8], expected: &[u8]) -> anyhow::Result<u64> {
    let (name, size) = (&spec.name, spec.datatype.bytes());
    ensure!(
        got.len() == expected.len(),
        "output {name:?} has {} elements, expected {}",
        got.len() / size,
        expected.len() / size
    );
    let mut most = 0;
    for (i, (a, b)) in got.chunks_exact(size).zip(expected.chunks_exact(size)).enumerate() {
        let (x, y, ulps) = match spec.datatype {
            Datatype::Fp32 => {
                let (x, y) = (f32::from_le_bytes(bytes(a)), f32::from_le_bytes(bytes(b)));
                let ulps =
                    ordered(x.to_bits() as i32 as i64, 1 << 31).abs_diff(ordered(y.to_bits() as i32 as i64, 1 << 31));
                (f64::from(x), f64::from(y), ulps)
            }
            Datatype::Fp16 => {
                let (x, y) = (u16::from_le_bytes(bytes(a)), u16::from_le_bytes(bytes(b)));
                let ulps = ordered(i64::from(x as i16), 1 << 15).abs_diff(ordered(i64::from(y as i16), 1 << 15));
                (f64::from(half::widen(x)), f64::from(half::widen(y)), ulps)
            }
            Datatype::Fp64 => {
                let (x, y) = (f64::from_le_bytes(bytes(a)), f64::from_le_bytes(bytes(b)));
                (x, y, ordered(x.to_bits() as i64, i64::MIN).abs_diff(ordered(y.to_bits() as i64, i64::MIN)))
            }
            _ => {
                ensure!(a == b, "output {name:?} differs at element {i}");
                continue;
            }
        };
        if (x.is_nan() && y.is_nan()) || x == y {
            continue;
        }
        ensure!(
            (x - y).abs() <= ABSOLUTE + RELATIVE * y.abs(),
            "output {name:?}: element {i} is {x:e}, expected {y:e}"
        );
        most = most.max(ulps);
    }
    Ok(most)
}

/// Bits of a float as a number that grows with it; `sign` is the bit of the sign as a negative or positive number.
fn ordered(bits: i64, sign: i64) -> i64 {
    let negative = bits < 0;
    let magnitude = if sign == i64::MIN { bits & i64::MAX } else { bits & (sign - 1) };
    if negative { -magnitude } else { magnitude }
}

fn bytes<const N: usize>(slice: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(slice);
    array
}
