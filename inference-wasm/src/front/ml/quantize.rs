//! QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear, and the products of quantized matrices, spelled in ordinary
//! arithmetic: integers stay exact in i32.

use tract_onnx::pb::NodeProto;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer};
use tract_onnx::tract_hir::internal::*;

use super::{Operator, Wire};
use crate::front::attributes::Attributes;

/// One number, or one for each element along `axis`, beside `x`.
pub fn beside(w: &mut Wire, p: OutletId, x: OutletId, axis: i64) -> TractResult<OutletId> {
    let rank = w.rank(x)?;
    let axis = if axis < 0 { axis + rank as i64 } else { axis } as usize;
    let mut p = p;
    if w.rank(p)? == 1 && w.shape(p)?[0] != 1.to_dim() {
        ensure!(axis < rank, "has an axis beyond its input");
        for _ in 0..axis {
            p = w.apply(AxisOp::Add(0), &[p])?;
        }
    }
    ensure!(w.rank(p)? <= rank.max(1), "has scales with more axes than its input");
    while w.rank(p)? < rank {
        let end = w.rank(p)?;
        p = w.apply(AxisOp::Add(end), &[p])?;
    }
    while w.rank(p)? > rank {
        p = w.apply(AxisOp::Rm(0), &[p])?;
    }
    Ok(p)
}

/// The same where each number of `p` goes for `block` elements along `axis`; 0: there are no blocks.
fn by_block(w: &mut Wire, p: OutletId, x: OutletId, axis: i64, block: usize) -> TractResult<OutletId> {
    if block == 0 {
        return beside(w, p, x, axis);
    }
    let axis = w.axis(x, axis)?;
    ensure!(w.rank(p)? == w.rank(x)?, "needs scales with as many axes as its input has, as it is quantized in blocks");
    let (blocks, n) = (w.shape(p)?[axis].to_usize(), w.shape(x)?[axis].to_usize());
    let (blocks, n) = (blocks.context("needs fixed sizes")?, n.context("needs fixed sizes")?);
    ensure!(n.div_ceil(block) == blocks, "has {blocks} blocks of {block} for {n} elements");
    let places: Vec<i64> = (0..n).map(|i| (i / block) as i64).collect();
    let places = w.constant(tensor1(&places))?;
    w.gather(p, places, axis)
}

/// Attribute `block_size`.
fn block(node: &NodeProto) -> Result<usize, String> {
    usize::try_from(node.int("block_size", 0)).map_err(|_| "has a negative `block_size`".into())
}

/// Rounded to even, the zero point added, brought into the range of `to`.
pub fn quantized(w: &mut Wire, x: OutletId, zero: Option<OutletId>, to: DatumType) -> TractResult<OutletId> {
    let mut y = w.element_wise(ElementWiseOp(Box::new(math::RoundHalfToEven {}), None), x)?;
    if let Some(zero) = zero {
        let zero = w.cast(zero, f32::datum_type())?;
        y = w.add(y, zero)?;
    }
    let (low, high) = match to {
        DatumType::U8 => (0.0, 255.0),
        DatumType::I8 => (-128.0, 127.0),
        DatumType::U16 => (0.0, 65535.0),
        DatumType::I16 => (-32768.0, 32767.0),
        other => bail!("has results of type {other:?}, which are not supported"),
    };
    let (low, high) = (w.number(low, y)?, w.number(high, y)?);
    let y = w.binary(Box::new(math::Max), y, low)?;
    let y = w.binary(Box::new(math::Min), y, high)?;
    w.cast(y, to)
}

#[derive(Debug, Clone)]
pub struct QuantizeLinear {
    axis: i64,
    block: usize,
    to: Option<i64>,
}

impl Operator for QuantizeLinear {
    const NAME: &'static str = "QuantizeLinear";
    const INPUTS: usize = 2;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        let to = node.find("output_dtype").map(|a| a.i).filter(|t| *t != 0);
        Ok(QuantizeLinear { axis: node.int("axis", 1), block: block(node)?, to })
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let to = match (inputs.get(2), self.to.and_then(|t| DataType::try_from(t as i32).ok())) {
            (Some(zero), _) => w.ty(*zero)?,
            (None, Some(DataType::Int8)) => DatumType::I8,
            (None, Some(DataType::Int16)) => DatumType::I16,
            (None, Some(DataType::Uint16)) => DatumType::U16,
            (None, None | Some(DataType::Uint8)) => DatumType::U8,
            (None, Some(other)) => bail!("has results of type {}, which are not supported", other.as_str_name()),
        };
        let x = w.cast(inputs[0], f32::datum_type())?;
        let scale = by_block(w, inputs[1], x, self.axis, self.block)?;
        let scale = w.cast(scale, f32::datum_type())?;
        let y = w.div(x, scale)?;
        let zero = inputs.get(2).map(|zero| by_block(w, *zero, x, self.axis, self.block)).transpose()?;
        Ok(tvec!(quantized(w, y, zero, to)?))
    }
}

#[derive(Debug, Clone)]
pub struct DequantizeLinear {
    axis: i64,
    block: usize,
}

