//! The model's outputs as the manifest describes them.

use std::collections::BTreeMap;

use contract::TensorSpec;

use super::import::Imported;
use super::{Strings, inputs};
use crate::Error;

/// In the order of the ONNX file; the rows axis comes first, wherever the file has it.
pub fn describe(
    names: &[String],
    imported: &Imported,
    strings: &Strings,
    columns: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<TensorSpec>, Error> {
    if names.len() != imported.outputs.len() {
        return Err(Error::bug("the number of outputs has changed"));
    }
    if let Some((_, name)) = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
        return Err(Error::invalid(format!("output {name:?} of the model"), "stands there twice"));
    }
    let one = |(name, output): (&String, &super::import::Output)| {
        let strings = strings.get(name).cloned();
        let mut shape: Vec<i64> = output.shape.iter().map(|d| *d as i64).collect();
        if imported.row_wise {
            shape.insert(0, -1);
        }
        let elements: usize = output.shape.iter().product();
        TensorSpec {
            name: name.clone(),
            datatype: inputs::datatype(output.ty, strings.is_some(), output.half),
            shape,
            offset: 0,
            strings,
            columns: columns.get(name).filter(|c| c.len() == elements).cloned(),
            date: None,
        }
    };
    Ok(names.iter().zip(&imported.outputs).map(one).collect())
}
