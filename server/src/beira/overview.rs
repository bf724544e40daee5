//! `GET /api/beira/overview`: the first page.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use contract::api::{ModelCard, OriginCount, Overview, RunCard};

use crate::app::App;
use crate::auth::caller::Caller;
use crate::clock::now_ms;
use crate::error::Result;
use crate::mlflow::run_load;
use crate::mlflow::runs::{COLUMNS, Row};
use crate::mlflow::sql::{self, Query};
use crate::store;
use crate::windows::{MINUTE_MS, origin};

/// Minutes of the small chart.
const MINUTES: i64 = 30;

/// Counts, newest runs, models with their traffic; of a token that is limited, what is theirs.
pub async fn overview(caller: Caller, State(app): State<App>) -> Result<Json<Overview>> {
    let pool = app.store.read();
    let theirs = |query: &mut Query| {
        if let Some(grants) = caller.grants() {
            query.push(" AND ");
            sql::among(query, "experiment_id", &grants.experiments);
        }
    };
    let mut counts = Query::new("SELECT (SELECT count(*) FROM experiments WHERE lifecycle_stage = 'active'");
    theirs(&mut counts);
    counts.push("), (SELECT count(*) FROM runs WHERE lifecycle_stage = 'active'");
    theirs(&mut counts);
    counts.push("), (SELECT count(*) FROM runs WHERE lifecycle_stage = 'active' AND status = 'RUNNING'");
    theirs(&mut counts);
    counts.push(")");
    let (experiments, runs, running): (i64, i64, i64) = counts.build_as().fetch_one(pool).await?;
    let mut newest = Query::new("SELECT ");
    newest.push(COLUMNS).push(" FROM runs r WHERE r.lifecycle_stage = 'active'");
    theirs(&mut newest);
    newest.push(" ORDER BY r.start_time DESC, r.id DESC LIMIT 10");
    let rows: Vec<Row> = newest.build_as().fetch_all(pool).await?;
    let mut recent_runs = Vec::with_capacity(rows.len());
    for row in rows {
        let experiment_name = store::query_scalar("SELECT name FROM experiments WHERE experiment_id = $1")
            .bind(row.experiment_id)
            .fetch_one(pool)
            .await?;
        recent_runs.push(RunCard { info: run_load::info(row), experiment_name });
    }
    Ok(Json(Overview {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        experiments: experiments as u64,
        runs: runs as u64,
        running: running as u64,
        recent_runs,
        models: models(&app, &caller).await?,
    }))
}

async fn models(app: &App, caller: &Caller) -> Result<Vec<ModelCard>> {
    let pool = app.store.read();
    let now = now_ms();
    let mut names: Vec<(String, Option<i64>, Option<i64>)> = store::query_as(
        "SELECT m.name, (SELECT max(v.version) FROM model_versions v WHERE v.name = m.name AND v.deleted = 0),
                (SELECT a.version FROM aliases a WHERE a.name = m.name AND a.alias = 'champion')
         FROM registered_models m ORDER BY m.last_updated_timestamp DESC, m.name",
    )
    .fetch_all(pool)
    .await?;
    names.retain(|(name, ..)| caller.has_model(name));
    let mut cards: BTreeMap<String, ModelCard> = BTreeMap::new();
    let order: Vec<String> = names.iter().map(|(name, ..)| name.clone()).collect();
    for (name, latest, champion) in names {
        let card = ModelCard {
            name: name.clone(),
            latest_version: latest.map(|version| version.to_string()),
            champion: champion.map(|version| version.to_string()),
            per_minute: vec![0; MINUTES as usize],
            ..ModelCard::default()
        };
        cards.insert(name, card);
    }
    let day: Vec<(String, String, i64, i64)> = store::query_as(
        "SELECT name, origin, CAST(sum(predictions) AS BIGINT), CAST(sum(errors) AS BIGINT) FROM windows
         WHERE minute >= $1 GROUP BY name, origin ORDER BY name, origin",
    )
    .bind(now - 24 * 60 * MINUTE_MS)
    .fetch_all(pool)
    .await?;
    for (name, from, predictions, errors) in day {
        if let Some(card) = cards.get_mut(&name) {
            card.predictions.push(OriginCount { origin: origin(&from)?, predictions: predictions as u64 });
            card.errors += errors as u64;
        }
    }
    let first = now / MINUTE_MS - (MINUTES - 1);
    let minutes: Vec<(String, i64, i64)> = store::query_as(
        "SELECT name, minute, CAST(sum(predictions) AS BIGINT) FROM windows WHERE minute >= $1 GROUP BY name, minute",
    )
    .bind(first * MINUTE_MS)
    .fetch_all(pool)
    .await?;
    for (name, minute, predictions) in minutes {
        let slot = usize::try_from(minute / MINUTE_MS - first).unwrap_or(usize::MAX);
        if let Some(slot) = cards.get_mut(&name).and_then(|card| card.per_minute.get_mut(slot)) {
            *slot += predictions as u64;
        }
    }
    Ok(order.iter().filter_map(|name| cards.remove(name)).collect())
}
