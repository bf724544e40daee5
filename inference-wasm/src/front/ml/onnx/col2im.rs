//! Col2Im: blocks of an image put back where they were cut out; where they overlap, they add up.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::array::{MultiBroadcastTo, ScatterElements, ScatterReduction, Slice};
use tract_onnx::tract_hir::internal::*;

use super::super::{Operator, Wire};
use crate::front::attributes::Attributes;

/// Most elements of one channel's blocks.
const ELEMENTS_MAX: usize = 1 << 22;

#[derive(Debug, Clone)]
pub struct Col2Im {
    dilations: Vec<i64>,
    pads: Vec<i64>,
    strides: Vec<i64>,
}

impl Operator for Col2Im {
    const NAME: &'static str = "Col2Im";
    const INPUTS: usize = 3;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        let list = |name: &str, least: i64| {
            let list = node.ints(name).to_vec();
            if list.iter().all(|n| (least..1 << 20).contains(n)) {
                Ok(list)
            } else {
                Err(format!("has wrong `{name}`"))
            }
        };
        Ok(Col2Im { dilations: list("dilations", 1)?, pads: list("pads", 0)?, strides: list("strides", 1)? })
    }

    fn values(&self) -> Vec<usize> {
        vec![1, 2]
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let x = inputs[0];
        let (image, block) = (w.integers(inputs[1])?, w.integers(inputs[2])?);
        let rank = image.len();
        let whole =
            |list: &[i64], default: i64, n: usize| if list.is_empty() { vec![default; n] } else { list.to_vec() };
        let (dilations, strides) = (whole(&self.dilations, 1, rank), whole(&self.strides, 1, rank));
        let pads = whole(&self.pads, 0, 2 * rank);
        let fits = block.len() == rank && dilations.len() == rank && strides.len() == rank && pads.len() == 2 * rank;
        ensure!(fits && w.rank(x)? == 3, "has sizes that do not go together");
        let sane = |sizes: &[i64]| sizes.iter().all(|n| (1..1 << 20).contains(n));
        ensure!(sane(&image) && sane(&block), "needs positive sizes that fit");
        let windows: Vec<i64> = (0..rank)
            .map(|d| (image[d] + pads[d] + pads[d + rank] - dilations[d] * (block[d] - 1) - 1) / strides[d] + 1)
            .collect();
        let product = |sizes: &[i64]| sizes.iter().map(|n| *n as usize).fold(1, usize::saturating_mul);
        let (taps, places, size) = (product(&block), product(&windows), product(&image));
        ensure!(taps.saturating_mul(places) <= ELEMENTS_MAX && size <= ELEMENTS_MAX, "has too many blocks");
        let (all, given) = (w.shape(x)?[1].to_usize(), w.shape(x)?[2].to_usize());
        let (all, given) = (all.context("needs fixed sizes")?, given.context("needs fixed sizes")?);
        ensure!(windows.iter().all(|n| *n > 0) && given == places, "has {given} blocks, its image {places}");
        ensure!(all.is_multiple_of(taps), "has channels that a block does not divide");
        // What was cut from the padding goes to one more element, and is left out in the end.
        let split = |mut at: usize, sizes: &[i64]| -> Vec<i64> {
            let mut index = vec![0; sizes.len()];
            for (i, n) in index.iter_mut().zip(sizes).rev() {
                (*i, at) = ((at % *n as usize) as i64, at / *n as usize);
            }
            index
        };
        let place = |at: usize| {
            let (tap, window) = (split(at / places, &block), split(at % places, &windows));
            let mut flat = 0;
            for d in 0..rank {
                let along = window[d] * strides[d] - pads[d] + tap[d] * dilations[d];
                if !(0..image[d]).contains(&along) {
                    return size as i64;
                }
                flat = flat * image[d] + along;
            }
            flat
        };
        let to: Vec<i64> = (0..taps * places).map(place).collect();
        let channels = all / taps;
        let apart = AxisOp::Reshape(1, tvec!(all.to_dim()), tvec!(channels.to_dim(), taps.to_dim()));
        let x = w.apply(apart, &[x])?;
        let merge = AxisOp::Reshape(2, tvec!(taps.to_dim(), places.to_dim()), tvec!((taps * places).to_dim()));
        let x = w.apply(merge, &[x])?;
        let mut shape = w.shape(x)?;
        let to = w.constant(tensor1(&to).into_shape(&[1, 1, taps * places])?)?;
        let to = w.apply(MultiBroadcastTo { shape: shape.clone().into() }, &[to])?;
        shape[2] = (size + 1).to_dim();
        let zeros = w.constant(Tensor::zero_dt(w.ty(x)?, &[1, 1, size + 1])?)?;
        let zeros = w.apply(MultiBroadcastTo { shape: shape.into() }, &[zeros])?;
        let sums = w.apply(ScatterElements { axis: 2, reduction: ScatterReduction::Add }, &[zeros, to, x])?;
        let sums = w.apply(Slice::new(2, 0, size), &[sums])?;
        let sizes: TVec<TDim> = image.iter().map(|n| n.to_dim()).collect();
        Ok(tvec!(w.apply(AxisOp::Reshape(2, tvec!(size.to_dim()), sizes), &[sums])?))
    }
}
