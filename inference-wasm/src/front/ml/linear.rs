//! The product that linear models and support vector machines share.

use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_hir::internal::*;

use super::Wire;

/// `x · coefficientsᵀ + intercepts`, as f32: `[rows, features]` to `[rows, models]`.
/// `coefficients` are listed model by model.
pub fn scores(
    w: &mut Wire,
    x: OutletId,
    coefficients: &[f32],
    intercepts: &[f32],
    models: usize,
) -> TractResult<OutletId> {
    let x = features(w, x)?;
    let product = product(w, x, coefficients, models)?;
    if intercepts.is_empty() {
        return Ok(product);
    }
    let intercepts = w.row(intercepts, product)?;
    w.add(product, intercepts)
}

/// `[rows, features]` as f32.
pub fn features(w: &mut Wire, x: OutletId) -> TractResult<OutletId> {
    let x = w.matrix(x)?;
    w.cast(x, f32::datum_type())
}

/// `x · coefficientsᵀ`: `[rows, features]` to `[rows, models]`.
pub fn product(w: &mut Wire, x: OutletId, coefficients: &[f32], models: usize) -> TractResult<OutletId> {
    let columns = w.columns(x)?;
    ensure!(
        coefficients.len() == models * columns,
        "has {} coefficients for {models} models of {columns} features",
        coefficients.len()
    );
    let weights = Tensor::from_shape(&[models, columns], coefficients)?.permute_axes(&[1, 0])?;
    let weights = w.constant(weights)?;
    let axes = AxesMapping::for_numpy_matmul(2, false, false, false)?;
    w.apply(EinSum::new(axes, f32::datum_type()), &[x, weights])
}
