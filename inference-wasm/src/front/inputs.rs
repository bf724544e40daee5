//! The model's inputs: names, types, and which axis counts rows.

use std::collections::BTreeMap;

use contract::{Datatype, Date, TensorSpec, check};
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::Dimension;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Dim;
use tract_onnx::pb::{GraphProto, ValueInfoProto, type_proto};
use tract_onnx::prelude::DatumType;

use super::Strings;
use crate::{Error, Options, support};

/// One input.
pub struct Input {
    /// Its name.
    pub name: String,
    /// Its type, strings being I32 ids.
    pub ty: DatumType,
    /// Whether it is FLOAT16 outside, F32 within.
    pub half: bool,
    /// Its shape; `None` where the file leaves the first axis free.
    pub shape: Vec<Option<usize>>,
}

impl Input {
    /// True when the first axis is free: it counts rows.
    pub fn has_rows(&self) -> bool {
        self.shape.first() == Some(&None)
    }

    /// As the manifest describes it.
    pub fn spec(&self, row_wise: bool, strings: &Strings) -> TensorSpec {
        let free = if row_wise { -1 } else { 1 };
        let strings = strings.get(&self.name).cloned();
        TensorSpec {
            name: self.name.clone(),
            datatype: datatype(self.ty, strings.is_some(), self.half),
            shape: self.shape.iter().map(|d| d.map_or(free, |d| d as i64)).collect(),
            offset: 0,
            strings,
            columns: None,
            date: None,
        }
    }
}

/// Datatype on the wire of one of tract's types that the compiler has.
pub fn datatype(ty: DatumType, is_string: bool, half: bool) -> Datatype {
    match ty {
        DatumType::F32 if half => Datatype::Fp16,
        DatumType::I32 if is_string => Datatype::Bytes,
        DatumType::Bool => Datatype::Bool,
        DatumType::I8 => Datatype::Int8,
        DatumType::U8 => Datatype::Uint8,
        DatumType::I16 => Datatype::Int16,
        DatumType::U16 => Datatype::Uint16,
        DatumType::I32 => Datatype::Int32,
        DatumType::U32 => Datatype::Uint32,
        DatumType::U64 => Datatype::Uint64,
        DatumType::F32 => Datatype::Fp32,
        DatumType::F64 => Datatype::Fp64,
        _ => Datatype::Int64,
    }
}

/// Reads the inputs that are fed. Strings are ids already.
pub fn read(graph: &GraphProto, options: &Options) -> Result<Vec<Input>, Error> {
    support::fed(graph).map(|value| input(value, options)).collect()
}

fn input(value: &ValueInfoProto, options: &Options) -> Result<Input, Error> {
    let place = format!("input {:?}", value.name);
    let Some(type_proto::Value::TensorType(tensor)) = value.r#type.as_ref().and_then(|t| t.value.as_ref()) else {
        return Err(Error::unsupported(place, "an input that is no tensor", "feed one tensor for each feature"));
    };
    let ty = match DataType::try_from(tensor.elem_type) {
        Ok(DataType::Float | DataType::Float16) => DatumType::F32,
        Ok(DataType::Double) => DatumType::F64,
        Ok(DataType::Int64) => DatumType::I64,
        Ok(DataType::Int32) => DatumType::I32,
        Ok(DataType::Int8) => DatumType::I8,
        Ok(DataType::Uint8) => DatumType::U8,
        Ok(DataType::Int16) => DatumType::I16,
        Ok(DataType::Uint16) => DatumType::U16,
        Ok(DataType::Uint32) => DatumType::U32,
        Ok(DataType::Uint64) => DatumType::U64,
        Ok(DataType::Bool) => DatumType::Bool,
        Ok(other) => {
            let what = format!("an input of type {}", other.as_str_name());
            return Err(Error::unsupported(place, what, "export it as float, double, bool, string or an integer"));
        }
        Err(_) => return Err(Error::invalid(place, "has an element type that ONNX does not know")),
    };
    let given = options.shapes.get(&value.name);
    let Some(shape) = tensor.shape.as_ref().map(|s| &s.dim[..]) else {
        return match given {
            Some(dims) => finish(value, ty, dims.clone(), options),
            None => {
                let help = format!("give it one: --shape {}=1,3,224,224 (its own sizes)", value.name);
                Err(Error::unsupported(place, "an input without a shape", help))
            }
        };
    };
    if let Some(given) = given.filter(|g| g.len() != shape.len()) {
        return Err(Error::invalid(place, format!("has {} axes, the shape given has {}", shape.len(), given.len())));
    }
    let named = options.columns.get(&value.name).map(Vec::len);
    let mut dims = Vec::new();
    for (axis, dim) in shape.iter().enumerate() {
        let wanted = given.and_then(|g| g[axis]);
        dims.push(match &dim.value {
            Some(Dim::DimValue(v)) if *v > 0 => {
                let fixed = usize::try_from(*v).unwrap_or(usize::MAX);
                if wanted.is_some_and(|w| w != fixed) {
                    return Err(Error::invalid(
                        place,
                        format!("has size {fixed} at axis {axis}, the shape given differs"),
                    ));
                }
                Some(fixed)
            }
            _ if wanted.is_some() => wanted,
            _ if axis == 0 => None,
            // A free number of features is what the caller names.
            _ if axis == 1 && shape.len() == 2 && named.is_some() => named,
            _ => {
                return Err(Error::unsupported(
                    place,
                    format!("a free dimension at axis {axis}"),
                    format!(
                        "give the size: --shape {}; only the first axis may stay free, it counts rows",
                        example(value, shape)
                    ),
                ));
            }
        });
    }
    finish(value, ty, dims, options)
}

