//! Search of logged models.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::filter::{self, Comparison, Operator};
use crate::mlflow::keyset::List;
use crate::mlflow::logged_models::{self, Row};
use crate::mlflow::names;
use crate::mlflow::page::{self, Kind, Page};
use crate::mlflow::sql::{self, Query};

/// `POST logged-models/search`.
pub async fn search(State(app): State<App>, fields: Fields) -> Result<Json<Value>> {
    if fields.get("experiment_ids")?.is_none() {
        return Err(fields.required("experiment_ids"));
    }
    let limit = page::limit(&fields, 50, 1000)?;
    let page = Page::of(&fields, limit, "logged_models", &["filter", "order_by", "experiment_ids", "datasets"])?;
    let experiments =
        fields.strings("experiment_ids")?.iter().map(|id| names::experiment_id(id)).collect::<Result<BTreeSet<_>>>()?;
    let datasets = fields
        .objects("datasets")?
        .iter()
        .map(|d| Ok((d.string("dataset_name")?, d.opt_string("dataset_digest")?)))
        .collect::<Result<Vec<_>>>()?;
    let mut list = List::of("l.*");
    for order in fields.objects("order_by")? {
        order_by(&mut list, &order)?;
    }
    list.by("l.creation_time", Kind::Integer, false);
    list.by("l.model_id", Kind::Text, true);
    let query = list.from("logged_models l WHERE l.lifecycle_stage = 'active' AND ");
    sql::among(query, "l.experiment_id", &experiments);
    query.push(" AND ");
    sql::filter(query, &filter::of(&fields)?, &mut |query, one| condition(query, one, &datasets))?;
    let (rows, token) = list.page::<Row>(&page, app.store.read()).await?;
    let mut models = Vec::with_capacity(rows.len());
    for row in rows {
        models.push(logged_models::load(&app, row).await?);
    }
    let mut answer = json!({"models": models});
    if let Some(token) = token {
        answer["next_page_token"] = token.into();
    }
    Ok(Json(answer))
}

fn condition(query: &mut Query, comparison: &Comparison, datasets: &[(String, Option<String>)]) -> Result<()> {
    match comparison.entity.as_str() {
        "params" => sql::key_value(query, "logged_model_params t WHERE t.model_id = l.model_id", comparison),
        "tags" => sql::key_value(query, "logged_model_tags t WHERE t.model_id = l.model_id", comparison),
        "metrics" => {
            let value = sql::numeric(comparison, false)?;
            query.push("EXISTS (SELECT 1 FROM logged_model_metrics m WHERE m.model_id = l.model_id AND m.key = ");
            query.push_bind(comparison.key.clone());
            query.push(if comparison.operator == Operator::NotEqual {
                " AND (m.is_nan = 1 OR m.value "
            } else {
                " AND (m.is_nan = 0 AND m.value "
            });
            query.push(comparison.operator.name()).push(" ").push_bind(value).push(")");
            for (i, (name, digest)) in datasets.iter().enumerate() {
                query.push(if i == 0 { " AND (" } else { " OR " }).push("(m.dataset_name = ").push_bind(name.clone());
                if let Some(digest) = digest {
                    query.push(" AND m.dataset_digest = ").push_bind(digest.clone());
                }
                query.push(")");
            }
            query.push(if datasets.is_empty() { ")" } else { "))" });
            Ok(())
        }
        "" | "attributes" => match comparison.key.as_str() {
            key @ ("name" | "model_id" | "model_type" | "source_run_id") => {
                sql::text(query, &format!("l.{key}"), comparison, true)
            }
            "status" => sql::text(
                query,
                "replace(replace(l.status, 'LOGGED_MODEL_UPLOAD_', ''), 'LOGGED_MODEL_', '')",
                comparison,
                true,
            ),
            "creation_timestamp" | "creation_time" => sql::number(query, "l.creation_time", comparison, false),
            "last_updated_timestamp" => sql::number(query, "l.last_updated_time", comparison, false),
            _ => Err(sql::unknown_key(comparison)),
        },
        _ => Err(sql::unknown_entity(comparison)),
    }
}

fn order_by(list: &mut List, order: &Fields) -> Result<()> {
    let name = order.string("field_name")?;
    let ascending = order.opt_bool("ascending")?.unwrap_or(true);
    if let Some(key) = name.strip_prefix("metrics.") {
        let mut value = Query::new(
            "(SELECT m.value FROM logged_model_metrics m WHERE m.model_id = l.model_id AND m.is_nan = 0 AND m.key = ",
        );
        value.push_bind(key.to_owned());
        if let Some(dataset) = order.opt_string("dataset_name")? {
            value.push(" AND m.dataset_name = ").push_bind(dataset);
        }
        if let Some(digest) = order.opt_string("dataset_digest")? {
            value.push(" AND m.dataset_digest = ").push_bind(digest);
        }
        value.push(" ORDER BY m.step DESC, m.timestamp DESC LIMIT 1)");
        list.by_maybe(value, Kind::Real, ascending);
        return Ok(());
    }
    let (column, kind) = match name.strip_prefix("attributes.").unwrap_or(&name) {
        "creation_timestamp" | "creation_time" => ("creation_time", Kind::Integer),
        "last_updated_timestamp" => ("last_updated_time", Kind::Integer),
        "experiment_id" => ("experiment_id", Kind::Integer),
        key @ ("name" | "model_id" | "model_type" | "status" | "source_run_id") => (key, Kind::Text),
        _ => return Err(Error::invalid("Invalid order_by field_name: there is no such attribute of a logged model.")),
    };
    list.by_maybe(format!("l.{column}"), kind, ascending);
    Ok(())
}
