//! A table of pairs as an operator of tract: keys of one type to values of another.

use std::collections::HashMap as Map;

use tract_onnx::tract_hir::internal::*;

/// Each element is looked up among the keys; what is not there becomes the default. NaN is found by NaN.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lookup {
    /// One axis: F32, F64, I32 or I64.
    pub keys: Arc<Tensor>,
    /// As many values.
    pub values: Arc<Tensor>,
    /// One value.
    pub default: Arc<Tensor>,
}

/// Bits of each element, so that equal keys have equal bits: NaN is one NaN, −0 is 0.
pub fn bits(keys: &Tensor) -> TractResult<Vec<u64>> {
    let view = keys.try_as_plain_ram()?;
    Ok(match keys.datum_type() {
        DatumType::F32 => {
            let one = |v: &f32| if v.is_nan() { u64::MAX } else { u64::from((v + 0.0).to_bits()) };
            view.as_slice::<f32>()?.iter().map(one).collect()
        }
        DatumType::F64 => {
            let one = |v: &f64| if v.is_nan() { u64::MAX } else { (v + 0.0).to_bits() };
            view.as_slice::<f64>()?.iter().map(one).collect()
        }
        DatumType::I32 => view.as_slice::<i32>()?.iter().map(|v| *v as u64).collect(),
        DatumType::I64 => view.as_slice::<i64>()?.iter().map(|v| *v as u64).collect(),
        other => bail!("keys of type {other:?} cannot be looked up"),
    })
}

impl Op for Lookup {
    fn name(&self) -> StaticName {
        "BeiraLookup".into()
    }
    op_as_typed_op!();
}

impl EvalOp for Lookup {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let x = args_1!(inputs);
        let size = self.values.datum_type().size_of();
        let at: Map<u64, usize> = bits(&self.keys)?.into_iter().enumerate().map(|(i, key)| (key, i)).collect();
        let mut result = Tensor::zero_dt(self.values.datum_type(), x.shape())?;
        for (to, key) in result.as_bytes_mut().chunks_exact_mut(size).zip(bits(&x)?) {
            to.copy_from_slice(match at.get(&key) {
                Some(i) => &self.values.as_bytes()[i * size..][..size],
                None => self.default.as_bytes(),
            });
        }
        Ok(tvec!(result.into_tvalue()))
    }
}

impl TypedOp for Lookup {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        ensure!(inputs[0].datum_type == self.keys.datum_type(), "a lookup's keys are not of its operand's type");
        Ok(tvec!(self.values.datum_type().fact(&*inputs[0].shape)))
    }
    as_op!();
}
