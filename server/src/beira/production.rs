//! `GET /api/beira/models/{name}/production?minutes=60`: traffic, latency, drift, and what happened when.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use contract::api::{Drift, Percentiles, Production, TimelineEvent, Total, WindowPoint};
use contract::telemetry::LatencyHistogram;
use contract::watch::RealisedDay;
use contract::{Counters, Profile};
use monitoring::{drift, latency, merge, performance};

use crate::app::App;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::registered_models;
use crate::modules;
use crate::path::Path;
use crate::store;
use crate::watch::{self, labelled};
use crate::windows::{self, MINUTE_MS};

/// Longest range: a week.
const MINUTES: i64 = 7 * 24 * 60;
/// Most windows of one line.
const POINTS: i64 = 180;

/// What the model did in the last `minutes`, this minute included.
pub async fn production(State(app): State<App>, Path(name): Path<String>, fields: Fields) -> Result<Json<Production>> {
    let minutes = fields.opt_int("minutes")?.unwrap_or(60);
    if !(1..=MINUTES).contains(&minutes) {
        return Err(Error::invalid(format!(
            "Invalid value {minutes} for parameter 'minutes' supplied: it must be between 1 and {MINUTES}."
        )));
    }
    let pool = app.store.read();
    registered_models::load(pool, &name).await?;
    let to_ms = now_ms();
    let window_ms = (minutes + POINTS - 1) / POINTS * MINUTE_MS;
    let from_ms = (to_ms - (minutes - 1) * MINUTE_MS) / window_ms * window_ms;
    let stored = windows::since(pool, &name, from_ms).await?;
    let mut series: BTreeMap<_, Counters> = BTreeMap::new();
    let mut totals: BTreeMap<_, Counters> = BTreeMap::new();
    let mut live: BTreeMap<i64, Counters> = BTreeMap::new();
    for window in stored {
        let start = window.minute / window_ms * window_ms;
        add(series.entry((start, window.version, window.origin)).or_default(), &window.counters)?;
        add(live.entry(window.version).or_default(), &window.counters)?;
        add(totals.entry((window.version, window.origin, window.host)).or_default(), &window.counters)?;
    }
    let busiest = live.iter().max_by_key(|(version, counters)| (counters.predictions, **version));
    let (mut features, mut score, mut drift_version, mut estimated) = (Vec::new(), None, None, None);
    if let Some((version, counters)) = busiest
        && let Some(Ok(record)) = modules::of_version(pool, &name, *version).await?
        && let Some(profile) = &record.profile
    {
        drift_version = Some(version.to_string());
        features = compare(profile, counters);
        score = compare_score(profile, counters);
        let margin = app.config.watch.margin;
        estimated = profile.score.as_ref().and_then(|score| performance::estimated(score, &counters.score, margin));
    }
    Ok(Json(Production {
        from_ms,
        to_ms,
        window_ms,
        series: series
            .into_iter()
            .map(|((start_ms, version, origin), counters)| WindowPoint {
                start_ms,
                version: version.to_string(),
                origin,
                predictions: counters.predictions,
                errors: counters.errors,
                latency: percentiles(counters.latency.as_ref()),
            })
            .collect(),
        totals: totals
            .into_iter()
            .map(|((version, origin, host), counters)| Total {
                version: version.to_string(),
                origin,
                host,
                predictions: counters.predictions,
                errors: counters.errors,
                latency: percentiles(counters.latency.as_ref()),
            })
            .collect(),
        features,
        score,
        drift_version,
        events: events(&app, &name).await?,
        alarms: watch::alarms(pool, Some(&name)).await?,
        estimated,
        realised: realised(&app, &name, to_ms).await?,
        name,
    }))
}

fn add(into: &mut Counters, counters: &Counters) -> Result<()> {
    merge::merge(into, counters).map_err(|mismatch| Error::internal(format!("windows table: {mismatch}")))
}

fn percentiles(histogram: Option<&LatencyHistogram>) -> Option<Percentiles> {
    let us = |q: f64| latency::quantile(histogram?, q).map(|ns| ns / 1000.0);
    Some(Percentiles { p50_us: us(0.5)?, p90_us: us(0.9)?, p99_us: us(0.99)? })
}

