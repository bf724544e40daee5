//! A forest as an operator of tract, evaluated one row and one tree after the other.

use tract_onnx::tract_hir::internal::*;

use crate::graph::{Aggregate, Child, Mode, Split, Trees};

/// `[rows, features]` to `[rows, targets]`, as [`Trees`] says.
#[derive(Debug, Clone)]
pub struct Forest(pub Arc<Trees>);

impl PartialEq for Forest {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Forest {}

impl Op for Forest {
    fn name(&self) -> StaticName {
        "BeiraForest".into()
    }
    op_as_typed_op!();
}

impl EvalOp for Forest {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let x = args_1!(inputs);
        let (features, targets) = (self.0.features, self.0.targets);
        let shape = [x.shape()[0], targets];
        let view = x.try_as_plain_ram()?;
        let values = if self.0.double {
            let rows = view.as_slice::<f64>()?.chunks_exact(features);
            let values: Vec<f64> = rows.flat_map(|row| evaluate(&self.0, row, |sum, v| sum + v)).collect();
            Tensor::from_shape(&shape, &values)?
        } else {
            let rows = view.as_slice::<f32>()?.chunks_exact(features);
            let add = |sum: f64, v: f64| f64::from(sum as f32 + v as f32);
            let values: Vec<f32> = rows
                .flat_map(|row| {
                    let row: Vec<f64> = row.iter().map(|v| f64::from(*v)).collect();
                    evaluate(&self.0, &row, add).into_iter().map(|v| v as f32)
                })
                .collect();
            Tensor::from_shape(&shape, &values)?
        };
        Ok(tvec!(values.into_tvalue()))
    }
}

impl TypedOp for Forest {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let ty = if self.0.double { f64::datum_type() } else { f32::datum_type() };
        ensure!(inputs[0].rank() == 2 && inputs[0].datum_type == ty, "a forest needs [rows, features] of {ty:?}");
        Ok(tvec!(ty.fact(&[inputs[0].shape[0].clone(), self.0.targets.to_dim()])))
    }
    as_op!();
}

/// One row; `add` rounds to the forest's type.
fn evaluate(trees: &Trees, row: &[f64], add: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let mut sums: Vec<Option<f64>> = vec![None; trees.targets];
    for root in &trees.roots {
        let mut at = *root;
        while let Child::Node(n) = at {
            let split = &trees.nodes[n as usize];
            at = if goes_yes(split, row[split.feature as usize]) { split.yes } else { split.no };
        }
        let Child::Leaf(leaf) = at else { continue };
        for weight in &trees.leaves[leaf as usize] {
            let sum = &mut sums[weight.target as usize];
            *sum = Some(match (trees.aggregate, *sum) {
                (Aggregate::Min, Some(sum)) => sum.min(weight.value),
                (Aggregate::Max, Some(sum)) => sum.max(weight.value),
                (_, Some(sum)) => add(sum, weight.value),
                (_, None) => add(0.0, weight.value),
            });
        }
    }
    let finish = |(target, sum): (usize, Option<f64>)| {
        let sum = sum.unwrap_or(0.0);
        let count = trees.roots.len() as f64;
        let sum = if trees.aggregate == Aggregate::Average { add(0.0, sum / count) } else { sum };
        trees.base.get(target).map_or(sum, |base| add(sum, *base))
    };
    sums.into_iter().enumerate().map(finish).collect()
}

fn goes_yes(split: &Split, x: f64) -> bool {
    if x.is_nan() && split.missing_yes {
        return true;
    }
    match split.mode {
        Mode::LessEqual => x <= split.threshold,
        Mode::Less => x < split.threshold,
        Mode::GreaterEqual => x >= split.threshold,
        Mode::Greater => x > split.threshold,
        Mode::Equal => x == split.threshold,
        Mode::NotEqual => x != split.threshold,
    }
}
