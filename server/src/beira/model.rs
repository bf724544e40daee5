//! `GET /api/beira/models/{name}`: a registered model with its versions, modules and test metrics.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use contract::api::{ModelDetail, VersionDetail};

use crate::app::App;
use crate::error::Result;
use crate::mlflow::{registered_models, versions};
use crate::modules;
use crate::path::Path;
use crate::store;

/// The model, its versions newest first.
pub async fn model(State(app): State<App>, Path(name): Path<String>) -> Result<Json<ModelDetail>> {
    let pool = app.store.read();
    let model = registered_models::load(pool, &name).await?;
    let mut modules: HashMap<_, _> = modules::of_model(pool, &name).await?.into_iter().collect();
    let rows: Vec<versions::Row> =
        store::query_as("SELECT * FROM model_versions WHERE name = $1 AND deleted = 0 ORDER BY version DESC")
            .bind(&name)
            .fetch_all(pool)
            .await?;
    let mut details = Vec::with_capacity(rows.len());
    for row in rows {
        let (module, error) = match modules.remove(&row.version) {
            Some(Ok(record)) => (Some(record.info()), None),
            Some(Err(error)) => (None, Some(error.unwrap_or_else(|| "compiling".to_owned()))),
            None => (None, None),
        };
        let metrics = match &row.run_id {
            Some(run) => metrics(&app, run).await?,
            None => Vec::new(),
        };
        details.push(VersionDetail { version: versions::load(pool, row).await?, module, error, metrics });
    }
    Ok(Json(ModelDetail { name, description: model.description, versions: details }))
}

async fn metrics(app: &App, run: &str) -> Result<Vec<(String, f64)>> {
    store::query_as(
        "SELECT k.key, l.value FROM latest_metrics l JOIN metric_keys k ON k.id = l.key
         WHERE l.run = (SELECT r.id FROM runs r WHERE r.run_uuid = $1) AND l.is_nan = 0 ORDER BY k.key",
    )
    .bind(run)
    .fetch_all(app.store.read())
    .await
}
