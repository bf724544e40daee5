//! From regions to scores beside labels: which output holds the probabilities, and whose they are.

use contract::{Datatype, Manifest, TensorSpec};
use serde_json::Value;

use super::rows::Rows;
use crate::Error;
use crate::gate::{Labels, Scores};
use crate::profile::floats;

/// The labels as classes or numbers. The models say which: the first whose signature can be read.
/// Classes are named by the columns of its probabilities, and where it names none by the labels.
pub(super) fn labels(rows: &Rows, manifests: &[&Manifest]) -> Result<Labels, Error> {
    let manifest = manifests.first();
    let numbers: Option<Vec<f64>> = rows.labels.iter().map(Value::as_f64).collect();
    let texts: Vec<String> = rows.labels.iter().map(text).collect();
    let mut different = texts.clone();
    different.sort_by(|a, b| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b),
        _ => a.cmp(b),
    });
    different.dedup();
    let regression = match manifest {
        Some(manifest) => predicts_numbers(manifest) && different != ["0", "1"],
        None => numbers.is_some() && different.len() > 20,
    };
    match numbers {
        Some(numbers) if regression => return Ok(Labels::Numbers(numbers)),
        None if regression => {
            return Err(Error::data(&rows.place, "a label is not a number, and the model predicts one"));
        }
        _ => {}
    }
    let named = manifest.and_then(|manifest| probabilities(manifest)?.1.columns.clone());
    let names = named.unwrap_or(different);
    let class = |(row, text): (usize, &String)| {
        names.iter().position(|name| name == text).ok_or_else(|| {
            let what = format!("the label of row {row} is none of the model's {} classes", names.len());
            Error::data(&rows.place, what)
        })
    };
    let classes = texts.iter().enumerate().map(class).collect::<Result<_, _>>()?;
    Ok(Labels::Classes { names, rows: classes })
}

/// A model's answers, in the order of the labels' classes. What does not fit is left as it is, and
/// the gate says so.
pub(super) fn scores(manifest: &Manifest, regions: &[Vec<u8>], labels: &Labels) -> Scores {
    let nothing = Scores::Refused("it has no output of what the labels ask for".to_owned());
    let Labels::Classes { names, .. } = labels else {
        let number = manifest.outputs.iter().position(|spec| is_float(spec) && spec.row_elements() == 1);
        return number.map_or(nothing, |output| Scores::Numbers(values(&manifest.outputs[output], &regions[output])));
    };
    if let Some((output, spec)) = probabilities(manifest) {
        let matrix = values(spec, &regions[output]);
        // By name, where the model names its columns; it may name them in another order.
        let columns = spec.columns.as_ref().unwrap_or(names);
        let order: Option<Vec<usize>> = names.iter().map(|name| columns.iter().position(|c| c == name)).collect();
        return match order {
            Some(order) if columns.len() == names.len() => Scores::Classes(
                matrix.chunks_exact(order.len()).flat_map(|row| order.iter().map(|column| row[*column])).collect(),
            ),
            _ => nothing,
        };
    }
    let positive = manifest.outputs.iter().position(|spec| is_float(spec) && spec.row_elements() == 1);
    match positive {
        Some(output) if names.len() == 2 => Scores::Positive(values(&manifest.outputs[output], &regions[output])),
        _ => nothing,
    }
}

/// A label as the name of a class: `1` for 1 and 1.0.
fn text(label: &Value) -> String {
    match (label, label.as_f64()) {
        (Value::String(text), _) => text.clone(),
        (_, Some(number)) if number.fract() == 0.0 && number.abs() < 9e15 => (number as i64).to_string(),
        (label, _) => label.to_string(),
    }
}

/// One number a row, and no label.
fn predicts_numbers(manifest: &Manifest) -> bool {
    manifest.outputs.iter().all(|spec| is_float(spec) && spec.row_elements() == 1)
}

/// The output with a probability for each class.
fn probabilities(manifest: &Manifest) -> Option<(usize, &TensorSpec)> {
    manifest.outputs.iter().enumerate().find(|(_, spec)| is_float(spec) && spec.row_elements() > 1)
}

fn is_float(spec: &TensorSpec) -> bool {
    matches!(spec.datatype, Datatype::Fp32 | Datatype::Fp64)
}

fn values(spec: &TensorSpec, region: &[u8]) -> Vec<f64> {
    match spec.datatype {
        Datatype::Fp64 => region.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect(),
        _ => floats(region).into_iter().map(f64::from).collect(),
    }
}
