//! One element: JSON value to bytes and back, by datatype.
//!
//! Numbers are read as f64, then as f32 where the model takes f32. Missing is `null`, and only
//! floats (NaN) and strings (their own id) can be missing. Kinds and sentences are pydantic's.

use std::collections::HashMap;

use contract::manifest::{MISSING, TensorSpec, UNSEEN};
use contract::number::INTEGER_MAX;
use contract::{Datatype, Date, Fault, Loc, half};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// Why a value does not fit; the value itself is not repeated.
pub struct Refused {
    kind: &'static str,
    message: String,
}

impl Refused {
    fn new(kind: &'static str, message: impl Into<String>) -> Refused {
        Refused { kind, message: message.into() }
    }

    /// The same as a fault of a request.
    pub fn at(self, loc: Vec<Loc>) -> Fault {
        Fault::new(self.kind, loc, self.message)
    }
}

/// One JSON value as far as an element can hold it.
#[allow(missing_docs)]
pub enum Scalar<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(&'a str),
    /// An array or an object.
    Nested,
}

impl<'a> From<&'a Value> for Scalar<'a> {
    fn from(value: &'a Value) -> Scalar<'a> {
        match value {
            Value::Null => Scalar::Null,
            Value::Bool(value) => Scalar::Bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(value), _) => Scalar::Uint(value),
                (_, Some(value)) => Scalar::Int(value),
                _ => Scalar::Float(number.as_f64().unwrap_or(f64::INFINITY)),
            },
            Value::String(text) => Scalar::Text(text),
            Value::Array(_) | Value::Object(_) => Scalar::Nested,
        }
    }
}

/// Writes elements of one input.
pub struct Writer {
    datatype: Datatype,
    ids: HashMap<String, i32>,
    date: Option<Date>,
}

impl Writer {
    /// A writer for `spec`; builds the vocabulary's index, so keep it.
    pub fn new(spec: &TensorSpec) -> Writer {
        let strings = spec.strings.iter().flatten();
        Writer { datatype: spec.datatype, ids: strings.cloned().zip(0..).collect(), date: spec.date.clone() }
    }

    /// Writes `value` to `to`, which is as long as the element.
    pub fn write(&self, value: Scalar, to: &mut [u8]) -> Result<(), Refused> {
        match (&self.date, value) {
            (Some(date), Scalar::Text(text)) => {
                let message = || format!("Input should be a valid date in the format {}", date.format);
                let number = date.parse(text).ok_or_else(|| Refused::new("date_parsing", message()))?;
                self.plain(Scalar::Float(number), to)
            }
            (Some(_), Scalar::Bool(_) | Scalar::Nested) => {
                Err(Refused::new("date_type", "Input should be a valid date"))
            }
            (_, value) => self.plain(value, to),
        }
    }

    fn plain(&self, value: Scalar, to: &mut [u8]) -> Result<(), Refused> {
        match self.datatype {
            Datatype::Fp32 | Datatype::Fp64 | Datatype::Fp16 => self.float(value, to),
            Datatype::Bytes => {
                let id = match value {
                    Scalar::Null => MISSING,
                    Scalar::Text(text) => self.ids.get(text).copied().unwrap_or(UNSEEN),
                    _ => return Err(Refused::new("string_type", "Input should be a valid string")),
                };
                to.copy_from_slice(&id.to_le_bytes());
                Ok(())
            }
            Datatype::Bool => match value {
                Scalar::Bool(value) => {
                    to[0] = u8::from(value);
                    Ok(())
                }
                _ => Err(Refused::new("bool_type", "Input should be a valid boolean")),
            },
            _ => self.integer(value, to),
        }
    }

    fn float(&self, value: Scalar, to: &mut [u8]) -> Result<(), Refused> {
        let value = match value {
            Scalar::Null => f64::NAN,
            Scalar::Int(value) => self.finite(value as f64)?,
            Scalar::Uint(value) => self.finite(value as f64)?,
            Scalar::Float(value) => self.finite(value)?,
            _ => return Err(Refused::new("float_type", "Input should be a valid number")),
        };
        match self.datatype {
            Datatype::Fp64 => to.copy_from_slice(&value.to_le_bytes()),
            Datatype::Fp16 => to.copy_from_slice(&half::narrow(value as f32).to_le_bytes()),
            _ => to.copy_from_slice(&(value as f32).to_le_bytes()),
        }
        Ok(())
    }

