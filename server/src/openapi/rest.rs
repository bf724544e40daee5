//! The document's paths for the routes that are not a model's own: each as the router declares it, with the fields that
//! `fields.rs` knows of it.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::{failed, fields, reference};
use crate::auth::Permission;
use crate::route::Declared;

/// Beginnings of paths that are pages, files of pages, or described model by model.
const ELSEWHERE: [&str; 9] =
    ["/ajax-api", "/docs", "/signin", "/signout", "/npm", "/openapi.json", "/predict", "/invocations", "/v2/health"];

/// Whether a route stands in the document by what [`fields`] says of it.
pub fn told(route: &Declared) -> bool {
    route.method != Method::OPTIONS && !ELSEWHERE.iter().any(|start| route.path.starts_with(start))
}

/// The paths of these routes; of those that nothing is known of, too.
pub fn paths(declared: &[Declared]) -> Map<String, Value> {
    let mut paths = Map::new();
    for route in declared.iter().filter(|route| told(route)) {
        let path = route.path.replace("{*", "{");
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        methods[route.method.as_str().to_ascii_lowercase()] = operation(route);
    }
    paths
}

fn operation(route: &Declared) -> Value {
    let known = fields::of(&route.method, &route.path).unwrap_or_default();
    let names: Vec<&str> = route.path.split('/').filter(|part| !part.is_empty()).collect();
    let mut id: String = names.join("_").chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
    id.insert_str(0, &format!("{}_", route.method.as_str().to_ascii_lowercase()));
    let mut parameters: Vec<Value> = names.iter().filter_map(|name| in_path(name)).collect();
    let mut operation = json!({
        "operationId": id,
        "tags": [tag(&names)],
        "responses": responses(route, known.answer),
    });
    let fields = fields::object(known.fields);
    if let Some(kind) = known.fields.strip_prefix('=') {
        operation["requestBody"] = json!({"required": true, "content": {kind: {"schema": {}}}});
    } else if route.method == Method::GET {
        let required = fields["required"].as_array().cloned().unwrap_or_default();
        for (name, schema) in fields["properties"].as_object().into_iter().flatten() {
            let required = required.iter().any(|field| field == name);
            parameters.push(json!({"name": name, "in": "query", "required": required, "schema": schema}));
        }
    } else if !known.fields.is_empty() {
        operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": fields}}});
    }
    for header in known.headers {
        let schema = json!({"type": "string"});
        parameters.push(json!({"name": header, "in": "header", "required": true, "schema": schema}));
    }
    operation["parameters"] = parameters.into();
    if route.permission == Permission::Public {
        operation["security"] = json!([]);
    }
    operation
}

/// `{name}` of a path.
fn in_path(part: &str) -> Option<Value> {
    let name = part.strip_prefix('{')?.strip_suffix('}')?.trim_start_matches('*');
    Some(json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
}

/// What the routes of one thing have in common: `runs`, `traces`.
fn tag(names: &[&str]) -> String {
    let thing = names.iter().find(|name| !["api", "2.0", "3.0", "mlflow", "beira", "v1"].contains(*name));
    thing.copied().unwrap_or("server").to_owned()
}

fn responses(route: &Declared, answer: &str) -> Value {
    let good = match answer.strip_prefix('=') {
        Some(kind) => json!({kind: {"schema": {}}}),
        None => json!({"application/json": {"schema": fields::object(answer)}}),
    };
    let error = match &route.path {
        path if path.starts_with("/v2") => "InferError",
        path if path.starts_with("/telemetry") => "Refused",
        path if path.starts_with("/modules") || path.starts_with("/compiled") => "Detail",
        _ => "MlflowError",
    };
    let mut responses = json!({
        "200": {"description": "Done.", "content": good},
        "4XX": failed("The request cannot be done as it is; the message says why.", error),
        "503": failed("Not now: the database is away, or the answer took too long.", error),
    });
    for (status, paths) in fields::MLFLOWS_OWN {
        if paths.iter().any(|path| route.path.contains(path)) {
            responses[status] = failed("As MLflow answers.", error);
        }
    }
    responses
}

/// Schemas that only these routes use.
pub fn schemas() -> Map<String, Value> {
    let own = fields::COMPONENTS.iter().map(|(name, fields)| ((*name).to_owned(), fields::object(fields)));
    let refused = json!({"anyOf": [reference("Detail"), reference("HTTPValidationError"), reference("MlflowError")]});
    own.chain([("Refused".to_owned(), refused)]).collect()
}