/// `X=n,3,height,?`: what to type, the name of each free dimension where its size is to stand.
fn example(value: &ValueInfoProto, shape: &[Dimension]) -> String {
    let word = |(axis, dim): (usize, &Dimension)| match &dim.value {
        Some(Dim::DimValue(v)) if *v > 0 => v.to_string(),
        _ if axis == 0 => "n".into(),
        Some(Dim::DimParam(name)) if !name.is_empty() => name.clone(),
        _ => "?".into(),
    };
    let words: Vec<String> = shape.iter().enumerate().map(word).collect();
    format!("{}={}", value.name, words.join(","))
}

fn finish(
    value: &ValueInfoProto,
    ty: DatumType,
    mut dims: Vec<Option<usize>>,
    options: &Options,
) -> Result<Input, Error> {
    let place = format!("input {:?}", value.name);
    if let (Some(first @ None), Some(batch)) = (dims.first_mut(), options.batch) {
        *first = Some(batch);
    }
    if dims.iter().skip(1).any(Option::is_none) {
        return Err(Error::invalid(place, "only the first axis of a shape may stay free"));
    }
    let elements = dims.iter().flatten().fold(1usize, |n, d| n.saturating_mul(*d)) as u64;
    const LIMIT: u64 = 1 << 28;
    if elements > LIMIT {
        return Err(Error::TooLarge {
            what: format!("the number of elements of {place}"),
            value: elements,
            limit: LIMIT,
        });
    }
    let half = match value.r#type.as_ref().and_then(|t| t.value.as_ref()) {
        Some(type_proto::Value::TensorType(ty)) => ty.elem_type == DataType::Float16 as i32,
        None => false,
    };
    Ok(Input { name: value.name.clone(), ty, half, shape: dims })
}

/// Gives the inputs the names of their columns, where these fit.
pub fn name_columns(inputs: &mut [TensorSpec], named: &BTreeMap<String, Vec<String>>) -> Result<(), Error> {
    for (name, columns) in named {
        let place = format!("columns of input {name:?}");
        let Some(input) = inputs.iter_mut().find(|i| i.name == *name) else {
            return Err(Error::invalid(place, "the model has no such input"));
        };
        let elements = input.row_elements();
        if elements != columns.len() {
            return Err(Error::invalid(place, format!("{} names for {elements} elements of a row", columns.len())));
        }
        if let Some(twice) = columns.iter().enumerate().find(|(i, c)| columns[..*i].contains(c)) {
            return Err(Error::invalid(place, format!("the name {:?} stands there twice", twice.1)));
        }
        input.columns = Some(columns.clone());
    }
    Ok(())
}

/// Says of inputs that they are dates, and how these are written.
pub fn date(inputs: &mut [TensorSpec], dates: Vec<(String, Date)>) -> Result<(), Error> {
    for (name, date) in dates {
        let place = format!("metadata {:?}", format!("beira.date.{name}"));
        let Some(input) = inputs.iter_mut().find(|i| i.name == name) else {
            return Err(Error::invalid(place, "the model has no such input"));
        };
        date.check().map_err(|what| Error::invalid(&place, what))?;
        if !check::date_fits(input.datatype, date.unit) {
            let what = "dates are float or int32 days, double or int64 days or milliseconds";
            return Err(Error::invalid(place, what));
        }
        input.date = Some(date);
    }
    Ok(())
}
