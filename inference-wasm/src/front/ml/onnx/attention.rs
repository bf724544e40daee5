//! Attention: `softmax(cap(scale · q kᵀ) + mask) v`, head by head.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::array::{MultiBroadcastTo, Pad, PadMode, TypedConcat};
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::{Softmax, SoftmaxKind};
use tract_onnx::tract_hir::internal::*;

use super::super::{Operator, Wire};
use crate::front::attributes::Attributes;

#[derive(Debug, Clone)]
pub struct Attention {
    heads: Option<usize>,
    key_heads: Option<usize>,
    causal: bool,
    scale: Option<f32>,
    cap: f32,
    /// What the fourth result is.
    scores: Scores,
    /// Which of the inputs from the fourth on there are: mask, past keys and values, lengths.
    given: [bool; 4],
    /// Which of the results are asked for.
    asked: [bool; 4],
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Scores {
    Products,
    Masked,
    Shares,
}

/// A tensor `[batch, heads, length, width]`.
#[derive(Clone, Copy)]
pub(super) struct Heads(pub OutletId);

impl Operator for Attention {
    const NAME: &'static str = "Attention";
    const INPUTS: usize = 3;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        let heads = |name: &str| -> Result<Option<usize>, String> {
            let found = node.find(name).map(|a| usize::try_from(a.i).ok().filter(|n| *n > 0));
            found.map(|n| n.ok_or(format!("needs a positive `{name}`"))).transpose()
        };
        let scores = match node.int("qk_matmul_output_mode", 0) {
            0 | 1 => Scores::Products,
            2 => Scores::Masked,
            3 => Scores::Shares,
            _ => return Err("needs a `qk_matmul_output_mode` from 0 to 3".into()),
        };
        let is = |list: &[String], n: usize| list.get(n).is_some_and(|name| !name.is_empty());
        Ok(Attention {
            heads: heads("q_num_heads")?,
            key_heads: heads("kv_num_heads")?,
            causal: node.int("is_causal", 0) != 0,
            scale: node.find("scale").map(|a| a.f),
            cap: node.float("softcap", 0.0),
            scores,
            given: [3, 4, 5, 6].map(|n| is(&node.input, n)),
            asked: [0, 1, 2, 3].map(|n| is(&node.output, n)),
        })
    }

    fn outputs(&self) -> usize {
        self.asked.iter().filter(|asked| **asked).count()
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let mut more = inputs[3..].iter().copied();
        let [mask, past_key, past_value, lengths] = self.given.map(|given| if given { more.next() } else { None });
        let ty = w.ty(inputs[0])?;
        let flat = w.rank(inputs[0])? == 3;
        let query = apart(w, inputs[0], self.heads)?;
        let mut key = apart(w, inputs[1], self.key_heads)?;
        let mut value = apart(w, inputs[2], self.key_heads)?;
        let past = past_key.map_or(Ok(0), |past| size(w, past, 2))?;
        if let (Some(past_key), Some(past_value)) = (past_key, past_value) {
            key = Heads(w.apply(TypedConcat { axis: 2 }, &[past_key, key.0])?);
            value = Heads(w.apply(TypedConcat { axis: 2 }, &[past_value, value.0])?);
        }
        let present = (key, value);
        let (rows, columns) = (size(w, query.0, 2)?, size(w, key.0, 2)?);
        let groups = size(w, query.0, 1)? / size(w, key.0, 1)?.max(1);
        let (key, value) = (repeated(w, key, groups)?, repeated(w, value, groups)?);

        let width = size(w, query.0, 3)?;
        let scale = w.number(self.scale.unwrap_or(1.0 / (width as f32).sqrt()), query.0)?;
        let query = w.mul(query.0, scale)?;
        let product = |w: &mut Wire, a: OutletId, b: OutletId, turned: bool| {
            let axes = AxesMapping::for_numpy_matmul(4, false, turned, false)?;
            w.apply(EinSum::new(axes, ty), &[a, b])
        };
        let mut scores = product(w, query, key.0, true)?;
        if self.cap > 0.0 {
            let cap = w.number(self.cap, scores)?;
            scores = w.div(scores, cap)?;
            scores = w.element_wise(ElementWiseOp(Box::new(math::Tanh {}), None), scores)?;
            scores = w.mul(scores, cap)?;
        }
        let products = scores;
        let hidden = w.number(f32::NEG_INFINITY, scores)?;
        if let Some(mask) = mask {
            let mask = whole(w, mask, columns)?;
            scores = if w.ty(mask)? == bool::datum_type() {
                w.select(mask, scores, hidden)?
            } else {
                let mask = w.cast(mask, ty)?;
                w.add(scores, mask)?
            };
        }
        if self.causal {
            let seen: Vec<bool> = (0..rows * columns).map(|at| at % columns <= at / columns + past).collect();
            let seen = w.constant(tensor1(&seen).into_shape(&[1, 1, rows, columns])?)?;
            scores = w.select(seen, scores, hidden)?;
        }
        if let Some(lengths) = lengths {
            let mut lengths = w.cast(lengths, i64::datum_type())?;
            for _ in 0..3 {
                let end = w.rank(lengths)?;
                lengths = w.apply(AxisOp::Add(end), &[lengths])?;
            }
            let places = tensor1(&(0..columns as i64).collect::<Vec<_>>()).into_shape(&[1, 1, 1, columns])?;
            let places = w.constant(places)?;
            let inside = w.greater(lengths, places)?;
            scores = w.select(inside, scores, hidden)?;
        }
        let masked = scores;
        let shares = w.apply(Softmax::new(tvec!(3), None, SoftmaxKind::default()), &[scores])?;
        let mixed = Heads(product(w, shares, value.0, false)?);
        let answer = if flat { together(w, mixed)? } else { mixed.0 };
        let told = match self.scores {
            Scores::Products => products,
            Scores::Masked => masked,
            Scores::Shares => shares,
        };
        let all = [answer, present.0.0, present.1.0, told];
        Ok(all.into_iter().zip(self.asked).filter(|(_, asked)| *asked).map(|(made, _)| made).collect())
    }
}

