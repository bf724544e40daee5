//! What this server can do, for MLflow's client.

use axum::Json;
use serde_json::{Value, json};

/// `GET /api/3.0/mlflow/server-info`.
pub async fn get() -> Json<Value> {
    Json(json!({
        "store_type": "SqlStore",
        "workspaces_enabled": false,
        "multipart_uploads_enabled": false,
        "multipart_downloads_enabled": false,
        "artifacts_presigned_only": false,
        "artifact_serving_enabled": true,
    }))
}
