//! What the routes of the REST API read and answer, in a line each.
//!
//! Fields stand one after the other: `name` is a text, `step:int` an integer, `tags:KeyValue[]` a list of a component;
//! `!` says that it must be there. A line that begins with `=` is a media type instead.

use axum::http::Method;
use serde_json::{Value, json};

/// What is known of a route.
#[derive(Clone, Copy, Default)]
pub struct Known {
    /// Of the request: in the query string of a GET, else in the body.
    pub fields: &'static str,
    /// Of the answer.
    pub answer: &'static str,
    /// Headers that must be there.
    pub headers: &'static [&'static str],
}

/// Routes of MLflow's that answer with a status of 500 or more on purpose: renaming a deleted experiment is its INVALID_STATE.
pub const MLFLOWS_OWN: [(&str, &[&str]); 2] =
    [("500", &["/experiments/update"]), ("501", &["/presigned", "/mpu/create"])];

/// What is known of a route, if anything.
pub fn of(method: &Method, path: &str) -> Option<Known> {
    let (_, fields, answer) =
        ROUTES.iter().find(|(route, ..)| route.split_once(' ') == Some((method.as_str(), path)))?;
    let headers: &[&str] = if path == "/v1/traces" { &["x-mlflow-experiment-id"] } else { &[] };
    Some(Known { fields, answer, headers })
}

/// The schema of an object with these fields.
pub fn object(fields: &str) -> Value {
    let mut schema = json!({"type": "object"});
    let mut required = Vec::new();
    for field in fields.split_whitespace() {
        let (name, kind) = field.split_once(':').unwrap_or((field, "str"));
        let bare = name.trim_end_matches('!');
        if bare != name {
            required.push(bare);
        }
        schema["properties"][bare] = schema_of(kind);
    }
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn schema_of(kind: &str) -> Value {
    if let Some(item) = kind.strip_suffix("[]") {
        return json!({"type": "array", "items": schema_of(item)});
    }
    match kind {
        "str" => json!({"type": "string"}),
        "int" => json!({"type": "integer", "format": "int64", "minimum": i64::MIN, "maximum": i64::MAX}),
        "num" => json!({"anyOf": [{"type": "number"}, {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]}]}),
        "bool" => json!({"type": "boolean"}),
        "map" => json!({"type": "object", "additionalProperties": {"type": "string"}}),
        "any" => json!({}),
        component => super::reference(component),
    }
}

/// Objects inside requests.
pub const COMPONENTS: [(&str, &str); 14] = [
    ("KeyValue", "key! value"),
    ("Metric", "key! value!:num timestamp!:int step:int model_id dataset_name dataset_digest"),
    ("Dataset", "name! digest! source_type! source! schema profile"),
    ("DatasetInput", "dataset!:Dataset tags:KeyValue[]"),
    ("ModelInput", "model_id!"),
    ("ModelOutput", "model_id! step:int"),
    ("ModelOrder", "field_name! ascending:bool dataset_name dataset_digest"),
    ("DatasetFilter", "dataset_name! dataset_digest"),
    ("Part", "part_number!:int etag"),
    ("Experiment", "experiment_id!"),
    ("Location", "type mlflow_experiment!:Experiment"),
    ("Trace", "trace_info!:TraceInfo"),
    (
        "TraceInfo",
        "trace_id! trace_location!:Location request_time! state execution_duration client_request_id request_preview response_preview tags:map trace_metadata:map",
    ),
    ("Label", "id! label!:any"),
];

