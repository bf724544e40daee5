//! JSON schemas: of a model's records and answers from its signature, and of what all models share.

use contract::date::Unit;
use contract::number::INTEGER_MAX;
use contract::profile::{Bins, Profile, Reference};
use contract::{Datatype, Manifest, TensorSpec};
use host_native::records::PREDICTION_ID;
use serde_json::{Map, Value, json};

/// One record: every feature is there, `null` where its value is missing.
pub fn input(manifest: &Manifest, profile: Option<&Profile>) -> Value {
    let (mut properties, mut required, mut example) = (Map::new(), Vec::new(), Map::new());
    for spec in &manifest.inputs {
        for name in spec.element_names() {
            let known = profile.and_then(|profile| profile.features.iter().find(|feature| feature.name == name));
            let value = typical(spec, known);
            let mut schema = element(spec.datatype);
            if let Some(date) = &spec.date {
                let unit = if date.unit == Unit::Days { "days" } else { "milliseconds" };
                let text = format!("A date in the format {}, or the number of {unit} since 1970-01-01.", date.format);
                schema = json!({"type": ["string", "number", "null"], "description": text});
            }
            schema["examples"] = json!([value]);
            properties.insert(name.clone(), schema);
            example.insert(name.clone(), value);
            required.push(name);
        }
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
        "examples": [example]
    })
}

/// One answer.
pub fn output(manifest: &Manifest) -> Value {
    let mut properties: Map<String, Value> =
        manifest.outputs.iter().map(|spec| (spec.name.clone(), tensor(spec))).collect();
    let required: Vec<String> = properties.keys().cloned().collect();
    properties.insert(PREDICTION_ID.to_owned(), json!({"type": "string", "description": "Where ids=1 asks for it."}));
    json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false})
}

/// A tensor's row as `/predict` answers it.
fn tensor(spec: &TensorSpec) -> Value {
    let element = element(spec.datatype);
    match (&spec.columns, spec.row_elements()) {
        (_, 1) => element,
        (Some(columns), _) => {
            let properties: Map<String, Value> =
                columns.iter().map(|column| (column.clone(), element.clone())).collect();
            json!({"type": "object", "required": columns, "properties": properties})
        }
        (None, n) => json!({"type": "array", "items": element, "minItems": n, "maxItems": n}),
    }
}

fn element(datatype: Datatype) -> Value {
    let integer = |low: i64, high: i64| json!({"type": "integer", "minimum": low, "maximum": high});
    match datatype {
        Datatype::Bool => json!({"type": "boolean"}),
        Datatype::Fp32 | Datatype::Fp16 => json!({"type": ["number", "null"], "format": "float"}),
        Datatype::Fp64 => json!({"type": ["number", "null"], "format": "double"}),
        Datatype::Bytes => json!({"type": ["string", "null"]}),
        Datatype::Int8 => integer(i8::MIN.into(), i8::MAX.into()),
        Datatype::Int16 => integer(i16::MIN.into(), i16::MAX.into()),
        Datatype::Int32 => integer(i32::MIN.into(), i32::MAX.into()),
        Datatype::Int64 => integer(-INTEGER_MAX, INTEGER_MAX),
        Datatype::Uint8 => integer(0, u8::MAX.into()),
        Datatype::Uint16 => integer(0, u16::MAX.into()),
        Datatype::Uint32 => integer(0, u32::MAX.into()),
        Datatype::Uint64 => integer(0, INTEGER_MAX),
    }
}

/// A value to begin with: the middle edge of the training data's bins, or a word of the vocabulary.
/// Never a row of the data.
fn typical(spec: &TensorSpec, known: Option<&Reference>) -> Value {
    let middle = match known.map(|known| &known.bins) {
        Some(Bins::Edges(edges)) => edges.get(edges.len() / 2).copied(),
        _ => None,
    };
    match spec.datatype {
        Datatype::Bool => json!(false),
        Datatype::Bytes => spec.strings.iter().flatten().next().map_or(Value::Null, |text| json!(text)),
        // The shortest text that is this f32 again: 10.2, not 10.199999809265137.
        Datatype::Fp16 | Datatype::Fp32 => {
            contract::number::to_json((middle.unwrap_or(0.0) as f32).to_string().parse().unwrap_or(0.0))
        }
        Datatype::Fp64 => contract::number::to_json(middle.unwrap_or(0.0)),
        _ => json!(middle.unwrap_or(0.0).round() as i64),
    }
}

/// Schemas that every document has: faults, errors, tensors.
pub fn shared() -> Map<String, Value> {
    let text = json!({"type": "string"});
    let fault = json!({
        "type": "object",
        "required": ["loc", "msg", "type"],
        "properties": {
            "loc": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
            "msg": text,
            "type": text
        }
    });
    let faults = json!({
        "type": "object",
        "properties": {"detail": {"type": "array", "items": {"$ref": "#/components/schemas/ValidationError"}}}
    });
    let tensor = json!({
        "type": "object",
        "required": ["name", "shape", "datatype", "data"],
        "properties": {
            "name": text,
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
            "datatype": {"type": "string", "enum": ["BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16",
                "INT32", "INT64", "FP32", "FP64", "BYTES"]},
            "parameters": {"type": "object"},
            "data": {"type": "array"}
        }
    });
    let tensors = json!({"type": "array", "items": {"$ref": "#/components/schemas/Tensor"}});
    let frame = json!({
        "type": "object",
        "required": ["columns", "data"],
        "properties": {"columns": {"type": "array", "items": text}, "data": {"type": "array", "items": {"type": "array"}}}
    });
    let rows_or_columns = json!({"type": ["array", "object"]});
    let shared = json!({
        "ValidationError": fault,
        "HTTPValidationError": faults,
        "Detail": {"type": "object", "required": ["detail"], "properties": {"detail": text}},
        "MlflowError": {
            "type": "object",
            "required": ["error_code", "message"],
            "properties": {"error_code": text, "message": text}
        },
        "InferError": {"type": "object", "required": ["error"], "properties": {"error": text}},
        "Tensor": tensor,
        "InferRequest": {
            "type": "object",
            "required": ["inputs"],
            "properties": {
                "id": text,
                "parameters": {"type": "object"},
                "inputs": tensors,
                "outputs": {"type": "array", "items": {"type": "object", "required": ["name"], "properties": {"name": text}}}
            }
        },
        "InferResponse": {
            "type": "object",
            "required": ["model_name", "outputs"],
            "properties": {"model_name": text, "model_version": text, "id": text, "outputs": tensors}
        },
        "Invocation": {
            "oneOf": [
                {"type": "object", "required": ["dataframe_split"], "properties": {"dataframe_split": frame}},
                {"type": "object", "required": ["dataframe_records"],
                    "properties": {"dataframe_records": {"type": "array", "items": {"type": "object"}}}},
                {"type": "object", "required": ["inputs"], "properties": {"inputs": rows_or_columns}},
                {"type": "object", "required": ["instances"], "properties": {"instances": rows_or_columns}}
            ]
        }
    });
    match shared {
        Value::Object(shared) => shared,
        _ => Map::new(),
    }
}
