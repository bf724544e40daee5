//! Numbers in JSON: f32 widened to f64 and printed shortest; a missing value is `null`.
//!
//! Rust and JavaScript then print the same text for the same bits.

use serde_json::Value;

/// A number as JSON: `null` for NaN. Infinities have no JSON form and are `null` too; a model
/// that answers one is reported by whoever calls this.
pub fn to_json(value: f64) -> Value {
    serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// Integers that JSON readers with f64 numbers (JavaScript) keep exactly: up to 2^53.
pub const INTEGER_MAX: i64 = 1 << 53;
