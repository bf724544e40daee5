//! Convolutions along one axis with fewer products: two neighbouring results from `taps + 1` products where plain sums
//! take twice `taps`. Three sums over windows, of which the middle one does nearly all of the work.
//!
//! Toom and Cook's scheme with the points 0, 1, -1, 2, -2 and infinity, transposed (Winograd, Arithmetic complexity of
//! computations, 1980; Lavin and Gray, Fast algorithms for convolutional neural networks, 2016). Results differ from those
//! of plain sums by a few units in the sixth digit, and are NaN where an infinite element is near.

use tract_onnx::tract_hir::internal::*;

use super::Context;
use super::conv::Image;
use crate::graph::build::strides;
use crate::graph::{Contract, Id, Op, Strided, Type};
use crate::math::element;

/// Results that are made together.
const RESULTS: usize = 2;

/// Channels in and out from which on the products outweigh the sums before and after them.
const CHANNELS: usize = 64;

/// The points; the last one is infinity.
const POINTS: [f64; 5] = [0.0, 1.0, -1.0, 2.0, -2.0];

/// The convolution of an image with a constant kernel `[outputs, channels, extents…]`, without the bias, when it is one along
/// a single axis, step by step, of floats, and large enough.
pub(super) fn conv(
    c: &mut Context,
    image: &Image,
    (kernel, extents): (Id, &[usize]),
    groups: usize,
    steps: &[usize],
    apart: &[usize],
) -> Option<Id> {
    let (n, out) = (image.batch.len(), c.out.shape.clone());
    let outputs = out[n];
    let [axis] = (0..extents.len()).filter(|d| out[n + 1 + d] > 1 || extents[*d] > 1).collect::<Vec<_>>()[..] else {
        return None;
    };
    let (taps, results) = (extents[axis], out[n + 1 + axis]);
    let plain = c.out.ty == Type::F32 && groups == 1 && steps[axis] == 1 && apart[axis] == 1;
    let large = image.channels >= CHANNELS && outputs >= CHANNELS && results >= 8 * RESULTS;
    if !plain || !large || !(3..=POINTS.len()).contains(&taps) {
        return None;
    }
    let bytes = c.importer.graph.constant_bytes(kernel)?;
    let weights: Vec<f32> = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    let scheme = Scheme::new(taps);
    let (points, channels, pairs) = (taps + 1, image.channels, results.div_ceil(RESULTS));

    let mut spatial = image.spatial.clone();
    spatial[axis] = spatial[axis].max(pairs * RESULTS + taps - 1);
    let none = vec![0; spatial.len()];
    let image = Image { batch: image.batch.clone(), spatial: image.spatial.clone(), ..*image };
    let image = image.padded(c, &none, &none, spatial, 0);
    let (x, still) = (strides(&image.shape()), vec![0; n]);
    let along = x[n + 1 + axis];
    let batch = image.batch.clone();
    let shape = |rows: [usize; 3]| [&batch[..], &rows].concat();

    let before = c.importer.graph.f32s(&scheme.before, &[points, points]);
    let left = Strided { start: 0, outer: [&still[..], &[points, 0, 0]].concat(), inner: vec![1] };
    let right = Strided { start: 0, outer: [&x[..n], &[0, x[n], RESULTS * along]].concat(), inner: vec![along] };
    let data = sums(c, points, (left, right), vec![before, image.id], shape([points, channels, pairs]));

    let weights = c.importer.graph.f32s(&scheme.weights(&weights), &[points, outputs, channels]);
    let d = strides(&shape([points, channels, pairs]));
    let left = Strided { start: 0, outer: [&still[..], &[outputs * channels, channels, 0]].concat(), inner: vec![1] };
    let right = Strided { start: 0, outer: [&d[..n], &[d[n], 0, 1]].concat(), inner: vec![pairs] };
    let products = sums(c, channels, (left, right), vec![weights, data], shape([points, outputs, pairs]));

    let after = c.importer.graph.f32s(&scheme.after, &[RESULTS, points]);
    let p = strides(&shape([points, outputs, pairs]));
    let left = Strided { start: 0, outer: [&still[..], &[points, 0, 0]].concat(), inner: vec![1] };
    let right = Strided { start: 0, outer: [&p[..n], &[0, pairs, 1]].concat(), inner: vec![p[n]] };
    let apart = sums(c, points, (left, right), vec![after, products], shape([RESULTS, outputs, pairs]));

    let perm = (0..n).chain([n + 1, n + 2, n]).collect();
    let together = c.shaped(Op::Transpose { perm }, vec![apart], shape([outputs, pairs, RESULTS]), Type::F32);
    let mut whole = out.clone();
    whole[n + 1 + axis] = pairs * RESULTS;
    let together = c.reshape(together, &whole);
    let cut = Op::Slice { axis: n + 1 + axis, start: 0, step: 1 };
    Some(if whole == out { together } else { c.shaped(cut, vec![together], out, Type::F32) })
}

