//! `GET /openapi.json`: OpenAPI 3.1, with a typed path for every model that is served, from its signature, and one for every
//! other route that is declared.

mod fields;
mod rest;
mod schema;

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::auth::caller::Caller;
use crate::route::Declared;
use crate::serving::{Serving, Target, Unserved};
use crate::url::encoded;

/// The document as of now.
pub async fn document(caller: Caller, State(serving): State<Serving>) -> Response {
    match serving.models.served().await {
        Ok(served) => {
            let theirs = served.iter().filter(|target| caller.has_model(&target.name));
            Json(of(&theirs.map(|target| &**target).collect::<Vec<_>>(), serving.declared())).into_response()
        }
        Err(Unserved(status, message)) => (status, Json(json!({"detail": message}))).into_response(),
    }
}

/// The document for these models and routes.
fn of(served: &[&Target], declared: &[Declared]) -> Value {
    let mut paths = rest::paths(declared);
    let mut schemas = schema::shared();
    schemas.extend(rest::schemas());
    let mut ids = BTreeSet::new();
    for target in served {
        let id = unique(&mut ids, &target.name);
        let manifest = target.module.manifest();
        let profile = target.module.seal().and_then(|seal| seal.profile.as_ref());
        schemas.insert(format!("{id}.Input"), schema::input(manifest, profile));
        schemas.insert(format!("{id}.Output"), schema::output(manifest));
        paths.insert(format!("/predict/{}", encoded(&target.name)), predict(target, &id));
        paths.insert(format!("/v2/models/{}/infer", encoded(&target.name)), infer(target, &id));
    }
    if !served.is_empty() {
        paths.insert("/invocations".to_owned(), invocations());
    }
    for (path, summary) in
        [("/v2/health/live", "The process is alive."), ("/v2/health/ready", "New requests may come here.")]
    {
        let id = path.trim_matches('/').replace('/', "_");
        let ok = json!({"description": "Yes.", "content": {"application/json": {"schema": {}}}});
        let get = json!({"operationId": id, "tags": ["health"], "summary": summary, "responses": {"200": ok}});
        paths.insert(path.to_owned(), json!({"get": get}));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Beira",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Typed predictions of the models that are served here (a missing value is null; every fault of a request is listed), and the rest of the server's API. What stands under /api is also found under /ajax-api."
        },
        "paths": paths,
        "components": {"schemas": schemas}
    })
}

fn predict(target: &Target, id: &str) -> Value {
    let (input, output) = (reference(&format!("{id}.Input")), reference(&format!("{id}.Output")));
    let version = target.version.map(|version| format!(" version {version}")).unwrap_or_default();
    let ok = json!({
        "description": "The answer, in the form of the request.",
        "content": {"application/json": {"schema": {"oneOf": [output, {"type": "array", "items": output}]}}}
    });
    json!({"post": {
        "operationId": format!("predict_{id}"),
        "tags": ["predictions"],
        "summary": format!("Predict with {}{version}", target.name),
        "description": "One record, or an array of records. With ids=1 each answer has a prediction_id, for a late label.",
        "parameters": [{"name": "ids", "in": "query", "schema": {"type": "boolean"}}],
        "requestBody": {
            "required": true,
            "content": {"application/json": {"schema": {"oneOf": [input, {"type": "array", "items": input}]}}}
        },
        "responses": {
            "200": ok,
            "413": failed("The body is too long.", "Detail"),
            "422": failed("The records are not what the signature says.", "HTTPValidationError")
        }
    }})
}

fn infer(target: &Target, id: &str) -> Value {
    json!({"post": {
        "operationId": format!("infer_{id}"),
        "tags": ["open inference protocol v2"],
        "summary": format!("Predict with {}, as tensors", target.name),
        "requestBody": {
            "required": true,
            "content": {"application/json": {"schema": reference("InferRequest")}}
        },
        "responses": {
            "200": {
                "description": "The output tensors.",
                "content": {"application/json": {"schema": reference("InferResponse")}}
            },
            "400": failed("The body is no inference request.", "InferError"),
            "413": failed("The body is too long.", "InferError"),
            "422": failed("The tensors are not what the signature says.", "InferError")
        }
    }})
}

fn invocations() -> Value {
    json!({"post": {
        "operationId": "invocations",
        "tags": ["mlflow"],
        "summary": "MLflow's scoring protocol, where one model is served",
        "requestBody": {
            "required": true,
            "content": {"application/json": {"schema": reference("Invocation")}}
        },
        "responses": {
            "200": {
                "description": "One object for each row.",
                "content": {"application/json": {"schema": {
                    "type": "object",
                    "required": ["predictions"],
                    "properties": {"predictions": {"type": "array", "items": {"type": "object"}}}
                }}}
            },
            "400": failed("The rows are not what the signature says.", "MlflowError"),
            "413": failed("The body is too long.", "MlflowError"),
            "415": {"description": "Another Content-Type than application/json.", "content": {"text/plain": {"schema": {"type": "string"}}}}
        }
    }})
}

fn failed(description: &str, schema: &str) -> Value {
    json!({"description": description, "content": {"application/json": {"schema": reference(schema)}}})
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

/// A name that a component may have: letters, digits, `.`, `-`, `_`.
fn unique(taken: &mut BTreeSet<String>, name: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' };
    let id: String = name.chars().map(allowed).collect();
    let mut candidate = id.clone();
    for i in 2.. {
        if taken.insert(candidate.clone()) {
            break;
        }
        candidate = format!("{id}_{i}");
    }
    candidate
}

#[cfg(all(test, feature = "store"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_route_that_is_declared_is_told_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let config = crate::Config {
            db: folder.path().join("beira.db").into(),
            artifacts: folder.path().join("artifacts").into(),
            ..crate::Config::default()
        };
        let app = crate::App::open(config).await.unwrap();
        let (_, declared) = app.router();
        let name = |route: &Declared| format!("{} {}", route.method, route.path);
        let told: BTreeSet<String> = declared.iter().filter(|route| rest::told(route)).map(name).collect();
        let known: BTreeSet<String> = fields::ROUTES.iter().map(|(route, ..)| (*route).to_owned()).collect();
        assert_eq!(told, known);
        for (_, fields) in fields::COMPONENTS {
            assert!(fields::object(fields)["properties"].is_object(), "{fields}");
        }
    }
}
