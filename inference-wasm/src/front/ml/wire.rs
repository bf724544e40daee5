//! Short words for adding tract's core operators to a model.

use tract_onnx::tract_core::ops::array::{Gather, Slice, TypedConcat};
use tract_onnx::tract_core::ops::binary::{BinMiniOp, TypedBinOp};
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer};
use tract_onnx::tract_core::ops::{cast, element_wise::ElementWiseOp, logic, math};
use tract_onnx::tract_hir::internal::*;

/// Adds nodes to a model, named after one ONNX node.
pub struct Wire<'a> {
    model: &'a mut TypedModel,
    prefix: &'a str,
    count: usize,
}

impl<'a> Wire<'a> {
    pub fn new(model: &'a mut TypedModel, prefix: &'a str) -> Self {
        Wire { model, prefix, count: 0 }
    }

    pub fn ty(&self, x: OutletId) -> TractResult<DatumType> {
        Ok(self.model.outlet_fact(x)?.datum_type)
    }

    pub fn shape(&self, x: OutletId) -> TractResult<TVec<TDim>> {
        Ok(self.model.outlet_fact(x)?.shape.to_tvec())
    }

    pub fn rank(&self, x: OutletId) -> TractResult<usize> {
        Ok(self.model.outlet_fact(x)?.rank())
    }

    /// Length of the last axis; an error when it is not fixed.
    pub fn columns(&self, x: OutletId) -> TractResult<usize> {
        let shape = self.shape(x)?;
        let last = shape.last().context("needs features along its input's last axis")?;
        last.to_usize().context("needs a fixed number of features")
    }

    /// The value of a constant.
    pub fn known(&self, x: OutletId) -> Option<Arc<Tensor>> {
        self.model.outlet_fact(x).ok()?.konst.clone()
    }

    /// The numbers of a constant; an error when it is none.
    pub fn integers(&self, x: OutletId) -> TractResult<Vec<i64>> {
        let value = self.known(x).context("needs a constant where it takes sizes or axes from an input")?;
        Ok(value.cast_to::<i64>()?.try_as_plain_ram()?.as_slice::<i64>()?.to_vec())
    }

    /// An axis of `x`, negative ones counted from the end.
    pub fn axis(&self, x: OutletId, axis: i64) -> TractResult<usize> {
        let rank = self.rank(x)? as i64;
        ensure!((-rank..rank).contains(&axis), "has axis {axis}, its input has {rank} axes");
        Ok((if axis < 0 { axis + rank } else { axis }) as usize)
    }

    /// All elements along one axis.
    pub fn flat(&mut self, x: OutletId) -> TractResult<OutletId> {
        let shape = self.shape(x)?;
        let count = shape.iter().product::<TDim>();
        self.apply(AxisOp::Reshape(0, shape, tvec!(count)), &[x])
    }

    pub fn apply(&mut self, op: impl Into<Box<dyn TypedOp>>, inputs: &[OutletId]) -> TractResult<OutletId> {
        self.count += 1;
        let name = if self.count == 1 { self.prefix.to_owned() } else { format!("{}.{}", self.prefix, self.count) };
        Ok(self.model.wire_node(name, op, inputs)?[0])
    }

    pub fn constant(&mut self, value: Tensor) -> TractResult<OutletId> {
        self.count += 1;
        self.model.add_const(format!("{}.{}", self.prefix, self.count), value)
    }

    /// Numbers along the last axis of something like `x`, of its type and rank.
    pub fn row(&mut self, values: &[f32], x: OutletId) -> TractResult<OutletId> {
        let (ty, rank) = (self.ty(x)?, self.rank(x)?);
        let row = tensor1(values).cast_to_dt(ty)?.into_owned().broadcast_into_rank(rank)?;
        self.constant(row)
    }

    /// One number to go with `x`.
    pub fn number(&mut self, value: f32, x: OutletId) -> TractResult<OutletId> {
        let (ty, rank) = (self.ty(x)?, self.rank(x)?);
        let value = tensor0(value).cast_to_dt(ty)?.into_owned().broadcast_into_rank(rank)?;
        self.constant(value)
    }

    pub fn cast(&mut self, x: OutletId, ty: DatumType) -> TractResult<OutletId> {
        if self.ty(x)? == ty { Ok(x) } else { self.apply(cast::cast(ty), &[x]) }
    }

    /// `x` as `[rows, columns]`: one row when it has one axis.
    pub fn matrix(&mut self, x: OutletId) -> TractResult<OutletId> {
        match self.rank(x)? {
            1 => self.apply(AxisOp::Add(0), &[x]),
            2 => Ok(x),
            rank => bail!("needs an input with one or two axes, it has {rank}"),
        }
    }

    pub fn binary(&mut self, op: Box<dyn BinMiniOp>, a: OutletId, b: OutletId) -> TractResult<OutletId> {
        self.apply(TypedBinOp(op, None), &[a, b])
    }

    pub fn add(&mut self, a: OutletId, b: OutletId) -> TractResult<OutletId> {
        self.binary(Box::new(math::Add), a, b)
    }

    pub fn sub(&mut self, a: OutletId, b: OutletId) -> TractResult<OutletId> {
        self.binary(Box::new(math::Sub), a, b)
    }

    pub fn mul(&mut self, a: OutletId, b: OutletId) -> TractResult<OutletId> {
        self.binary(Box::new(math::Mul), a, b)
    }

    pub fn div(&mut self, a: OutletId, b: OutletId) -> TractResult<OutletId> {
        self.binary(Box::new(math::Div), a, b)
    }

    pub fn equal(&mut self, a: OutletId, b: OutletId) -> TractResult<OutletId> {
        self.binary(logic::comp_eq(), a, b)
    }

    pub fn differ(&mut self, a: OutletId, b: OutletId) -> TractResult<OutletId> {
        self.binary(logic::comp_ne(), a, b)
    }

    pub fn greater(&mut self, a: OutletId, b: OutletId) -> TractResult<OutletId> {
        self.binary(logic::comp_gt(), a, b)
    }

    pub fn select(&mut self, condition: OutletId, a: OutletId, b: OutletId) -> TractResult<OutletId> {
        self.apply(logic::Iff, &[condition, a, b])
    }

    pub fn element_wise(&mut self, op: ElementWiseOp, x: OutletId) -> TractResult<OutletId> {
        self.apply(op, &[x])
    }

    /// Along the last axis, which stays with length 1.
    pub fn reduce(&mut self, reducer: Reducer, x: OutletId) -> TractResult<OutletId> {
        let last = self.rank(x)? - 1;
        self.apply(Reduce { axes: tvec!(last), reducer }, &[x])
    }

    pub fn concat(&mut self, parts: &[OutletId]) -> TractResult<OutletId> {
        let axis = self.rank(parts[0])? - 1;
        self.apply(TypedConcat { axis }, parts)
    }

    /// Columns of the last axis.
    pub fn slice(&mut self, x: OutletId, columns: std::ops::Range<usize>) -> TractResult<OutletId> {
        let axis = self.rank(x)? - 1;
        self.apply(Slice::new(axis, columns.start, columns.end), &[x])
    }

    pub fn gather(&mut self, data: OutletId, indices: OutletId, axis: usize) -> TractResult<OutletId> {
        self.apply(Gather { axis, output_type: None }, &[data, indices])
    }

    /// Takes away the last axis, of length 1.
    pub fn drop_last(&mut self, x: OutletId) -> TractResult<OutletId> {
        let last = self.rank(x)? - 1;
        self.apply(AxisOp::Rm(last), &[x])
    }
}
