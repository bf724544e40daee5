//! What this server can do, for MLflow's client.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;

/// `GET /api/3.0/mlflow/server-info`.
pub async fn get(State(app): State<App>) -> Json<Value> {
    Json(json!({
        "store_type": "SqlStore",
        "workspaces_enabled": false,
        "multipart_uploads_enabled": true,
        "multipart_downloads_enabled": app.artifacts.signs(),
        "artifacts_presigned_only": false,
        "artifact_serving_enabled": true,
    }))
}