/// Each feature of the profile against what came in; greatest PSI first.
fn compare(profile: &Profile, live: &Counters) -> Vec<Drift> {
    let verdicts = drift::features(profile, &live.features);
    let mut features: Vec<Drift> = profile
        .features
        .iter()
        .zip(verdicts)
        .enumerate()
        .map(|(i, (reference, verdict))| {
            let live = live.features.get(i).cloned().unwrap_or_default();
            Drift {
                name: reference.name.clone(),
                bins: reference.bins.clone(),
                reference: reference.counts.clone(),
                reference_missing: reference.missing,
                live: if live.counts.is_empty() { vec![0; reference.counts.len()] } else { live.counts },
                live_missing: live.missing,
                live_unseen: live.unseen,
                psi: verdict.psi,
                psi_limit: verdict.limit,
                rows: verdict.rows,
                rows_needed: verdict.rows_needed,
                state: verdict.state,
            }
        })
        .collect();
    features.sort_by(|a, b| b.psi.unwrap_or(-1.0).total_cmp(&a.psi.unwrap_or(-1.0)));
    features
}

fn compare_score(profile: &Profile, live: &Counters) -> Option<Drift> {
    let score = profile.score.as_ref()?;
    let counts = if live.score.is_empty() { vec![0; score.counts.len()] } else { live.score.clone() };
    let verdict = drift::verdict(&score.counts, &counts);
    Some(Drift {
        name: score.output.clone(),
        bins: score.bins.clone(),
        reference: score.counts.clone(),
        reference_missing: 0,
        live: counts,
        live_missing: 0,
        live_unseen: 0,
        psi: verdict.psi,
        psi_limit: verdict.limit,
        rows: verdict.rows,
        rows_needed: verdict.rows_needed,
        state: verdict.state,
    })
}

/// Metrics by late labels of the last 31 days, newest day first.
async fn realised(app: &App, name: &str, now: i64) -> Result<Vec<RealisedDay>> {
    let pool = app.store.read();
    let versions: Vec<i64> =
        store::query_scalar("SELECT DISTINCT version FROM labels WHERE name = $1").bind(name).fetch_all(pool).await?;
    let mut days = Vec::new();
    for version in versions {
        if let Some(Ok(record)) = modules::of_version(pool, name, version).await? {
            days.extend(labelled::days(pool, &record, now - 31 * 24 * 60 * MINUTE_MS, app.config.watch.margin).await?);
        }
    }
    days.sort_by(|a: &RealisedDay, b| b.day_ms.cmp(&a.day_ms).then(b.version.cmp(&a.version)));
    Ok(days)
}

async fn events(app: &App, name: &str) -> Result<Vec<TimelineEvent>> {
    let happened: Vec<(i64, String, i64, String, Option<String>)> = store::query_as(
        "SELECT e.at, e.kind, e.version, e.text, v.run_id FROM model_events e
         LEFT JOIN model_versions v ON v.name = e.name AND v.version = e.version
         WHERE e.name = $1 ORDER BY e.at, e.id",
    )
    .bind(name)
    .fetch_all(app.store.read())
    .await?;
    let trained: Vec<(i64, i64, String, String)> = store::query_as(
        "SELECT coalesce(r.end_time, r.start_time), v.version, r.run_uuid, r.name FROM model_versions v
         JOIN runs r ON r.run_uuid = v.run_id WHERE v.name = $1 AND v.deleted = 0",
    )
    .bind(name)
    .fetch_all(app.store.read())
    .await?;
    let mut events: Vec<TimelineEvent> = trained
        .into_iter()
        .map(|(at_ms, version, run, run_name)| TimelineEvent {
            at_ms,
            kind: "trained".to_owned(),
            version: version.to_string(),
            run_id: Some(run),
            text: format!("run {run_name}"),
        })
        .chain(happened.into_iter().map(|(at_ms, kind, version, text, run_id)| TimelineEvent {
            at_ms,
            kind,
            version: version.to_string(),
            run_id,
            text,
        }))
        .collect();
    events.sort_by_key(|event| event.at_ms);
    Ok(events)
}
