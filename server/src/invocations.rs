//! MLflow's scoring protocol: `POST /invocations` and `GET /ping`, for the one model that is served.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use contract::Manifest;
use contract::mlflow::ErrorBody;
use host_native::records;
use serde_json::{Map, Value, json};

use crate::auth::caller::Caller;
use crate::body;
use crate::error::Error;
use crate::predict::{self, Refused};
use crate::serving::{Serving, Target, Unserved};

/// The four forms of a body.
const FORMS: [&str; 4] = ["dataframe_split", "dataframe_records", "inputs", "instances"];

/// `GET /ping` (and `/health` of `beira infer`): 200 when there is a model to predict with.
pub async fn ping(State(serving): State<Serving>) -> Response {
    match serving.models.served().await {
        Ok(served) if served.is_empty() => StatusCode::NOT_FOUND.into_response(),
        Ok(_) => "\n".into_response(),
        Err(Unserved(status, _)) => status.into_response(),
    }
}

/// `POST /invocations`: one of four JSON forms in, `{"predictions": [{output: answer}, …]}` out.
pub async fn invocations(caller: Caller, State(serving): State<Serving>, request: Request) -> Response {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        let text = "This endpoint takes Content-Type application/json.\n";
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, text).into_response();
    }
    let target = match only(&serving, &caller).await {
        Ok(target) => target,
        Err(response) => return response,
    };
    match answer(&serving, &target, request).await {
        Ok(predictions) => Json(json!({"predictions": predictions})).into_response(),
        Err(refused) => {
            serving.traffic.error(&target);
            match refused {
                Refused::Faults(faults) => {
                    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                    bad_request(&faults.join("; "))
                }
                Refused::Error(error) => error.into_response(),
            }
        }
    }
}

async fn answer(serving: &Serving, target: &Arc<Target>, request: Request) -> Result<Vec<Value>, Refused> {
    let counted = predict::counted(request.headers());
    let body = body::read(request.into_body(), serving.limits.bytes).await.map_err(Refused::Error)?;
    let refused = |text: String| Refused::Error(Error::bad_request(text));
    let read = predict::json(body).await.map_err(Refused::Error)?;
    let body: Value = read
        .map_err(|error| refused(format!("The body is not JSON: line {}, column {}.", error.line(), error.column())))?;
    let manifest = target.module.manifest();
    let records = self::records(manifest, body).map_err(refused)?;
    predict::check_rows(serving, records.len())?;
    let batch = target.module.reader().records(&records).map_err(Refused::Faults)?;
    let rows = batch.rows;
    let outputs = predict::run(serving, target, batch, counted).await.map_err(Refused::Error)?;
    Ok(records::decode(manifest, rows, &outputs))
}

/// The model, where exactly one is served.
async fn only(serving: &Serving, caller: &Caller) -> Result<Arc<Target>, Response> {
    let mut served = match serving.models.served().await {
        Ok(served) => served,
        Err(Unserved(status, message)) => return Err((status, message).into_response()),
    };
    served.retain(|target| caller.has_model(&target.name));
    match (served.pop(), served.len()) {
        (Some(target), 0) => Ok(target),
        (None, _) => Err(Error::missing("No model is served: none has the alias 'champion'.").into_response()),
        (Some(_), others) => {
            let text = format!("{} models are served here; name the one you mean: POST /predict/{{name}}.", others + 1);
            Err(bad_request(&text))
        }
    }
}