impl Operator for DequantizeLinear {
    const NAME: &'static str = "DequantizeLinear";
    const INPUTS: usize = 2;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        Ok(DequantizeLinear { axis: node.int("axis", 1), block: block(node)? })
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let mut x = w.cast(inputs[0], i32::datum_type())?;
        let scale = by_block(w, inputs[1], x, self.axis, self.block)?;
        if let Some(zero) = inputs.get(2) {
            let zero = by_block(w, *zero, x, self.axis, self.block)?;
            let zero = w.cast(zero, i32::datum_type())?;
            x = w.sub(x, zero)?;
        }
        let x = w.cast(x, w.ty(scale)?)?;
        Ok(tvec!(w.mul(x, scale)?))
    }
}

#[derive(Debug, Clone)]
pub struct DynamicQuantizeLinear;

impl Operator for DynamicQuantizeLinear {
    const NAME: &'static str = "DynamicQuantizeLinear";
    const OUTPUTS: usize = 3;

    fn parse(_: &NodeProto) -> Result<Self, String> {
        Ok(DynamicQuantizeLinear)
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let x = inputs[0];
        let extreme = |w: &mut Wire, reducer: Reducer| -> TractResult<OutletId> {
            let axes = (0..w.rank(x)?).collect();
            let mut y = w.apply(Reduce { axes, reducer }, &[x])?;
            for axis in (0..w.rank(y)?).rev() {
                y = w.apply(AxisOp::Rm(axis), &[y])?;
            }
            Ok(y)
        };
        let (least, greatest) = (extreme(w, Reducer::Min)?, extreme(w, Reducer::Max)?);
        let zero = w.number(0.0, least)?;
        let least = w.binary(Box::new(math::Min), least, zero)?;
        let greatest = w.binary(Box::new(math::Max), greatest, zero)?;
        let steps = w.number(255.0, least)?;
        let range = w.sub(greatest, least)?;
        let scale = w.div(range, steps)?;
        let start = w.sub(zero, least)?;
        let start = w.div(start, scale)?;
        let start = quantized(w, start, None, DatumType::U8)?;
        let (wide, point) = (beside(w, scale, x, 0)?, beside(w, start, x, 0)?);
        let y = w.div(x, wide)?;
        Ok(tvec!(quantized(w, y, Some(point), DatumType::U8)?, scale, start))
    }
}

/// An integer tensor as i32, its zero point taken off.
pub fn centred(w: &mut Wire, (x, zero): (OutletId, Option<OutletId>), axis: i64) -> TractResult<OutletId> {
    let x = w.cast(x, i32::datum_type())?;
    let Some(zero) = zero else { return Ok(x) };
    let zero = beside(w, zero, x, axis)?;
    let zero = w.cast(zero, i32::datum_type())?;
    w.sub(x, zero)
}

/// The product of two integer matrices, their zero points taken off first.
fn product(w: &mut Wire, a: (OutletId, Option<OutletId>), b: (OutletId, Option<OutletId>)) -> TractResult<OutletId> {
    let (mut a, mut b) = (centred(w, a, -2)?, centred(w, b, -1)?);
    let rank = w.rank(a)?.max(w.rank(b)?);
    ensure!(w.rank(a)? >= 2 && w.rank(b)? >= 2, "needs matrices");
    for x in [&mut a, &mut b] {
        while w.rank(*x)? < rank {
            *x = w.apply(AxisOp::Add(0), &[*x])?;
        }
    }
    let (columns, rows) = (w.shape(a)?[rank - 1].clone(), w.shape(b)?[rank - 2].clone());
    ensure!(columns == rows, "the first matrix has {columns} columns, the second {rows} rows");
    let axes = AxesMapping::for_numpy_matmul(rank, false, false, false)?;
    w.apply(EinSum::new(axes, i32::datum_type()), &[a, b])
}

#[derive(Debug, Clone)]
pub struct MatMulInteger;

impl Operator for MatMulInteger {
    const NAME: &'static str = "MatMulInteger";
    const INPUTS: usize = 2;

    fn parse(_: &NodeProto) -> Result<Self, String> {
        Ok(MatMulInteger)
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        Ok(tvec!(product(w, (inputs[0], inputs.get(2).copied()), (inputs[1], inputs.get(3).copied()))?))
    }
}

#[derive(Debug, Clone)]
pub struct QLinearMatMul;

impl Operator for QLinearMatMul {
    const NAME: &'static str = "QLinearMatMul";
    const INPUTS: usize = 8;

    fn parse(_: &NodeProto) -> Result<Self, String> {
        Ok(QLinearMatMul)
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let [a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero] = inputs[..] else { bail!("needs 8 inputs") };
        let sums = product(w, (a, Some(a_zero)), (b, Some(b_zero)))?;
        let sums = w.cast(sums, f32::datum_type())?;
        let scale = |w: &mut Wire, x: OutletId, axis: i64| -> TractResult<OutletId> {
            let x = beside(w, x, sums, axis)?;
            w.cast(x, f32::datum_type())
        };
        let (a_scale, b_scale, y_scale) = (scale(w, a_scale, -2)?, scale(w, b_scale, -1)?, scale(w, y_scale, -2)?);
        let factor = w.mul(a_scale, b_scale)?;
        let factor = w.div(factor, y_scale)?;
        let y = w.mul(sums, factor)?;
        let zero = beside(w, y_zero, sums, -2)?;
        Ok(tvec!(quantized(w, y, Some(zero), w.ty(y_zero)?)?))
    }
}
