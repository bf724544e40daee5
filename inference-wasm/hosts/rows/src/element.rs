//! One element: JSON value to bytes and back, by datatype.
//!
//! Numbers are read as f64, then as f32 where the model takes f32. Missing is `null`, and only
//! floats (NaN) and strings (their own id) can be missing. A date is a text in the manifest's format,
//! or the number that it stands for. Kinds and sentences are pydantic's.

use std::collections::HashMap;

use contract::manifest::{MISSING, TensorSpec, UNSEEN};
use contract::number::{self, INTEGER_MAX};
use contract::{Datatype, Date, Fault, Loc};
use serde_json::{Number, Value};

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

/// Writes elements of one input.
pub struct Writer<'a> {
    datatype: Datatype,
    ids: HashMap<&'a str, i32>,
    date: Option<&'a Date>,
}

impl<'a> Writer<'a> {
    /// A writer for `spec`; builds the vocabulary's index, so make one per request and input.
    pub fn new(spec: &'a TensorSpec) -> Writer<'a> {
        let strings = spec.strings.iter().flatten();
        let ids = strings.zip(0..).map(|(text, id)| (text.as_str(), id)).collect();
        Writer { datatype: spec.datatype, ids, date: spec.date.as_ref() }
    }

    /// Writes `value` to `to`, which is as long as the element.
    pub fn write(&self, value: &Value, to: &mut [u8]) -> Result<(), Refused> {
        match (self.date, value) {
            (Some(date), Value::String(text)) => {
                let message = || format!("Input should be a valid date in the format {}", date.format);
                let number = date.parse(text).ok_or_else(|| Refused::new("date_parsing", message()))?;
                self.plain(&Value::from(number), to)
            }
            (Some(_), Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
                Err(Refused::new("date_type", "Input should be a valid date"))
            }
            _ => self.plain(value, to),
        }
    }

    fn plain(&self, value: &Value, to: &mut [u8]) -> Result<(), Refused> {
        match self.datatype {
            Datatype::Fp32 | Datatype::Fp64 | Datatype::Fp16 => self.float(value, to),
            Datatype::Bytes => {
                let id = match value {
                    Value::Null => MISSING,
                    Value::String(text) => self.ids.get(text.as_str()).copied().unwrap_or(UNSEEN),
                    _ => return Err(Refused::new("string_type", "Input should be a valid string")),
                };
                to.copy_from_slice(&id.to_le_bytes());
                Ok(())
            }
            Datatype::Bool => match value {
                Value::Bool(value) => {
                    to[0] = u8::from(*value);
                    Ok(())
                }
                _ => Err(Refused::new("bool_type", "Input should be a valid boolean")),
            },
            _ => self.integer(value, to),
        }
    }

    fn float(&self, value: &Value, to: &mut [u8]) -> Result<(), Refused> {
        let value = match value {
            Value::Null => f64::NAN,
            Value::Number(number) => {
                let value = number.as_f64().unwrap_or(f64::INFINITY);
                let fits = if self.datatype == Datatype::Fp64 { value } else { f64::from(value as f32) };
                if !fits.is_finite() {
                    return Err(Refused::new("finite_number", "Input should be a finite number"));
                }
                value
            }
            _ => return Err(Refused::new("float_type", "Input should be a valid number")),
        };
        match self.datatype {
            Datatype::Fp64 => to.copy_from_slice(&value.to_le_bytes()),
            _ => to.copy_from_slice(&(value as f32).to_le_bytes()),
        }
        Ok(())
    }

    fn integer(&self, value: &Value, to: &mut [u8]) -> Result<(), Refused> {
        let Value::Number(number) = value else {
            return Err(Refused::new("int_type", "Input should be a valid integer"));
        };
        let (low, high) = range(self.datatype);
        let value = match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(value), _, _) => i128::from(value),
            (_, Some(value), _) => i128::from(value),
            (_, _, Some(value)) if value.fract() == 0.0 => value as i128, // saturates
            _ => {
                let message = "Input should be a valid integer, got a number with a fractional part";
                return Err(Refused::new("int_from_float", message));
            }
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

/// One element of a region as JSON; a string id outside of the vocabulary is `null`.
pub fn read(spec: &TensorSpec, bytes: &[u8]) -> Value {
    match spec.datatype {
        Datatype::Bool => Value::Bool(bytes[0] != 0),
        Datatype::Fp16 | Datatype::Fp32 | Datatype::Fp64 => number::to_json(number(spec.datatype, bytes)),
        Datatype::Uint64 => Value::Number(Number::from(integer(spec.datatype, bytes) as u64)),
        Datatype::Bytes => {
            let id = usize::try_from(integer(spec.datatype, bytes)).ok();
            let text = id.and_then(|id| spec.strings.as_ref()?.get(id));
            text.map_or(Value::Null, |text| Value::String(text.clone()))
        }
        datatype => Value::Number(Number::from(integer(datatype, bytes))),
    }
}

/// One element of a region as a number; a string is its id.
pub fn number(datatype: Datatype, bytes: &[u8]) -> f64 {
    match datatype {
        Datatype::Fp32 => f64::from(f32::from_le_bytes(array(bytes))),
        Datatype::Fp64 => f64::from_le_bytes(array(bytes)),
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