pub(super) fn size(w: &Wire, x: OutletId, axis: usize) -> TractResult<usize> {
    w.shape(x)?[axis].to_usize().context("needs fixed sizes but for the batch")
}

/// `[batch, length, heads · width]` to heads of their own.
pub(super) fn apart(w: &mut Wire, x: OutletId, heads: Option<usize>) -> TractResult<Heads> {
    if w.rank(x)? == 4 {
        return Ok(Heads(x));
    }
    ensure!(w.rank(x)? == 3, "needs inputs with three or four axes");
    let heads = heads.context("needs `q_num_heads` and `kv_num_heads`")?;
    let all = size(w, x, 2)?;
    ensure!(all.is_multiple_of(heads), "has {all} numbers that {heads} heads do not divide");
    let split = AxisOp::Reshape(2, tvec!(all.to_dim()), tvec!(heads.to_dim(), (all / heads).to_dim()));
    let x = w.apply(split, &[x])?;
    Ok(Heads(w.apply(AxisOp::Move(2, 1), &[x])?))
}

/// The other way round.
pub(super) fn together(w: &mut Wire, x: Heads) -> TractResult<OutletId> {
    let (heads, width) = (size(w, x.0, 1)?, size(w, x.0, 3)?);
    let x = w.apply(AxisOp::Move(1, 2), &[x.0])?;
    w.apply(AxisOp::Reshape(2, tvec!(heads.to_dim(), width.to_dim()), tvec!((heads * width).to_dim())), &[x])
}

/// Each head as often as `groups` says, side by side.
pub(super) fn repeated(w: &mut Wire, x: Heads, groups: usize) -> TractResult<Heads> {
    if groups <= 1 {
        return Ok(x);
    }
    let heads = size(w, x.0, 1)?;
    let wide = w.apply(AxisOp::Add(2), &[x.0])?;
    let mut shape = w.shape(wide)?;
    shape[2] = groups.to_dim();
    let wide = w.apply(MultiBroadcastTo { shape: shape.into() }, &[wide])?;
    let merge = AxisOp::Reshape(1, tvec!(heads.to_dim(), groups.to_dim()), tvec!((heads * groups).to_dim()));
    Ok(Heads(w.apply(merge, &[wide])?))
}

/// A mask with four axes and a column for each key; those that it lacks are hidden.
fn whole(w: &mut Wire, mut mask: OutletId, columns: usize) -> TractResult<OutletId> {
    let (ty, rank) = (w.ty(mask)?, w.rank(mask)?);
    ensure!((1..=4).contains(&rank), "needs a mask with one to four axes");
    let own = size(w, mask, rank - 1)?;
    if own != 1 && own < columns {
        let hidden = if ty == bool::datum_type() { tensor0(false) } else { tensor0(f32::NEG_INFINITY) };
        let mode = PadMode::Constant(hidden.cast_to_dt(ty)?.into_owned().into_arc_tensor());
        let mut pads = vec![(0, 0); rank];
        pads[rank - 1].1 = columns - own;
        mask = w.apply(Pad { pads, mode }, &[mask])?;
    }
    while w.rank(mask)? < 4 {
        mask = w.apply(AxisOp::Add(0), &[mask])?;
    }
    Ok(mask)
}
