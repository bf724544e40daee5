//! OTLP's spans: the fields that are kept, read from protobuf or OTLP's JSON, written as protobuf's JSON.
//!
//! Field numbers are those of opentelemetry-proto 1.x. The two kinds of JSON differ in ids (hex in OTLP's, base64 in
//! protobuf's), and MLflow's answers keep the underscores in names.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::hex;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value as Json, json};

/// `ExportTraceServiceRequest`.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Export {
    /// Spans by whoever made them.
    #[prost(message, repeated, tag = "1")]
    pub resource_spans: Vec<ResourceSpans>,
}

/// Spans of one process.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceSpans {
    /// The process.
    #[prost(message, optional, tag = "1")]
    pub resource: Option<Resource>,
    /// Spans by library.
    #[prost(message, repeated, tag = "2")]
    pub scope_spans: Vec<ScopeSpans>,
}

/// What is known of a process.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct Resource {
    /// `service.name` and the like.
    #[prost(message, repeated, tag = "1")]
    pub attributes: Vec<KeyValue>,
}

/// Spans of one library.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct ScopeSpans {
    /// The spans.
    #[prost(message, repeated, tag = "2")]
    pub spans: Vec<Span>,
}

/// A span.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default, rename_all(deserialize = "camelCase"))]
#[allow(missing_docs)]
pub struct Span {
    #[prost(bytes = "vec", tag = "1")]
    #[serde(serialize_with = "to_base64", deserialize_with = "from_hex")]
    pub trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    #[serde(serialize_with = "to_base64", deserialize_with = "from_hex")]
    pub span_id: Vec<u8>,
    #[prost(string, tag = "3")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub trace_state: String,
    #[prost(bytes = "vec", tag = "4")]
    #[serde(serialize_with = "to_base64", deserialize_with = "from_hex", skip_serializing_if = "Vec::is_empty")]
    pub parent_span_id: Vec<u8>,
    #[prost(string, tag = "5")]
    pub name: String,
    #[prost(int32, tag = "6")]
    pub kind: i32,
    #[prost(fixed64, tag = "7")]
    #[serde(serialize_with = "to_text", deserialize_with = "from_number")]
    pub start_time_unix_nano: u64,
    #[prost(fixed64, tag = "8")]
    #[serde(serialize_with = "to_text", deserialize_with = "from_number")]
    pub end_time_unix_nano: u64,
    #[prost(message, repeated, tag = "9")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<KeyValue>,
    #[prost(message, repeated, tag = "11")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    #[prost(message, repeated, tag = "13")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    #[prost(message, optional, tag = "15")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
}

impl Span {
    /// The value of an attribute.
    pub fn attribute(&self, key: &str) -> Option<Json> {
        self.attributes.iter().find(|attribute| attribute.key == key).map(KeyValue::json)
    }
}

/// Something that happened during a span, such as an exception.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default, rename_all(deserialize = "camelCase"))]
#[allow(missing_docs)]
pub struct Event {
    #[prost(fixed64, tag = "1")]
    #[serde(serialize_with = "to_text", deserialize_with = "from_number")]
    pub time_unix_nano: u64,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(message, repeated, tag = "3")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<KeyValue>,
}

/// Another span that this one has to do with.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default, rename_all(deserialize = "camelCase"))]
#[allow(missing_docs)]
pub struct Link {
    #[prost(bytes = "vec", tag = "1")]
    #[serde(serialize_with = "to_base64", deserialize_with = "from_hex")]
    pub trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    #[serde(serialize_with = "to_base64", deserialize_with = "from_hex")]
    pub span_id: Vec<u8>,
    #[prost(message, repeated, tag = "4")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<KeyValue>,
}

/// How a span ended: code 1 is OK, 2 an error.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)]
pub struct Status {
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    #[prost(int32, tag = "3")]
    pub code: i32,
}

/// An attribute.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)]
pub struct KeyValue {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<AnyValue>,
}

impl KeyValue {
    /// The value as plain JSON.
    pub fn json(&self) -> Json {
        self.value.as_ref().map_or(Json::Null, AnyValue::json)
    }
}

/// A value of any kind, or none.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
pub struct AnyValue {
    /// The value.
    #[prost(oneof = "Value", tags = "1, 2, 3, 4, 5, 6, 7")]
    #[serde(flatten)]
    pub value: Option<Value>,
}

