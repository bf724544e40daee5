//! Recurrences, written out: the body once for each step. And the branches of an `If`.

use tract_onnx::tract_core::ops::logic::IfThenElse;
use tract_onnx::tract_core::ops::scan::{InputMapping, Scan};
use tract_onnx::tract_hir::internal::*;

use super::{Importer, Layout, Stop, Value};
use crate::Error;
use crate::graph::{Op, Type};

/// Nodes that a recurrence may be written out to.
const NODES: usize = 20_000;

impl Importer<'_> {
    /// The results of a recurrence, slot by slot.
    pub(super) fn scan(&mut self, op: &Scan, inputs: &[Value], name: &str) -> Result<Vec<Value>, Stop> {
        let scanned = op.input_mapping.iter().zip(inputs).find_map(|(m, v)| Some((m.as_scan()?, v)));
        let Some((first, over)) = scanned else {
            return Err(Error::unsupported(format!("node {name:?}"), "a loop over nothing", "unroll it").into());
        };
        let steps = over.layout.shape[over.layout.strip(first.axis)?] / first.chunk.unsigned_abs();
        if steps * op.body.nodes().len() > NODES {
            let help = "fix its length with --shape, or export a shorter one";
            return Err(
                Error::unsupported(format!("node {name:?}"), format!("a recurrence of {steps} steps"), help).into()
            );
        }
        let mut state: Vec<Value> =
            op.input_mapping.iter().zip(inputs).filter(|(m, _)| m.is_state()).map(|(_, v)| v.clone()).collect();
        let mut made: Vec<Vec<Value>> = vec![Vec::new(); op.output_mapping.len()];
        for step in 0..steps {
            let mut carried = state.clone().into_iter();
            let mut given = Vec::new();
            for (mapping, value) in op.input_mapping.iter().zip(inputs) {
                given.push(match mapping {
                    InputMapping::Full => value.clone(),
                    InputMapping::State => carried.next().ok_or_else(|| Error::bug("a state is missing"))?,
                    InputMapping::Scan(info) => {
                        let size = info.chunk.unsigned_abs();
                        let at = if info.chunk < 0 { steps - 1 - step } else { step };
                        let axis = value.layout.strip(info.axis)?;
                        let mut layout = value.layout.clone();
                        layout.shape[axis] = size;
                        let slice = Op::Slice { axis, start: at * size, step: 1 };
                        Value { id: self.push(&layout, slice, vec![value.id], name), layout }
                    }
                });
            }
            let results = self.body(&op.body, given)?;
            state = op.output_mapping.iter().zip(&results).filter(|(m, _)| m.state).map(|(_, v)| v.clone()).collect();
            made.iter_mut().zip(results).for_each(|(all, one)| all.push(one));
        }
        let mut slots: Vec<(usize, Value)> = Vec::new();
        for (mapping, mut all) in op.output_mapping.iter().zip(made) {
            if let (Some(slot), Some(last)) = (mapping.last_value_slot, all.last()) {
                slots.push((slot, last.clone()));
            }
            if let Some((slot, info)) = mapping.scan {
                if info.chunk < 0 {
                    all.reverse();
                }
                let Some(one) = all.first() else { continue };
                let mut layout = one.layout.clone();
                let axis = layout.strip(info.axis)?;
                layout.shape[axis] *= all.len();
                let parts = all.iter().map(|v| v.id).collect();
                slots.push((slot, Value { id: self.push(&layout, Op::Concat { axis }, parts, name), layout }));
            }
        }
        slots.sort_by_key(|(slot, _)| *slot);
        Ok(slots.into_iter().map(|(_, value)| value).collect())
    }

    /// The results of an `If`: of the branch that a constant chooses, or a choice between both where they have one shape.
    pub(super) fn choose(
        &mut self,
        op: &IfThenElse,
        known: Option<bool>,
        inputs: &[Value],
        name: &str,
    ) -> Result<Vec<Value>, Stop> {
        let pick = |mapping: &[usize]| mapping.iter().map(|i| inputs[*i].clone()).collect::<Vec<_>>();
        let yes = |s: &mut Self| s.body(&op.then_body, pick(&op.then_input_mapping));
        let no = |s: &mut Self| s.body(&op.else_body, pick(&op.else_input_mapping));
        match known {
            Some(true) => return yes(self),
            Some(false) => return no(self),
            None => {}
        }
        let condition = &inputs[0];
        if condition.layout.rows.is_some() {
            return Err(Stop::Mixes);
        }
        let scalar = Layout { ty: Type::Bool, shape: vec![], rows: None, merged: false };
        let condition = self.push(&scalar, Op::Reshape, vec![condition.id], name);
        let mut results = Vec::new();
        for (a, b) in yes(self)?.into_iter().zip(no(self)?) {
            if a.layout.shape != b.layout.shape || a.layout.ty != b.layout.ty || a.layout.rows != b.layout.rows {
                let what = "an If whose branches differ in shape";
                return Err(Error::unsupported(format!("node {name:?}"), what, "make its condition constant").into());
            }
            let id = self.push(&a.layout, Op::Select, vec![condition, a.id, b.id], name);
            results.push(Value { id, layout: a.layout });
        }
        Ok(results)
    }

    /// Translates a model inside the model, its inputs given.
    fn body(&mut self, body: &TypedModel, given: Vec<Value>) -> Result<Vec<Value>, Stop> {
        let outside = std::mem::take(&mut self.values);
        self.values.extend(body.input_outlets()?.iter().copied().zip(given));
        let made = (|| {
            for n in body.eval_order()? {
                self.node(body, body.node(n))?;
            }
            let value = |o: &OutletId| self.values.get(o).cloned().ok_or(Stop::Mixes);
            body.output_outlets()?.iter().map(value).collect()
        })();
        self.values = outside;
        made
    }
}