/// Method and path, fields of the request, fields of the answer.
#[rustfmt::skip]
pub const ROUTES: &[(&str, &str, &str)] = &[
    ("POST /api/2.0/mlflow/experiments/create", "name! artifact_location tags:KeyValue[]", "experiment_id!"),
    ("GET /api/2.0/mlflow/experiments/get", "experiment_id!", "experiment!:any"),
    ("GET /api/2.0/mlflow/experiments/get-by-name", "experiment_name!", "experiment!:any"),
    ("POST /api/2.0/mlflow/experiments/search", "filter order_by:str[] view_type page_token max_results:int", "experiments:any[] next_page_token"),
    ("GET /api/2.0/mlflow/experiments/search", "filter order_by:str[] view_type page_token max_results:int", "experiments:any[] next_page_token"),
    ("POST /api/2.0/mlflow/experiments/update", "experiment_id! new_name!", ""),
    ("POST /api/2.0/mlflow/experiments/delete", "experiment_id!", ""),
    ("POST /api/2.0/mlflow/experiments/restore", "experiment_id!", ""),
    ("POST /api/2.0/mlflow/experiments/set-experiment-tag", "experiment_id! key! value", ""),
    ("POST /api/2.0/mlflow/experiments/delete-experiment-tag", "experiment_id! key!", ""),
    ("POST /api/2.0/mlflow/runs/create", "experiment_id user_id run_name start_time:int tags:KeyValue[]", "run!:any"),
    ("GET /api/2.0/mlflow/runs/get", "run_id!", "run!:any"),
    ("POST /api/2.0/mlflow/runs/update", "run_id! status end_time:int run_name", "run_info!:any"),
    ("POST /api/2.0/mlflow/runs/delete", "run_id!", ""),
    ("POST /api/2.0/mlflow/runs/restore", "run_id!", ""),
    ("POST /api/2.0/mlflow/runs/search", "experiment_ids:str[] filter order_by:str[] run_view_type page_token max_results:int", "runs:any[] next_page_token"),
    ("POST /api/2.0/mlflow/runs/log-metric", "run_id! key! value!:num timestamp!:int step:int model_id dataset_name dataset_digest", ""),
    ("POST /api/2.0/mlflow/runs/log-parameter", "run_id! key! value", ""),
    ("POST /api/2.0/mlflow/runs/log-batch", "run_id! metrics:Metric[] params:KeyValue[] tags:KeyValue[]", ""),
    ("POST /api/2.0/mlflow/runs/set-tag", "run_id! key! value", ""),
    ("POST /api/2.0/mlflow/runs/delete-tag", "run_id! key!", ""),
    ("POST /api/2.0/mlflow/runs/log-inputs", "run_id! datasets:DatasetInput[] models:ModelInput[]", ""),
    ("POST /api/2.0/mlflow/runs/outputs", "run_id! models!:ModelOutput[]", ""),
    ("POST /api/2.0/mlflow/runs/log-model", "run_id! model_json!", ""),
    ("GET /api/2.0/mlflow/metrics/get-history", "run_id! metric_key! page_token max_results:int", "metrics:Metric[] next_page_token"),
    ("GET /api/2.0/mlflow/metrics/get-history-bulk-interval", "run_ids!:str[] metric_key! start_step:int end_step:int max_results:int", "metrics:Metric[]"),
    ("GET /api/2.0/mlflow/artifacts/list", "run_id! path page_token", "root_uri files:any[]"),
    ("GET /api/2.0/mlflow-artifacts/artifacts", "path", "files:any[]"),
    ("GET /api/2.0/mlflow-artifacts/artifacts/{*path}", "", "=*/*"),
    ("PUT /api/2.0/mlflow-artifacts/artifacts/{*path}", "=application/octet-stream", ""),
    ("DELETE /api/2.0/mlflow-artifacts/artifacts/{*path}", "", ""),
    ("POST /api/2.0/mlflow-artifacts/mpu/create", "path! num_parts:int", "upload_id credentials:any[]"),
    ("POST /api/2.0/mlflow-artifacts/mpu/create/{*path}", "path! num_parts:int", "upload_id credentials:any[]"),
    ("POST /api/2.0/mlflow-artifacts/mpu/complete", "path! upload_id! parts!:Part[]", ""),
    ("POST /api/2.0/mlflow-artifacts/mpu/complete/{*path}", "path! upload_id! parts!:Part[]", ""),
    ("POST /api/2.0/mlflow-artifacts/mpu/abort", "path! upload_id!", ""),
    ("POST /api/2.0/mlflow-artifacts/mpu/abort/{*path}", "path! upload_id!", ""),
    ("PUT /api/2.0/mlflow-artifacts/mpu/parts/{upload_id}/{number}", "=application/octet-stream", ""),
    ("GET /api/2.0/mlflow-artifacts/presigned/{*path}", "", "url!"),
    ("POST /api/2.0/mlflow/logged-models", "experiment_id! name model_type source_run_id params:KeyValue[] tags:KeyValue[]", "model!:any"),
    ("POST /api/2.0/mlflow/logged-models/search", "experiment_ids!:str[] filter order_by:ModelOrder[] datasets:DatasetFilter[] page_token max_results:int", "models:any[] next_page_token"),
    ("GET /api/2.0/mlflow/logged-models/{model_id}", "allow_deleted:bool", "model!:any"),
    ("PATCH /api/2.0/mlflow/logged-models/{model_id}", "status!", "model!:any"),
    ("DELETE /api/2.0/mlflow/logged-models/{model_id}", "", ""),
    ("PATCH /api/2.0/mlflow/logged-models/{model_id}/tags", "tags:KeyValue[]", ""),
    ("DELETE /api/2.0/mlflow/logged-models/{model_id}/tags/{key}", "", ""),
    ("POST /api/2.0/mlflow/logged-models/{model_id}/params", "params:KeyValue[]", ""),
    ("GET /api/2.0/mlflow/logged-models/{model_id}/artifacts/directories", "artifact_directory_path page_token", "root_uri files:any[]"),
    ("POST /api/2.0/mlflow/registered-models/create", "name! description tags:KeyValue[]", "registered_model!:any"),
    ("GET /api/2.0/mlflow/registered-models/get", "name!", "registered_model!:any"),
    ("PATCH /api/2.0/mlflow/registered-models/update", "name! description", "registered_model!:any"),
    ("POST /api/2.0/mlflow/registered-models/rename", "name! new_name!", "registered_model!:any"),
    ("DELETE /api/2.0/mlflow/registered-models/delete", "name!", ""),
    ("GET /api/2.0/mlflow/registered-models/search", "filter order_by:str[] page_token max_results:int", "registered_models:any[] next_page_token"),
    ("POST /api/2.0/mlflow/registered-models/set-tag", "name! key! value", ""),
    ("DELETE /api/2.0/mlflow/registered-models/delete-tag", "name! key!", ""),
    ("POST /api/2.0/mlflow/registered-models/alias", "name! alias! version!", ""),
    ("GET /api/2.0/mlflow/registered-models/alias", "name! alias!", "model_version!:any"),
    ("DELETE /api/2.0/mlflow/registered-models/alias", "name! alias!", ""),
    ("POST /api/2.0/mlflow/registered-models/get-latest-versions", "name! stages:str[]", "model_versions:any[]"),
    ("GET /api/2.0/mlflow/registered-models/get-latest-versions", "name! stages:str[]", "model_versions:any[]"),
    ("POST /api/2.0/mlflow/model-versions/create", "name! source! run_id run_link description model_id tags:KeyValue[]", "model_version!:any"),
    ("GET /api/2.0/mlflow/model-versions/get", "name! version!", "model_version!:any"),
    ("PATCH /api/2.0/mlflow/model-versions/update", "name! version! description", "model_version!:any"),
    ("DELETE /api/2.0/mlflow/model-versions/delete", "name! version!", ""),
    ("GET /api/2.0/mlflow/model-versions/search", "filter order_by:str[] page_token max_results:int", "model_versions:any[] next_page_token"),
    ("GET /api/2.0/mlflow/model-versions/get-download-uri", "name! version!", "artifact_uri!"),
    ("POST /api/2.0/mlflow/model-versions/set-tag", "name! version! key! value", ""),
    ("DELETE /api/2.0/mlflow/model-versions/delete-tag", "name! version! key!", ""),
    ("POST /api/2.0/mlflow/model-versions/transition-stage", "name! version! stage! archive_existing_versions:bool", "model_version!:any"),
    ("POST /api/3.0/mlflow/traces", "trace!:Trace", "trace!:any"),
    ("GET /api/3.0/mlflow/traces/get", "trace_id! allow_partial:bool", "trace!:any"),
    ("GET /api/3.0/mlflow/traces/batchGet", "trace_ids!:str[]", "traces:any[]"),
    ("POST /api/3.0/mlflow/traces/batchGetInfos", "trace_ids!:str[]", "trace_infos:any[]"),
    ("POST /api/3.0/mlflow/traces/search", "locations!:Location[] filter order_by:str[] page_token max_results:int", "traces:any[] next_page_token"),
    ("POST /api/3.0/mlflow/traces/delete-traces", "experiment_id! max_timestamp_millis:int max_traces:int request_ids:str[]", "traces_deleted:int"),
    ("POST /api/2.0/mlflow/traces/delete-traces", "experiment_id! max_timestamp_millis:int max_traces:int request_ids:str[]", "traces_deleted:int"),
    ("POST /api/2.0/mlflow/traces/link-to-run", "trace_ids!:str[] run_id!", ""),
    ("GET /api/3.0/mlflow/traces/{trace_id}", "", "trace!:any"),
    ("PATCH /api/3.0/mlflow/traces/{trace_id}/tags", "key! value", ""),
    ("DELETE /api/3.0/mlflow/traces/{trace_id}/tags", "key!", ""),
    ("PATCH /api/2.0/mlflow/traces/{trace_id}/tags", "key! value", ""),
    ("DELETE /api/2.0/mlflow/traces/{trace_id}/tags", "key!", ""),
    ("POST /v1/traces", "resourceSpans!:any[]", ""),
    ("GET /api/3.0/mlflow/server-info", "", "store_type!"),
    ("POST /api/2.0/mlflow/artifacts/presigned-upload-url", "run_id model_id path! expiration:int", "presigned_url"),
    ("POST /api/2.0/mlflow/artifacts/presigned-download-url", "run_id model_id path! expiration:int", "presigned_url"),
    ("GET /get-artifact", "run_id! path!", "=*/*"),
    ("GET /model-versions/get-artifact", "name! version! path!", "=*/*"),
    ("GET /version", "", "=text/plain"),
    ("GET /ping", "", "=text/plain"),
    ("GET /health", "", "=text/plain"),
    ("GET /metrics", "", "=text/plain"),
    ("GET /v2", "", "name! version! extensions!:str[]"),
    ("GET /v2/models/{name}", "", "name! versions:str[] platform! inputs!:any[] outputs!:any[]"),
    ("GET /v2/models/{name}/ready", "", "=*/*"),
    ("POST /v2/models/{name}/infer", "inputs!:Tensor[] id", "model_name! outputs!:Tensor[]"),
    ("GET /v2/models/{name}/versions/{version}", "", "name! versions:str[] platform! inputs!:any[] outputs!:any[]"),
    ("GET /v2/models/{name}/versions/{version}/ready", "", "=*/*"),
    ("POST /v2/models/{name}/versions/{version}/infer", "inputs!:Tensor[] id", "model_name! outputs!:Tensor[]"),
    ("POST /telemetry/counters", "id! module_sha256! edges_sha256 origin! host! window_start_ms!:int probe:bool counters!:any", "counted!:bool model! version!"),
    ("POST /telemetry/logs", "=text/plain", "snapshots!:int counted!:int"),
    ("POST /telemetry/labels", "labels!:Label[] model", "counted!:int duplicates!:int"),
    ("GET /modules/{name}/{reference}", "", "=application/wasm"),
    ("GET /compiled/{sha256}", "", "=application/wasm"),
    ("GET /api/beira/caller", "", "name role"),
    ("GET /api/beira/overview", "", ""),
    ("GET /api/beira/models/{name}", "", "name!"),
    ("GET /api/beira/models/{name}/production", "minutes:int", ""),
    ("POST /api/beira/compile", "=application/octet-stream", ""),
];