/// The kinds of values.
#[derive(Clone, PartialEq, prost::Oneof, Serialize, Deserialize)]
#[serde(rename_all(serialize = "snake_case", deserialize = "camelCase"))]
#[allow(missing_docs, clippy::enum_variant_names)] // OTLP's names, which JSON has too
pub enum Value {
    #[prost(string, tag = "1")]
    StringValue(String),
    #[prost(bool, tag = "2")]
    BoolValue(bool),
    #[prost(int64, tag = "3")]
    #[serde(deserialize_with = "from_number")]
    IntValue(i64),
    #[prost(double, tag = "4")]
    #[serde(serialize_with = "to_double", deserialize_with = "from_number")]
    DoubleValue(f64),
    #[prost(message, tag = "5")]
    ArrayValue(ArrayValue),
    #[prost(message, tag = "6")]
    KvlistValue(KeyValueList),
    #[prost(bytes = "vec", tag = "7")]
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    BytesValue(Vec<u8>),
}

/// A list.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)]
pub struct ArrayValue {
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<AnyValue>,
}

/// A map.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)]
pub struct KeyValueList {
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<KeyValue>,
}

impl AnyValue {
    fn json(&self) -> Json {
        match &self.value {
            None => Json::Null,
            Some(Value::StringValue(text)) => json!(text),
            Some(Value::BoolValue(value)) => json!(value),
            Some(Value::IntValue(value)) => json!(value),
            Some(Value::DoubleValue(value)) => json!(value),
            Some(Value::ArrayValue(list)) => list.values.iter().map(AnyValue::json).collect(),
            Some(Value::KvlistValue(map)) => map.values.iter().map(|pair| (pair.key.clone(), pair.json())).collect(),
            Some(Value::BytesValue(bytes)) => json!(STANDARD.encode(bytes)),
        }
    }
}

fn to_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn from_hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    hex::decode(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("an id is not hex digits"))
}

fn to_text<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

fn to_double<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    match *number {
        number if number.is_finite() => serializer.serialize_f64(number),
        number if number.is_nan() => serializer.serialize_str("NaN"),
        number if number > 0.0 => serializer.serialize_str("Infinity"),
        _ => serializer.serialize_str("-Infinity"),
    }
}

/// A number, or the same in quotes.
fn from_number<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + FromStr,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either<T> {
        Number(T),
        Text(String),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text.parse().map_err(|_| D::Error::custom("a number is none")),
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    /// OTLP's JSON becomes protobuf's, through protobuf itself.
    #[test]
    fn json_in_protobuf_between_json_out() {
        let check = |value: &str, expected: &str| {
            let text = format!(
                r#"{{"traceId": "00ff", "spanId": "01", "name": "n", "startTimeUnixNano": "5", "endTimeUnixNano": 6, "droppedEventsCount": 1,
                    "attributes": [{{"key": "k", "value": {value}}}], "status": {{"code": 2, "message": "m"}}}}"#
            );
            let span: Span = serde_json::from_str(&text).unwrap();
            let back = Span::decode(span.encode_to_vec().as_slice()).unwrap();
            let written = serde_json::to_string(&back).unwrap();
            let expected = format!(
                r#"{{"trace_id":"AP8=","span_id":"AQ==","name":"n","kind":0,"start_time_unix_nano":"5","end_time_unix_nano":"6","attributes":[{{"key":"k","value":{expected}}}],"status":{{"message":"m","code":2}}}}"#
            );
            assert_eq!(written, expected);
        };
        check(r#"{"stringValue": "s"}"#, r#"{"string_value":"s"}"#);
        check(r#"{"intValue": "-7"}"#, r#"{"int_value":-7}"#);
        check(r#"{"doubleValue": "NaN"}"#, r#"{"double_value":"NaN"}"#);
        check(r#"{"bytesValue": "AP8="}"#, r#"{"bytes_value":"AP8="}"#);
        check(
            r#"{"kvlistValue": {"values": [{"key": "a", "value": {"arrayValue": {"values": [{"boolValue": true}, {}]}}}]}}"#,
            r#"{"kvlist_value":{"values":[{"key":"a","value":{"array_value":{"values":[{"bool_value":true},{}]}}}]}}"#,
        );
    }
}