    /// The value, when the model's type holds it.
    fn finite(&self, value: f64) -> Result<f64, Refused> {
        let held = match self.datatype {
            Datatype::Fp64 => value,
            Datatype::Fp16 => f64::from(half::widen(half::narrow(value as f32))),
            _ => f64::from(value as f32),
        };
        if held.is_finite() { Ok(value) } else { Err(Refused::new("finite_number", "Input should be a finite number")) }
    }

    fn integer(&self, value: Scalar, to: &mut [u8]) -> Result<(), Refused> {
        let (low, high) = range(self.datatype);
        let value = match value {
            Scalar::Int(value) => i128::from(value),
            Scalar::Uint(value) => i128::from(value),
            Scalar::Float(value) if value.fract() == 0.0 => value as i128, // saturates
            Scalar::Float(_) => {
                let message = "Input should be a valid integer, got a number with a fractional part";
                return Err(Refused::new("int_from_float", message));
            }
            _ => return Err(Refused::new("int_type", "Input should be a valid integer")),
        };
        if value < i128::from(low) {
            return Err(Refused::new("greater_than_equal", format!("Input should be greater than or equal to {low}")));
        }
        if value > i128::from(high) {
            return Err(Refused::new("less_than_equal", format!("Input should be less than or equal to {high}")));
        }
        to.copy_from_slice(&value.to_le_bytes()[..to.len()]);
        Ok(())
    }
}

/// Numbers that JSON carries exactly and the type holds.
fn range(datatype: Datatype) -> (i64, i64) {
    match datatype {
        Datatype::Int8 => (i8::MIN.into(), i8::MAX.into()),
        Datatype::Int16 => (i16::MIN.into(), i16::MAX.into()),
        Datatype::Int32 => (i32::MIN.into(), i32::MAX.into()),
        Datatype::Uint8 => (0, u8::MAX.into()),
        Datatype::Uint16 => (0, u16::MAX.into()),
        Datatype::Uint32 => (0, u32::MAX.into()),
        Datatype::Uint64 => (0, INTEGER_MAX),
        _ => (-INTEGER_MAX, INTEGER_MAX),
    }
}

/// One element of a region as JSON: NaN is `null`, and so is a string id outside of the vocabulary.
pub struct Element<'a>(pub &'a TensorSpec, pub &'a [u8]);

impl Serialize for Element<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Element(spec, bytes) = self;
        match spec.datatype {
            Datatype::Bool => to.serialize_bool(bytes[0] != 0),
            Datatype::Fp16 | Datatype::Fp32 | Datatype::Fp64 => match number(spec.datatype, bytes) {
                value if value.is_finite() => to.serialize_f64(value),
                _ => to.serialize_unit(),
            },
            Datatype::Uint64 => to.serialize_u64(integer(spec.datatype, bytes) as u64),
            Datatype::Bytes => {
                let id = usize::try_from(integer(spec.datatype, bytes)).ok();
                match id.and_then(|id| spec.strings.as_ref()?.get(id)) {
                    Some(text) => to.serialize_str(text),
                    None => to.serialize_unit(),
                }
            }
            datatype => to.serialize_i64(integer(datatype, bytes)),
        }
    }
}

/// One element of a region as a number; a string is its id.
pub fn number(datatype: Datatype, bytes: &[u8]) -> f64 {
    match datatype {
        Datatype::Fp32 => f64::from(f32::from_le_bytes(array(bytes))),
        Datatype::Fp64 => f64::from_le_bytes(array(bytes)),
        Datatype::Fp16 => f64::from(half::widen(u16::from_le_bytes(array(bytes)))),
        Datatype::Uint64 => integer(datatype, bytes) as u64 as f64,
        datatype => integer(datatype, bytes) as f64,
    }
}

/// Sign- or zero-extended to 64 bits.
fn integer(datatype: Datatype, bytes: &[u8]) -> i64 {
    let signed = matches!(datatype, Datatype::Int8 | Datatype::Int16 | Datatype::Int32 | Datatype::Bytes);
    let unused = 64 - 8 * bytes.len().min(8) as u32;
    let wide = u64::from_le_bytes(array(bytes));
    if signed { (wide << unused) as i64 >> unused } else { wide as i64 }
}

/// The first `N` bytes, zeros behind the end.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    let length = N.min(bytes.len());
    array[..length].copy_from_slice(&bytes[..length]);
    array
}