fn sums(c: &mut Context, window: usize, views: (Strided, Strided), inputs: Vec<Id>, shape: Vec<usize>) -> Id {
    let program = Arc::new(element::cast(Type::F32, Type::F32));
    let contract = Contract { inner: vec![window], left: views.0, right: views.1, program, frame: None };
    c.shaped(Op::Contract(Arc::new(contract)), inputs, shape, Type::F32)
}

/// What data, weights and products are multiplied with.
struct Scheme {
    taps: usize,
    /// `[points, points]`.
    before: Vec<f32>,
    /// `[RESULTS, points]`.
    after: Vec<f32>,
}

impl Scheme {
    fn new(taps: usize) -> Scheme {
        let points = &POINTS[..taps];
        let coefficients = |without: Option<usize>| -> Vec<f64> {
            let mut product = vec![1.0]; // of x - p over the points, lowest power first
            for (_, p) in points.iter().enumerate().filter(|(k, _)| Some(*k) != without) {
                let times_x = [&[0.0], &product[..]].concat();
                product.push(0.0);
                product = times_x.iter().zip(&product).map(|(a, b)| a - p * b).collect();
            }
            product.resize(taps + 1, 0.0);
            product
        };
        let before = (0..taps).map(Some).chain([None]).flat_map(coefficients).map(|x| x as f32).collect();
        let row = |i: usize| {
            let last = if i + 1 == RESULTS { 1.0 } else { 0.0 };
            points.iter().map(move |p| p.powi(i as i32)).chain([last]).map(|x| x as f32)
        };
        Scheme { taps, before, after: (0..RESULTS).flat_map(row).collect() }
    }

    /// Kernels `[…, taps]` as `[points, …]`.
    fn weights(&self, kernels: &[f32]) -> Vec<f32> {
        let points = &POINTS[..self.taps];
        let mut weights = Vec::with_capacity(kernels.len() / self.taps * (self.taps + 1));
        for (k, p) in points.iter().enumerate() {
            let others = points.iter().enumerate().filter(|(l, _)| *l != k);
            let scale: f64 = others.map(|(_, q)| p - q).product();
            weights.extend(kernels.chunks_exact(self.taps).map(|kernel| {
                let value = kernel.iter().rev().fold(0.0, |sum, g| sum * p + f64::from(*g));
                (value / scale) as f32
            }));
        }
        weights.extend(kernels.chunks_exact(self.taps).map(|kernel| kernel[self.taps - 1]));
        weights
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two results of one kernel are those of plain sums.
    #[test]
    fn two_results() {
        for taps in 3..=5 {
            let scheme = Scheme::new(taps);
            let points = taps + 1;
            let kernel: Vec<f32> = (0..taps).map(|j| j as f32 * 0.75 - 1.0).collect();
            let data: Vec<f32> = (0..points).map(|i| (i * i) as f32 * 0.5 - 3.0).collect();
            let weights = scheme.weights(&kernel);
            let dot = |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
            let products: Vec<f32> =
                scheme.before.chunks(points).zip(&weights).map(|(row, w)| dot(row, &data) * w).collect();
            for i in 0..RESULTS {
                let made = dot(&scheme.after[i * points..(i + 1) * points], &products);
                let plain = dot(&kernel, &data[i..]);
                assert!((made - plain).abs() < 1e-4, "{taps} taps, result {i}: {made} instead of {plain}");
            }
        }
    }
}
