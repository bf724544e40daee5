//! A column of numbers through its steps.

use std::sync::LazyLock;

use inference_wasm::graph::{Type, Unary};
use inference_wasm::math::run::Runner;
use inference_wasm::math::{Program, element};

use super::{From, Number, civil};
use crate::data::{Data, Values};

impl Number {
    /// The numbers of these rows; NaN is missing.
    pub fn values(&self, data: &Data, rows: &[usize]) -> Vec<f32> {
        let mut values = self.from.values(data, rows);
        self.steps(&mut values);
        values
    }

    /// All steps but the first.
    pub(super) fn steps(&self, values: &mut [f32]) {
        if let Some(impute) = self.impute {
            values.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = impute);
        }
        if self.log {
            signed_log(values);
        }
        if let Some(edges) = &self.edges {
            let bucket = |value: f32| edges.iter().filter(|edge| value >= **edge).count() as f32;
            values.iter_mut().filter(|value| !value.is_nan()).for_each(|value| *value = bucket(*value));
        }
        if let Some(scale) = self.scale {
            values.iter_mut().for_each(|value| *value = scale.of(*value));
        }
    }
}

impl From {
    /// The numbers before any step.
    pub(super) fn values(&self, data: &Data, rows: &[usize]) -> Vec<f32> {
        let numbers = |feature: usize| match &data.features[feature].values {
            Values::Numbers(numbers) => rows.iter().map(|row| numbers[*row]).collect(),
            _ => vec![f32::NAN; rows.len()],
        };
        match self {
            From::Column(feature) => numbers(*feature),
            From::Ratio(above, below) => {
                let ratio = |(above, below): (f32, f32)| {
                    let ratio = above / below;
                    if ratio.abs() < f32::INFINITY { ratio } else { f32::NAN }
                };
                numbers(*above).into_iter().zip(numbers(*below)).map(ratio).collect()
            }
            From::Part(feature, part) => match &data.features[*feature].values {
                Values::Dates { date, numbers, .. } => {
                    rows.iter().map(|row| civil::part(*part, numbers[*row], date.unit)).collect()
                }
                _ => vec![f32::NAN; rows.len()],
            },
            From::Text(texts) => texts.positions(data, rows),
        }
    }
}

/// The logarithm that modules have, bit for bit: the platform's may differ in the last one.
fn signed_log(values: &mut [f32]) {
    static LOG: LazyLock<Option<Program>> = LazyLock::new(|| element::unary(Unary::Log, Type::F32));
    let Some(program) = LOG.as_ref() else { return };
    let mut log = Runner::new(program);
    for value in values {
        let size = f32::from_bits(log.run(&[u64::from((value.abs() + 1.0).to_bits())]) as u32);
        *value = if *value < 0.0 { -size } else { size };
    }
}