fn bad_request(message: &str) -> Response {
    let body = ErrorBody { error_code: "BAD_REQUEST".to_owned(), message: message.to_owned() };
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

/// The rows of a body as records of the model's features. Columns that the model does not know are
/// left out, as MLflow does it; missing ones are found later. Errors do not repeat values.
fn records(manifest: &Manifest, body: Value) -> Result<Vec<Map<String, Value>>, String> {
    let Value::Object(mut body) = body else { return Err("The body must be a JSON object.".to_owned()) };
    let mut given = FORMS.iter().filter_map(|form| body.remove(*form).map(|value| (*form, value)));
    let (Some((form, value)), None) = (given.next(), given.next()) else {
        return Err(format!("The body must have exactly one of the fields {}.", FORMS.join(", ")));
    };
    let names: Vec<String> = manifest.inputs.iter().flat_map(|spec| spec.element_names()).collect();
    let mut records = match (form, value) {
        ("dataframe_split", Value::Object(frame)) => split(frame)?,
        ("dataframe_split", _) => return Err("dataframe_split must be an object with columns and data.".to_owned()),
        ("dataframe_records", Value::Array(rows)) => rows
            .into_iter()
            .enumerate()
            .map(|(i, row)| match row {
                Value::Object(row) => Ok(row),
                _ => Err(format!("dataframe_records[{i}] is not an object.")),
            })
            .collect::<Result<_, _>>()?,
        ("dataframe_records", _) => return Err("dataframe_records must be an array of objects.".to_owned()),
        (form, Value::Object(columns)) => by_column(manifest, form, columns)?,
        (form, Value::Array(rows)) => rows
            .into_iter()
            .enumerate()
            .map(|(i, row)| match row {
                Value::Object(row) => Ok(row),
                row => named(&names, flat(row)).map_err(|what| format!("{form}[{i}]: {what}")),
            })
            .collect::<Result<_, _>>()?,
        (form, _) => return Err(format!("{form} must be an array of rows or an object of columns.")),
    };
    records.iter_mut().for_each(|record| record.retain(|name, _| names.contains(name)));
    Ok(records)
}

/// `{"columns": […], "data": [[…]]}`; an index is ignored.
fn split(mut frame: Map<String, Value>) -> Result<Vec<Map<String, Value>>, String> {
    let columns: Vec<String> = frame
        .remove("columns")
        .and_then(|columns| serde_json::from_value(columns).ok())
        .ok_or("dataframe_split.columns must be an array of names.")?;
    let Some(Value::Array(data)) = frame.remove("data") else {
        return Err("dataframe_split.data must be an array of rows.".to_owned());
    };
    data.into_iter()
        .enumerate()
        .map(|(i, row)| match row {
            Value::Array(row) => named(&columns, row).map_err(|what| format!("dataframe_split.data[{i}]: {what}")),
            _ => Err(format!("dataframe_split.data[{i}] is not an array.")),
        })
        .collect()
}

/// `{"column": [value of each row]}`, by feature or by whole tensor.
fn by_column(manifest: &Manifest, form: &str, columns: Map<String, Value>) -> Result<Vec<Map<String, Value>>, String> {
    let mut records: Vec<Map<String, Value>> = Vec::new();
    for (at, (column, values)) in columns.into_iter().enumerate() {
        let Value::Array(values) = values else { return Err(format!("{form}.{column} is not an array.")) };
        if at == 0 {
            records.resize(values.len(), Map::new());
        } else if values.len() != records.len() {
            return Err(format!("{form}.{column} has {} rows, the columns before it {}.", values.len(), records.len()));
        }
        let tensor = manifest.inputs.iter().find(|spec| spec.name == column);
        let names = tensor.map_or_else(|| vec![column.clone()], |spec| spec.element_names());
        for (i, (record, value)) in records.iter_mut().zip(values).enumerate() {
            record.extend(named(&names, flat(value)).map_err(|what| format!("{form}.{column}[{i}]: {what}"))?);
        }
    }
    Ok(records)
}

fn named(names: &[String], values: Vec<Value>) -> Result<Map<String, Value>, String> {
    if names.len() == values.len() {
        Ok(names.iter().cloned().zip(values).collect())
    } else {
        Err(format!("{} values where there are {} columns.", values.len(), names.len()))
    }
}

fn flat(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.into_iter().flat_map(flat).collect(),
        value => vec![value],
    }
}

#[cfg(test)]
mod tests {
    use contract::{Datatype, TensorSpec};

    use super::*;

    fn manifest() -> Manifest {
        let spec = |name: &str, columns: &[&str]| TensorSpec {
            name: name.to_owned(),
            datatype: Datatype::Fp32,
            shape: vec![-1, columns.len().max(1) as i64],
            offset: 0,
            strings: None,
            date: None,
            columns: (!columns.is_empty()).then(|| columns.iter().map(|name| (*name).to_owned()).collect()),
        };
        Manifest {
            version: 1,
            compiler: String::new(),
            onnx_sha256: String::new(),
            opset: Default::default(),
            rows_max: 1,
            inputs: vec![spec("X", &["a", "b"]), spec("c", &[])],
            outputs: Vec::new(),
            cost: Default::default(),
            relaxed: false,
        }
    }

    #[test]
    fn all_forms_are_the_same_rows() {
        let expected = json!([{"a": 1, "b": 2, "c": 3}, {"a": 4, "b": null, "c": 6}]);
        for body in [
            json!({"dataframe_split": {"columns": ["c", "a", "b", "z"], "index": [0, 1], "data": [[3, 1, 2, 0], [6, 4, null, 0]]}}),
            json!({"dataframe_records": [{"a": 1, "b": 2, "c": 3, "z": 0}, {"a": 4, "b": null, "c": 6}]}),
            json!({"inputs": {"X": [[1, 2], [4, null]], "c": [3, 6]}}),
            json!({"inputs": {"a": [1, 4], "b": [[2], [null]], "c": [3, 6]}, "params": {}}),
            json!({"inputs": [[1, 2, 3], [4, null, 6]]}),
            json!({"instances": [[[1, 2], 3], {"a": 4, "b": null, "c": 6}]}),
        ] {
            assert_eq!(json!(records(&manifest(), body.clone()).unwrap()), expected, "{body}");
        }
    }

    #[test]
    fn what_is_refused() {
        let check = |body: Value, expected: &str| assert_eq!(records(&manifest(), body).unwrap_err(), expected);
        let forms =
            "The body must have exactly one of the fields dataframe_split, dataframe_records, inputs, instances.";
        check(json!([1]), "The body must be a JSON object.");
        check(json!({"data": []}), forms);
        check(json!({"inputs": [], "instances": []}), forms);
        check(json!({"inputs": [[1]]}), "inputs[0]: 1 values where there are 3 columns.");
        check(json!({"inputs": {"X": [[1, 2]], "c": [1, 2]}}), "inputs.c has 2 rows, the columns before it 1.");
        check(json!({"dataframe_split": {"data": []}}), "dataframe_split.columns must be an array of names.");
        check(
            json!({"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}),
            "dataframe_split.data[0]: 2 values where there are 1 columns.",
        );
    }
}
