//! SVMClassifier: every pair of classes has a score, and each score is a vote.

use std::cmp::Ordering;

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::array::Slice;
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::{Reducer, sigmoid};
use tract_onnx::tract_hir::internal::*;

use super::coupling::Coupling;
use super::labels::Labels;
use super::post_transform::PostTransform;
use super::svm::Kernel;
use super::{Operator, Wire, linear};
use crate::front::attributes::Attributes;

#[derive(Debug, Clone)]
pub struct SVMClassifier {
    kernel: Kernel,
    /// Support vectors, class by class; without any, the coefficients are those of linear models.
    vectors: Vec<f32>,
    /// Number of support vectors of each class.
    per_class: Vec<usize>,
    /// `[classes - 1, vectors]`, or `[classes, features]` without support vectors.
    coefficients: Vec<f32>,
    /// For each pair of classes.
    rho: Vec<f32>,
    /// Platt's sigmoid for each pair: `(a, b)`; without any, the scores are answered.
    sigmoids: Vec<(f32, f32)>,
    labels: Labels,
    post_transform: PostTransform,
}

impl Operator for SVMClassifier {
    const NAME: &'static str = "SVMClassifier";
    const OUTPUTS: usize = 2;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        let labels = Labels::parse(node)?;
        let classes = labels.len();
        let per_class = node.ints("vectors_per_class").iter().map(|n| usize::try_from(*n));
        let per_class: Vec<usize> =
            per_class.collect::<Result<_, _>>().map_err(|_| "has a negative `vectors_per_class`")?;
        let (vectors, coefficients) = (node.floats("support_vectors").to_vec(), node.floats("coefficients").to_vec());
        if per_class.iter().any(|n| *n > vectors.len()) {
            return Err("has more `vectors_per_class` than numbers in `support_vectors`".into());
        }
        let supports: usize = per_class.iter().sum();
        let rho = node.floats("rho").to_vec();
        let (a, b) = (node.floats("prob_a"), node.floats("prob_b"));
        let pairs = classes * (classes - 1) / 2;
        if classes < 2 {
            return Err("needs two class labels or more".into());
        }
        if supports > 0 {
            let fits = per_class.len() == classes
                && coefficients.len() == (classes - 1) * supports
                && vectors.len().is_multiple_of(supports)
                && rho.len() == pairs;
            if !fits {
                return Err(format!("its lists do not fit {classes} classes and {supports} support vectors"));
            }
        } else if rho.is_empty() || coefficients.is_empty() || !coefficients.len().is_multiple_of(classes) {
            return Err(format!("its lists do not fit {classes} linear models"));
        }
        if supports > 0 && !a.is_empty() && (a.len() != pairs || b.len() != pairs) {
            return Err(format!("needs `prob_a` and `prob_b` of {pairs} numbers"));
        }
        Ok(SVMClassifier {
            kernel: Kernel::parse(node)?,
            vectors,
            per_class: if supports > 0 { per_class } else { Vec::new() },
            coefficients,
            rho,
            sigmoids: a.iter().copied().zip(b.iter().copied()).collect(),
            labels,
            post_transform: PostTransform::parse(node)?,
        })
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let x = linear::features(w, inputs[0])?;
        if self.per_class.is_empty() {
            let product = linear::product(w, x, &self.coefficients, self.labels.len())?;
            let rho = w.number(self.rho[0], product)?;
            let scores = w.add(product, rho)?;
            return Ok(tvec!(self.labels.greatest(w, scores)?, self.post_transform.wire(w, scores)?));
        }
        let scores = self.pairs(w, x)?;
        let votes = self.votes(w, scores)?;
        let label = self.labels.greatest(w, votes)?;
        let answer = if !self.sigmoids.is_empty() {
            let probabilities = self.probabilities(w, scores)?;
            self.post_transform.wire(w, probabilities)?
        } else if self.rho.len() == 1 {
            self.post_transform.second_column(w, scores, false)?
        } else {
            self.post_transform.wire(w, scores)?
        };
        Ok(tvec!(label, answer))
    }
}

impl SVMClassifier {
    /// The classes of each pair, in the order of the scores.
    fn each_pair(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let classes = self.labels.len();
        (0..classes).flat_map(move |i| (i + 1..classes).map(move |j| (i, j)))
    }

