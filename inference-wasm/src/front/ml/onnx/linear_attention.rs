//! LinearAttention: a state of keys by values for each head, which forgets, corrects itself, and is read at each step.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::array::{Slice, TypedConcat};
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_hir::internal::*;

use super::super::{Operator, Wire};
use super::attention::{Heads, apart, repeated, size, together};
use crate::front::attributes::Attributes;

/// Most steps, each of which is written out.
const STEPS_MAX: usize = 256;

#[derive(Debug, Clone)]
pub struct LinearAttention {
    heads: usize,
    key_heads: usize,
    scale: Option<f32>,
    forgets: bool,
    corrects: bool,
    /// Whether there is a past state.
    past: bool,
    /// Which of the results are asked for.
    asked: [bool; 2],
}

impl Operator for LinearAttention {
    const NAME: &'static str = "LinearAttention";
    const INPUTS: usize = 3;

    fn parse(node: &NodeProto) -> Result<Self, String> {
        let heads = |name: &str| {
            let n = usize::try_from(node.int(name, 0)).ok().filter(|n| *n > 0);
            n.ok_or(format!("needs a positive `{name}`"))
        };
        let (forgets, corrects) = match &*node.word("update_rule", "gated_delta") {
            "linear" => (false, false),
            "gated" => (true, false),
            "delta" => (false, true),
            "gated_delta" => (true, true),
            other => return Err(format!("has the unknown update rule {other:?}")),
        };
        let is = |list: &[String], n: usize| list.get(n).is_some_and(|name| !name.is_empty());
        if is(&node.input, 4) != forgets || is(&node.input, 5) != corrects {
            return Err("needs a decay where its state is gated, and a beta where it is corrected".into());
        }
        let (heads, key_heads) = (heads("q_num_heads")?, heads("kv_num_heads")?);
        if !heads.is_multiple_of(key_heads) {
            return Err("has heads of the query that those of the key do not divide".into());
        }
        Ok(LinearAttention {
            heads,
            key_heads,
            scale: node.find("scale").map(|a| a.f).filter(|scale| *scale != 0.0),
            forgets,
            corrects,
            past: is(&node.input, 3),
            asked: [0, 1].map(|n| is(&node.output, n)),
        })
    }

    fn outputs(&self) -> usize {
        self.asked.iter().filter(|asked| **asked).count()
    }

    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let mut more = inputs[3..].iter().copied();
        let [past, decay, beta] =
            [self.past, self.forgets, self.corrects].map(|given| if given { more.next() } else { None });
        let query = apart(w, inputs[0], Some(self.heads))?;
        let key = apart(w, inputs[1], Some(self.key_heads))?;
        let value = apart(w, inputs[2], Some(self.key_heads))?;
        // One number for each head, or for each of its keys; of beta perhaps one for all heads.
        let decay = decay.map(|x| apart(w, x, Some(self.key_heads))).transpose()?;
        let beta = beta.map(|x| size(w, x, 2).and_then(|n| apart(w, x, Some(n)))).transpose()?;
        let (steps, width) = (size(w, query.0, 2)?, size(w, query.0, 3)?);
        ensure!((1..=STEPS_MAX).contains(&steps), "has {steps} steps, at most {STEPS_MAX} are written out");
        let ty = w.ty(query.0)?;
        let scale = w.number(self.scale.unwrap_or(1.0 / (width as f32).sqrt()), query.0)?;
        let product = |w: &mut Wire, a: OutletId, b: OutletId, turned: bool| {
            let axes = AxesMapping::for_numpy_matmul(4, turned, false, false)?;
            w.apply(EinSum::new(axes, ty), &[a, b])
        };
        // `[batch, heads, 1, width]` of one step.
        let at = |w: &mut Wire, x: Heads, step: usize| w.apply(Slice::new(2, step, step + 1), &[x.0]);
        let (mut state, mut answers) = (past, Vec::new());
        for step in 0..steps {
            let (q, k, mut v) = (at(w, query, step)?, at(w, key, step)?, at(w, value, step)?);
            if let (Some(decay), Some(old)) = (decay, state) {
                let rate = at(w, decay, step)?;
                let kept = w.element_wise(ElementWiseOp(Box::new(math::Exp {}), None), rate)?;
                let kept = w.apply(AxisOp::Move(3, 2), &[kept])?;
                state = Some(w.mul(old, kept)?);
            }
            if let Some(beta) = beta {
                if let Some(state) = state {
                    let known = product(w, k, state, false)?;
                    v = w.sub(v, known)?;
                }
                let share = at(w, beta, step)?;
                v = w.mul(v, share)?;
            }
            let written = product(w, k, v, true)?;
            let now = match state {
                Some(old) => w.add(old, written)?,
                None => written,
            };
            state = Some(now);
            let read = repeated(w, Heads(now), self.heads / self.key_heads)?;
            let answer = product(w, q, read.0, false)?;
            answers.push(w.mul(answer, scale)?);
        }
        let all = w.apply(TypedConcat { axis: 2 }, &answers)?;
        let state = state.context("needs a step")?;
        let both = [together(w, Heads(all))?, state].into_iter().zip(self.asked);
        Ok(both.filter(|(_, asked)| *asked).map(|(made, _)| made).collect())
    }
}
