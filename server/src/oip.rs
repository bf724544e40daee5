//! Open Inference Protocol v2: `/v2`.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use contract::manifest::{Datatype, TensorSpec};
use contract::oip::{ErrorBody, InferRequest, InferResponse, InferTensor, ModelMetadata, TensorMetadata};
use host_native::oip;
use host_native::records::PREDICTION_ID;
use serde_json::{Value, json};

use crate::error::Error;
use crate::predict::{self, Refused};
use crate::serving::{ALIAS, Serving, Unserved};
use crate::{body, ids};

/// `GET /v2`.
pub async fn server() -> Json<Value> {
    Json(json!({"name": "beira", "version": env!("CARGO_PKG_VERSION"), "extensions": []}))
}

/// `GET /v2/health/live`.
pub async fn live() -> Json<Value> {
    Json(json!({"live": true}))
}

/// `GET /v2/health/ready`.
pub async fn ready(State(serving): State<Serving>) -> Response {
    let ready = serving.is_ready();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({"ready": ready}))).into_response()
}

/// `GET /v2/models/{name}/ready`.
pub async fn model_ready(serving: State<Serving>, Path(name): Path<String>) -> Response {
    is_ready(serving, name, ALIAS.to_owned()).await
}

/// `GET /v2/models/{name}/versions/{version}/ready`.
pub async fn version_ready(serving: State<Serving>, Path((name, version)): Path<(String, String)>) -> Response {
    is_ready(serving, name, version).await
}

async fn is_ready(State(serving): State<Serving>, name: String, reference: String) -> Response {
    match serving.target(&name, &reference).await {
        Ok(_) => Json(json!({"name": name, "ready": true})).into_response(),
        Err(Unserved(status, message)) => failed(status, message),
    }
}

/// `GET /v2/models/{name}`.
pub async fn model(serving: State<Serving>, Path(name): Path<String>) -> Response {
    metadata(serving, name, ALIAS.to_owned()).await
}

/// `GET /v2/models/{name}/versions/{version}`.
pub async fn version(serving: State<Serving>, Path((name, version)): Path<(String, String)>) -> Response {
    metadata(serving, name, version).await
}

async fn metadata(State(serving): State<Serving>, name: String, reference: String) -> Response {
    let target = match serving.target(&name, &reference).await {
        Ok(target) => target,
        Err(Unserved(status, message)) => return failed(status, message),
    };
    let tensors = |specs: &[TensorSpec]| -> Vec<TensorMetadata> {
        specs
            .iter()
            .map(|spec| TensorMetadata { name: spec.name.clone(), datatype: spec.datatype, shape: spec.shape.clone() })
            .collect()
    };
    let versions = match serving.models.versions(&name).await {
        Ok(versions) => versions,
        Err(Unserved(status, message)) => return failed(status, message),
    };
    let manifest = target.module.manifest();
    Json(ModelMetadata {
        name,
        versions,
        platform: "onnx_onnxv1".to_owned(),
        inputs: tensors(&manifest.inputs),
        outputs: tensors(&manifest.outputs),
    })
    .into_response()
}

/// `POST /v2/models/{name}/infer`: by the alias `champion`.
pub async fn infer_model(serving: State<Serving>, Path(name): Path<String>, request: Request) -> Response {
    infer(serving, name, ALIAS.to_owned(), request).await
}

/// `POST /v2/models/{name}/versions/{version}/infer`.
pub async fn infer_version(
    serving: State<Serving>,
    Path((name, version)): Path<(String, String)>,
    request: Request,
) -> Response {
    infer(serving, name, version, request).await
}

async fn infer(State(serving): State<Serving>, name: String, reference: String, request: Request) -> Response {
    let target = match serving.target(&name, &reference).await {
        Ok(target) => target,
        Err(Unserved(status, message)) => return failed(status, message),
    };
    let counted = predict::counted(request.headers());
    let with_ids = ids::wanted(request.uri().query());
    let answer = async {
        let body = body::read(request.into_body(), serving.limits.bytes).await.map_err(Refused::Error)?;
        let read = predict::json(body).await.map_err(Refused::Error)?;
        let request: InferRequest = read.map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            Refused::Error(Error::bad_request(format!("The body is not an inference request: {place}.")))
        })?;
        let rows = request.inputs.iter().filter_map(|tensor| tensor.shape.first()).max().copied().unwrap_or(0);
        if target.module.manifest().inputs.iter().any(|spec| spec.shape.first() == Some(&-1)) {
            predict::check_rows(&serving, usize::try_from(rows).unwrap_or(usize::MAX))?;
        }
        let batch = oip::encode(target.module.manifest(), &request).map_err(Refused::Faults)?;
        let rows = batch.rows;
        let outputs = predict::run(&serving, &target, batch, counted).await.map_err(Refused::Error)?;
        let mut tensors = oip::decode(target.module.manifest(), rows, &outputs);
        if !request.outputs.is_empty() {
            tensors.retain(|tensor| request.outputs.iter().any(|wanted| wanted.name == tensor.name));
        }
        if with_ids {
            let ids = serving.ids.make(&target.module, rows, &outputs);
            tensors.push(InferTensor {
                name: PREDICTION_ID.to_owned(),
                shape: vec![rows as u64],
                datatype: Datatype::Bytes,
                parameters: None,
                data: json!(ids),
            });
        }
        Ok(InferResponse {
            model_name: name.clone(),
            model_version: target.version.map(|version| version.to_string()),
            id: request.id,
            outputs: tensors,
        })
    };
    match answer.await {
        Ok(answer) => Json(answer).into_response(),
        Err(Refused::Faults(faults)) => {
            serving.traffic.error(&target);
            let text: Vec<String> = faults.iter().map(ToString::to_string).collect();
            failed(StatusCode::UNPROCESSABLE_ENTITY, text.join("; "))
        }
        Err(Refused::Error(error)) => {
            serving.traffic.error(&target);
            error.log("prediction failed");
            let (status, _, message) = error.parts();
            failed(status, message.to_owned())
        }
    }
}

fn failed(status: StatusCode, error: String) -> Response {
    (status, Json(ErrorBody { error })).into_response()
}
