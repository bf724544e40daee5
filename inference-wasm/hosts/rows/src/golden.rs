//! Whether a module answers its golden rows as it did where it was sealed.

use contract::{Manifest, TensorSpec};

use crate::element::number;

/// How far the numbers of a relaxed module may be apart, as a part of the larger one and of 1.
const RELAXED: f64 = 1e-3;

/// Position of the first byte of the first element that differs. Bits must be equal, but for the floats of a module that
/// declares itself relaxed: its engine may round products and sums in its own way.
pub fn differs(manifest: &Manifest, spec: &TensorSpec, answer: &[u8], expected: &[u8]) -> Option<usize> {
    let size = spec.datatype.bytes();
    let close = |a: &[u8], b: &[u8]| {
        let (a, b) = (number(spec.datatype, a), number(spec.datatype, b));
        (a - b).abs() <= RELAXED * a.abs().max(b.abs()).max(1.0) || (a.is_nan() && b.is_nan())
    };
    let same = |(a, b): (&[u8], &[u8])| a == b || (manifest.relaxed && spec.datatype.is_float() && close(a, b));
    answer.chunks(size).zip(expected.chunks(size)).position(|pair| !same(pair)).map(|element| element * size)
}
