//! What the support vector machines share: the kernel.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::Reducer;
use tract_onnx::tract_hir::internal::*;

use super::{Wire, linear};
use crate::front::attributes::Attributes;

/// The greatest degree that is multiplied out.
const MULTIPLIED_MAX: f32 = 16.0;

/// How alike a row and a support vector are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kernel {
    /// `x·v`
    Linear,
    /// `exp(-gamma · |x - v|²)`
    Rbf { gamma: f32 },
    /// `(gamma · x·v + coef0)^degree`
    Poly { gamma: f32, coef0: f32, degree: f32 },
    /// `tanh(gamma · x·v + coef0)`
    Sigmoid { gamma: f32, coef0: f32 },
}

impl Kernel {
    /// Attributes `kernel_type` and `kernel_params` (gamma, coef0, degree).
    pub fn parse(node: &NodeProto) -> Result<Kernel, String> {
        let (gamma, coef0, degree) = match node.floats("kernel_params") {
            [] => (0.0, 0.0, 0.0),
            [gamma, coef0, degree] => (*gamma, *coef0, *degree),
            other => return Err(format!("has {} `kernel_params`, not gamma, coef0 and degree", other.len())),
        };
        match &*node.word("kernel_type", "LINEAR") {
            "LINEAR" => Ok(Kernel::Linear),
            "RBF" => Ok(Kernel::Rbf { gamma }),
            "POLY" => Ok(Kernel::Poly { gamma, coef0, degree }),
            "SIGMOID" => Ok(Kernel::Sigmoid { gamma, coef0 }),
            _ => Err("needs a `kernel_type` of LINEAR, POLY, RBF or SIGMOID".into()),
        }
    }

    /// `[rows, features]` to `[rows, vectors]`; `vectors` are listed one after the other.
    pub fn wire(self, w: &mut Wire, x: OutletId, vectors: &[f32], count: usize) -> TractResult<OutletId> {
        let scaled = |w: &mut Wire, gamma: f32, coef0: f32| {
            let dot = linear::product(w, x, vectors, count)?;
            let (gamma, coef0) = (w.number(gamma, dot)?, w.number(coef0, dot)?);
            let scaled = w.mul(dot, gamma)?;
            w.add(scaled, coef0)
        };
        match self {
            Kernel::Linear => linear::product(w, x, vectors, count),
            Kernel::Rbf { gamma } => {
                // The difference itself: |x|² + |v|² - 2x·v would cancel.
                let columns = w.columns(x)?;
                ensure!(vectors.len() == count * columns, "has support vectors of another length than the rows");
                let vectors = w.constant(Tensor::from_shape(&[1, count, columns], vectors)?)?;
                let x = w.apply(AxisOp::Add(1), &[x])?;
                let difference = w.sub(x, vectors)?;
                let square = w.mul(difference, difference)?;
                let sum = w.reduce(Reducer::Sum, square)?;
                let distance = w.drop_last(sum)?;
                let factor = w.number(-gamma, distance)?;
                let exponent = w.mul(distance, factor)?;
                w.element_wise(math::exp(), exponent)
            }
            Kernel::Poly { gamma, coef0, degree } => {
                let base = scaled(w, gamma, coef0)?;
                if degree.fract() == 0.0 && (1.0..=MULTIPLIED_MAX).contains(&degree) {
                    return (1..degree as u32).try_fold(base, |power, _| w.mul(power, base));
                }
                let degree = w.number(degree, base)?;
                w.binary(Box::new(math::Pow), base, degree)
            }
            Kernel::Sigmoid { gamma, coef0 } => {
                let inner = scaled(w, gamma, coef0)?;
                w.element_wise(math::tanh(), inner)
            }
        }
    }
}