    /// `[rows, pairs]`: what the support vectors of both classes say, each with the coefficients it has against the other.
    fn pairs(&self, w: &mut Wire, x: OutletId) -> TractResult<OutletId> {
        let (classes, supports) = (self.labels.len(), self.per_class.iter().sum());
        let kernels = self.kernel.wire(w, x, &self.vectors, supports)?;
        // Of each class the `classes - 1` sums over its own support vectors.
        let (mut sums, mut start) = (Vec::new(), 0);
        for count in &self.per_class {
            let own = start..start + count;
            start = own.end;
            let coefficients: Vec<f32> =
                (self.coefficients.chunks_exact(supports)).flat_map(|row| row[own.clone()].iter().copied()).collect();
            let part = w.slice(kernels, own)?;
            sums.push(linear::product(w, part, &coefficients, classes - 1)?);
        }
        let sums = w.concat(&sums)?;
        let pick = |w: &mut Wire, places: Vec<i64>| {
            let places = w.constant(tensor1(&places))?;
            w.gather(sums, places, 1)
        };
        let of_first = pick(w, self.each_pair().map(|(i, j)| (i * (classes - 1) + j - 1) as i64).collect())?;
        let of_second = pick(w, self.each_pair().map(|(i, j)| (j * (classes - 1) + i) as i64).collect())?;
        let sum = w.add(of_first, of_second)?;
        let rho = w.row(&self.rho, sum)?;
        w.add(sum, rho)
    }

    /// `[rows, classes]`: a score above 0 is a vote for the first of its pair, else for the second.
    fn votes(&self, w: &mut Wire, scores: OutletId) -> TractResult<OutletId> {
        let zero = w.number(0.0, scores)?;
        let first = w.greater(scores, zero)?;
        let first = w.cast(first, f32::datum_type())?;
        let one = w.number(1.0, first)?;
        let second = w.sub(one, first)?;
        let both = w.concat(&[first, second])?;
        let of = |class: usize| {
            let first = self.each_pair().map(move |(i, _)| f32::from(u8::from(i == class)));
            first.chain(self.each_pair().map(move |(_, j)| f32::from(u8::from(j == class))))
        };
        let weights: Vec<f32> = (0..self.labels.len()).flat_map(of).collect();
        linear::product(w, both, &weights, self.labels.len())
    }

    /// `[rows, classes]`: Platt's sigmoid of each pair, kept off 0 and 1, and what fits all of them best.
    fn probabilities(&self, w: &mut Wire, scores: OutletId) -> TractResult<OutletId> {
        let classes = self.labels.len();
        let (a, b): (Vec<f32>, Vec<f32>) = self.sigmoids.iter().map(|(a, b)| (-a, -b)).unzip();
        let (a, b) = (w.row(&a, scores)?, w.row(&b, scores)?);
        let scaled = w.mul(scores, a)?;
        let shifted = w.add(scaled, b)?;
        let first = w.element_wise(sigmoid(), shifted)?;
        let (least, most) = (w.number(1e-7, first)?, w.number(1.0 - 1e-7, first)?);
        let first = w.binary(Box::new(math::Max), first, least)?;
        let first = w.binary(Box::new(math::Min), first, most)?;
        let one = w.number(1.0, first)?;
        let second = w.sub(one, first)?;
        let zero = w.sub(first, first)?;
        let zero = w.slice(zero, 0..1)?;
        let preferred = w.concat(&[first, second, zero])?;
        // `r[i][j]`, how much class i is preferred to j, and its transpose; 0 on the diagonal.
        let pairs = self.sigmoids.len();
        let place = |i: usize, j: usize| match i.cmp(&j) {
            Ordering::Equal => 2 * pairs,
            Ordering::Less => i * classes - i * (i + 1) / 2 + j - i - 1,
            Ordering::Greater => pairs + j * classes - j * (j + 1) / 2 + i - j - 1,
        };
        let matrix = |w: &mut Wire, place: &dyn Fn(usize, usize) -> usize| {
            let all = (0..classes * classes).map(|n| place(n / classes, n % classes) as i64);
            let places = Tensor::from_shape(&[classes, classes], &all.collect::<Vec<_>>())?;
            let places = w.constant(places)?;
            w.gather(preferred, places, 1)
        };
        let (r, transposed) = (matrix(w, &place)?, matrix(w, &|i, j| place(j, i))?);
        // Q: sums of squares on the diagonal, minus the products elsewhere.
        let square = w.mul(transposed, transposed)?;
        let sums = w.reduce(Reducer::Sum, square)?;
        let unit: Vec<f32> = (0..classes * classes).map(|n| f32::from(u8::from(n % (classes + 1) == 0))).collect();
        let unit = w.constant(Tensor::from_shape(&[1, classes, classes], &unit)?)?;
        let diagonal = w.mul(sums, unit)?;
        let products = w.mul(r, transposed)?;
        let q = w.sub(diagonal, products)?;
        let both = w.apply(Coupling, &[q])?;
        let first = w.apply(Slice::new(1, 0, 1), &[both])?;
        w.apply(AxisOp::Rm(1), &[first])
    }
}
