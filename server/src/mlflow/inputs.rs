//! What a run read and made: data sets and logged models.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::sql::Query;
use crate::mlflow::{log, names, runs};
use crate::store::{self, Connection};

/// A data set that a run reads.
#[derive(Clone)]
pub struct Input {
    name: String,
    digest: String,
    source_type: String,
    source: String,
    schema: Option<String>,
    profile: Option<String>,
    tags: Vec<(String, String)>,
}

/// `POST runs/log-inputs`.
pub async fn log_inputs(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let id = fields.string("run_id")?;
    let inputs = fields.objects("datasets")?.iter().map(input).collect::<Result<Vec<_>>>()?;
    let models = fields.objects("models")?.iter().map(|m| m.string("model_id")).collect::<Result<Vec<_>>>()?;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let run = runs::active(tx, &id).await?;
                for input in inputs {
                    write_input(tx, run.id, run.experiment_id, input).await?;
                }
                for model in models {
                    write_model(tx, run.id, "input", &model, 0).await?;
                }
                Ok(())
            })
        })
        .await?;
    Ok(Json(json!({})))
}

/// `POST runs/outputs`: logged models that the run made.
pub async fn log_outputs(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    let id = fields.string("run_id")?;
    if fields.get("models")?.is_none() {
        return Err(fields.required("models"));
    }
    let models = fields
        .objects("models")?
        .iter()
        .map(|m| Ok((m.string("model_id")?, m.opt_int("step")?.unwrap_or(0))))
        .collect::<Result<Vec<_>>>()?;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let run = runs::active(tx, &id).await?;
                for (model, step) in models {
                    write_model(tx, run.id, "output", &model, step).await?;
                }
                Ok(())
            })
        })
        .await?;
    Ok(Json(json!({})))
}

/// `POST runs/log-model`, of MLflow 2: appends to the tag `mlflow.log-model.history`.
pub async fn log_model(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    const HISTORY: &str = "mlflow.log-model.history";
    let (id, text) = (fields.string("run_id")?, fields.string("model_json")?);
    let model: Value =
        serde_json::from_str(&text).map_err(|_| Error::invalid("Malformed model info: 'model_json' is not JSON."))?;
    for key in ["artifact_path", "flavors", "utc_time_created", "run_id"] {
        if model.get(key).is_none() {
            return Err(Error::invalid(format!("Model json is missing mandatory fields: {key}")));
        }
    }
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let run = runs::active(tx, &id).await?;
                let old: Option<String> = store::query_scalar("SELECT value FROM tags WHERE run = $1 AND key = $2")
                    .bind(run.id)
                    .bind(HISTORY)
                    .fetch_optional(&mut *tx)
                    .await?;
                let mut history: Vec<Value> = old.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
                history.push(model);
                log::write_tag(tx, run.id, HISTORY, Value::from(history).to_string()).await
            })
        })
        .await?;
    Ok(Json(json!({})))
}

/// `POST experiments/search-datasets`, of the user interface: data sets that runs of these experiments read.
pub async fn search_datasets(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    const MOST: usize = 20;
    let experiments = fields.strings("experiment_ids")?;
    names::count("SearchDatasets", "experiment_id", experiments.len(), MOST)?;
    let mut query = Query::new(
        "SELECT DISTINCT d.experiment_id, d.name, d.digest, c.value FROM datasets d
         JOIN run_datasets l ON l.dataset = d.id LEFT JOIN run_dataset_tags c
         ON c.run = l.run AND c.dataset = l.dataset AND c.key = 'mlflow.data.context' WHERE d.experiment_id IN (",
    );
    let mut ids = query.separated(", ");
    for id in &experiments {
        ids.push_bind(names::experiment_id(id)?);
    }
    query.push(") ORDER BY d.experiment_id, d.name, d.digest LIMIT 1000");
    let found: Vec<(i64, String, String, Option<String>)> = query.build_as().fetch_all(app.store.read()).await?;
    let summaries = found.into_iter().map(|(experiment, name, digest, context)| {
        let mut summary = json!({"experiment_id": experiment.to_string(), "name": name, "digest": digest});
        if let Some(context) = context {
            summary["context"] = context.into();
        }
        summary
    });
    Ok(Json(json!({"dataset_summaries": summaries.collect::<Vec<_>>()})))
}

/// The data set that a request describes.
pub fn input(fields: &Fields) -> Result<Input> {
    let dataset = fields.object("dataset")?;
    let input = Input {
        name: dataset.string("name")?,
        digest: dataset.string("digest")?,
        source_type: dataset.string("source_type")?,
        source: dataset.string("source")?,
        schema: dataset.opt_string("schema")?,
        profile: dataset.opt_string("profile")?,
        tags: fields.pairs("tags")?,
    };
    for (what, text, most) in [
        ("name", Some(&input.name), 500),
        ("digest", Some(&input.digest), 36),
        ("source", Some(&input.source), 65_535),
        ("schema", input.schema.as_ref(), 1_048_575),
        ("profile", input.profile.as_ref(), 16_777_215),
    ] {
        if text.is_some_and(|text| text.len() > most) {
            return Err(Error::invalid(format!("Dataset {what} exceeds the maximum length of {most}.")));
        }
    }
    Ok(input)
}

/// Notes that a run reads a data set.
pub async fn write_input(tx: &mut Connection, run: i64, experiment: i64, input: Input) -> Result<()> {
    store::query(
        "INSERT INTO datasets (experiment_id, name, digest, source_type, source, schema, profile)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (experiment_id, name, digest) DO NOTHING",
    )
    .bind(experiment)
    .bind(&input.name)
    .bind(&input.digest)
    .bind(&input.source_type)
    .bind(&input.source)
    .bind(&input.schema)
    .bind(&input.profile)
    .execute(&mut *tx)
    .await?;
    let dataset: i64 =
        store::query_scalar("SELECT id FROM datasets WHERE experiment_id = $1 AND name = $2 AND digest = $3")
            .bind(experiment)
            .bind(&input.name)
            .bind(&input.digest)
            .fetch_one(&mut *tx)
            .await?;
    store::query("INSERT INTO run_datasets (run, dataset) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(run)
        .bind(dataset)
        .execute(&mut *tx)
        .await?;
    for (key, value) in input.tags {
        store::query(
            "INSERT INTO run_dataset_tags (run, dataset, key, value) VALUES ($1, $2, $3, $4)
             ON CONFLICT (run, dataset, key) DO UPDATE SET value = excluded.value",
        )
        .bind(run)
        .bind(dataset)
        .bind(key)
        .bind(value)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// Notes that a run reads (`input`) or made (`output`) a logged model.
pub async fn write_model(tx: &mut Connection, run: i64, direction: &str, model: &str, step: i64) -> Result<()> {
    store::query(
        "INSERT INTO run_models (run, direction, model_id, step) VALUES ($1, $2, $3, $4)
         ON CONFLICT (run, direction, model_id) DO UPDATE SET step = excluded.step",
    )
    .bind(run)
    .bind(direction)
    .bind(model)
    .bind(step)
    .execute(tx)
    .await?;
    Ok(())
}
