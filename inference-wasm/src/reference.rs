//! The same file evaluated by tract: the slow, obvious truth beside a compiled module.

use std::sync::Arc;

use contract::{Datatype, TensorSpec, half};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::scan::Scan;
use tract_onnx::tract_hir::internal::{TValue, tvec};

use crate::front::{Front, guard};
use crate::{Error, Options, Signature};

/// A model that tract evaluates. It speaks the module's memory layout: one region for each input
/// and output, row-major, little-endian, strings as i32 ids of the vocabulary in the signature,
/// booleans of one byte.
pub struct Reference {
    plan: Arc<TypedRunnableModel>,
    signature: Signature,
    rows: Vec<Option<usize>>,
}

impl std::fmt::Debug for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reference").field("signature", &self.signature).finish_non_exhaustive()
    }
}

impl Reference {
    /// Reads an ONNX file.
    ///
    /// # Errors
    /// Those of [`crate::compile`], up to its back end.
    pub fn load(onnx: &[u8]) -> Result<Reference, Error> {
        Reference::load_with(onnx, &Options::default())
    }

    /// Reads an ONNX file, with the names of features that [`crate::compile`] was given.
    ///
    /// # Errors
    /// As [`Reference::load`].
    pub fn load_with(onnx: &[u8], options: &Options) -> Result<Reference, Error> {
        let Front { signature, model, rows, .. } = Front::load(onnx, options)?;
        // tract's optimizer stumbles over some models that it evaluates well as they are, and never comes to an end with
        // some loops.
        let looped = model.nodes().iter().any(|node| node.op_is::<Scan>());
        let optimized = if looped { None } else { guard(|| model.clone().into_optimized()?.into_runnable()).ok() };
        let plan = optimized.map_or_else(|| guard(|| model.into_runnable()), Ok)?;
        Ok(Reference { plan, signature, rows })
    }

    /// Inputs and outputs; the same as in the module's manifest, but for the offsets.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Evaluates `rows` rows: regions of the inputs in, regions of the outputs out.
    ///
    /// # Errors
    /// [`Error::Input`] when a region is missing or has another size than `rows` rows have.
    pub fn run(&self, rows: usize, inputs: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Error> {
        let specs = &self.signature.inputs;
        if specs.len() != inputs.len() {
            let name = specs.get(inputs.len()).map_or(String::new(), |s| s.name.clone());
            return Err(Error::Input { name, what: format!("{} regions for {} inputs", inputs.len(), specs.len()) });
        }
        if rows == 0 || (!self.signature.row_wise && rows != 1) {
            let what = format!("{rows} rows, the model takes {}", if rows == 0 { "1 or more" } else { "1 at a time" });
            return Err(Error::Input { name: specs.first().map_or(String::new(), |s| s.name.clone()), what });
        }
        let mut tensors = tvec!();
        for (spec, region) in specs.iter().zip(inputs) {
            tensors.push(tensor(spec, rows, region)?.into_tvalue());
        }
        let results = guard(|| self.plan.run(tensors))?;
        let specs = self.signature.outputs.iter();
        specs.zip(results).zip(&self.rows).map(|((spec, result), axis)| region(spec, result, *axis, rows)).collect()
    }
}

fn tensor(spec: &TensorSpec, rows: usize, region: &[u8]) -> Result<Tensor, Error> {
    let wanted = rows * spec.row_bytes();
    if region.len() != wanted {
        let what = format!("the region has {} bytes, {rows} rows have {wanted}", region.len());
        return Err(Error::Input { name: spec.name.clone(), what });
    }
    let shape: Vec<usize> = spec.shape.iter().map(|d| if *d < 0 { rows } else { *d as usize }).collect();
    let ty = match spec.datatype {
        Datatype::Bool => DatumType::Bool,
        Datatype::Fp32 | Datatype::Fp16 => DatumType::F32,
        Datatype::Fp64 => DatumType::F64,
        Datatype::Int64 => DatumType::I64,
        Datatype::Int8 => DatumType::I8,
        Datatype::Uint8 => DatumType::U8,
        Datatype::Int16 => DatumType::I16,
        Datatype::Uint16 => DatumType::U16,
        Datatype::Uint32 => DatumType::U32,
        Datatype::Uint64 => DatumType::U64,
        _ => DatumType::I32,
    };
    if ty == DatumType::Bool && region.iter().any(|b| *b > 1) {
        return Err(Error::Input { name: spec.name.clone(), what: "a boolean is neither 0 nor 1".into() });
    }
    let mut tensor = guard(|| Tensor::zero_dt(ty, &shape))?;
    if spec.datatype == Datatype::Fp16 {
        let halves = region.as_chunks::<2>().0;
        for (to, from) in tensor.as_bytes_mut().as_chunks_mut::<4>().0.iter_mut().zip(halves) {
            *to = half::widen(u16::from_le_bytes(*from)).to_le_bytes();
        }
    } else {
        tensor.as_bytes_mut().copy_from_slice(region);
    }
    Ok(tensor)
}

/// Bytes of a result, rows first; a result without rows is repeated for each row.
fn region(spec: &TensorSpec, result: TValue, axis: Option<usize>, rows: usize) -> Result<Vec<u8>, Error> {
    let mut tensor = result.into_tensor();
    if tensor.datum_type() == TDim::datum_type() {
        tensor = guard(|| Ok(tensor.cast_to_dt(i64::datum_type())?.into_owned()))?;
    }
    let (tensor, copies) = match axis {
        Some(axis) if axis > 0 => (guard(|| tensor.move_axis(axis, 0))?, 1),
        Some(_) => (tensor, 1),
        None => (tensor, rows),
    };
    let mut bytes = tensor.as_bytes().repeat(copies);
    if spec.datatype == Datatype::Fp16 {
        let narrow = |number: &[u8; 4]| half::narrow(f32::from_le_bytes(*number)).to_le_bytes();
        bytes = bytes.as_chunks::<4>().0.iter().flat_map(narrow).collect();
    }
    if bytes.len() != rows * spec.row_bytes() {
        return Err(Error::bug(format!("output {:?} has another size than its signature says", spec.name)));
    }
    Ok(bytes)
}
