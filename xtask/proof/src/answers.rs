//! From the answers that users see back to raw bits: what a host prints must lose nothing.

use anyhow::{Context, bail};
use contract::{Datatype, Manifest, TensorSpec};
use serde_json::Value;

use crate::regions::Regions;

/// The output regions that give these answers; NaN (`null`) is the canonical one.
pub fn regions(manifest: &Manifest, answers: &[Value]) -> anyhow::Result<Regions> {
    manifest
        .outputs
        .iter()
        .map(|spec| {
            let mut region = Vec::with_capacity(answers.len() * spec.row_bytes());
            for (row, answer) in answers.iter().enumerate() {
                let value = answer.get(&spec.name).with_context(|| format!("row {row} has no {}", spec.name))?;
                for element in elements(spec, value).with_context(|| format!("row {row}, {}", spec.name))? {
                    push(spec, element, &mut region).with_context(|| format!("row {row}, {}", spec.name))?;
                }
            }
            Ok(region)
        })
        .collect()
}

/// The largest absolute difference between numbers of two answers; strings and integers that differ are an error.
pub fn difference(manifest: &Manifest, a: &Regions, b: &Regions) -> anyhow::Result<f64> {
    let mut largest = 0.0f64;
    for (spec, (a, b)) in manifest.outputs.iter().zip(a.iter().zip(b)) {
        match spec.datatype {
            Datatype::Fp32 => {
                for (a, b) in floats(a).zip(floats(b)).filter(|(a, b)| !(a.is_nan() && b.is_nan())) {
                    largest = largest.max((f64::from(a) - f64::from(b)).abs());
                }
            }
            _ if a != b => bail!("{} differs from tract's", spec.name),
            _ => {}
        }
    }
    Ok(largest)
}

fn elements<'v>(spec: &TensorSpec, value: &'v Value) -> anyhow::Result<Vec<&'v Value>> {
    match (value, &spec.columns) {
        (Value::Object(map), Some(columns)) => {
            columns.iter().map(|column| map.get(column).with_context(|| format!("no column {column}"))).collect()
        }
        (Value::Array(list), _) => Ok(list.iter().collect()),
        (value, _) => Ok(vec![value]),
    }
}

fn push(spec: &TensorSpec, value: &Value, region: &mut Vec<u8>) -> anyhow::Result<()> {
    match spec.datatype {
        Datatype::Fp32 => {
            let number = if value.is_null() { f64::NAN } else { value.as_f64().context("not a number")? };
            let narrow = if number.is_nan() { f32::from_bits(0x7fc0_0000) } else { number as f32 };
            region.extend(narrow.to_le_bytes());
        }
        Datatype::Int64 => region.extend(value.as_i64().context("not an integer")?.to_le_bytes()),
        Datatype::Bytes => {
            let text = value.as_str().context("not a string")?;
            let strings = spec.strings.as_deref().unwrap_or_default();
            let id = strings.iter().position(|string| string == text).context("a string beyond the vocabulary")?;
            region.extend((id as i32).to_le_bytes());
        }
        other => bail!("the proof does not read {other} outputs"),
    }
    Ok(())
}

fn floats(region: &[u8]) -> impl Iterator<Item = f32> {
    region.chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}
