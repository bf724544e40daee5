//! `GET /metrics`: what hosts counted, what the watch found, how long requests took.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
#[cfg(feature = "store")]
use contract::watch::{Alarm, Measured};

#[cfg(feature = "store")]
use crate::app::App;
#[cfg(feature = "store")]
use crate::error::Result;
use crate::observe::family::Family;
use crate::observe::otlp::Collect;
use crate::observe::{names, prometheus};
use crate::serving::Serving;
#[cfg(feature = "store")]
use crate::store;
#[cfg(feature = "store")]
use crate::watch;

/// `GET /metrics` of `beira serve`.
#[cfg(feature = "store")]
pub async fn metrics(State(app): State<App>) -> Result<Response> {
    Ok(answer(&families(&app).await?))
}

/// `GET /metrics` of `beira infer`: what this process did since it started.
pub async fn of_process(State(serving): State<Serving>) -> Response {
    answer(&process(&serving))
}

/// What this process did, for OTLP.
pub fn collect(serving: &Serving) -> Collect {
    let serving = serving.clone();
    Arc::new(move || {
        let families = process(&serving);
        Box::pin(async move { families })
    })
}

fn answer(families: &[Family]) -> Response {
    ([(header::CONTENT_TYPE, prometheus::CONTENT_TYPE)], prometheus::text(families)).into_response()
}

fn process(serving: &Serving) -> Vec<Family> {
    let mut families = of_server(serving);
    let [mut predictions, mut errors] = [&names::PREDICTIONS, &names::ERRORS].map(Family::new);
    for (name, version, total) in serving.traffic.totals() {
        let version = version.map(|version| version.to_string()).unwrap_or_default();
        let labels = vec![("model", name.to_string()), ("version", version), ("origin", "server".to_owned())];
        predictions.number(labels.clone(), total.predictions as f64);
        errors.number(labels, total.errors as f64);
    }
    families.extend([predictions, errors]);
    families
}

/// What both commands export.
fn of_server(serving: &Serving) -> Vec<Family> {
    let mut build = Family::new(&names::BUILD_INFO);
    build.number(vec![("version", env!("CARGO_PKG_VERSION").to_owned())], 1.0);
    let mut families = vec![build, serving.requests.family()];
    if let Some(otlp) = &serving.otlp {
        let mut dropped = Family::new(&names::SPANS_DROPPED);
        dropped.number(Vec::new(), otlp.dropped() as f64);
        families.push(dropped);
    }
    families
}

/// All metrics of `beira serve` as they stand.
#[cfg(feature = "store")]
pub async fn families(app: &App) -> Result<Vec<Family>> {
    let mut families = of_server(&app.serving);
    families.extend(counted(app).await?);
    families.push(served(app).await?);
    families.extend(watched(&watch::alarms(app.store.read(), None).await?));
    Ok(families)
}

#[cfg(feature = "store")]
async fn counted(app: &App) -> Result<[Family; 2]> {
    let rows: Vec<(String, i64, String, i64, i64)> = store::query_as(
        "SELECT name, version, origin, CAST(sum(predictions) AS BIGINT), CAST(sum(errors) AS BIGINT) FROM windows
         GROUP BY name, version, origin ORDER BY name, version, origin",
    )
    .fetch_all(app.store.read())
    .await?;
    let mut families = [Family::new(&names::PREDICTIONS), Family::new(&names::ERRORS)];
    for (name, version, origin, predictions, errors) in rows {
        let labels = vec![("model", name), ("version", version.to_string()), ("origin", origin)];
        families[0].number(labels.clone(), predictions as f64);
        families[1].number(labels, errors as f64);
    }
    Ok(families)
}

#[cfg(feature = "store")]
async fn served(app: &App) -> Result<Family> {
    let rows: Vec<(String, i64, String, Option<String>)> = store::query_as(
        "SELECT m.name, m.version, m.sha256, v.run_id FROM modules m
         JOIN model_versions v ON v.name = m.name AND v.version = m.version
         WHERE m.state = 'ready' AND v.deleted = 0 ORDER BY m.name, m.version",
    )
    .fetch_all(app.store.read())
    .await?;
    let mut family = Family::new(&names::INFO);
    for (name, version, sha256, run) in rows {
        let run = run.unwrap_or_default();
        let labels = vec![("model", name), ("version", version.to_string()), ("run_id", run), ("sha256", sha256)];
        family.number(labels, 1.0);
    }
    Ok(family)
}

#[cfg(feature = "store")]
fn watched(alarms: &[Alarm]) -> [Family; 6] {
    let [mut psi, mut threshold] = [&names::DRIFT_PSI, &names::DRIFT_THRESHOLD].map(Family::new);
    let [mut value, mut lower, mut upper] =
        [&names::PERFORMANCE, &names::PERFORMANCE_LOWER, &names::PERFORMANCE_UPPER].map(Family::new);
    let mut state = Family::new(&names::ALARM_STATE);
    for alarm in alarms {
        let of = |more: &[(&'static str, &str)]| {
            let mut labels = vec![("model", alarm.model.clone()), ("version", alarm.version.clone())];
            labels.extend(more.iter().map(|(label, value)| (*label, (*value).to_owned())));
            labels
        };
        // No column of a CSV file is likely to be called so, and series must not stand twice.
        let features = alarm.features.iter().map(|feature| (feature.name.as_str(), feature));
        for (name, feature) in features.chain(alarm.score.as_ref().map(|score| ("@score", score))) {
            let labels = of(&[("feature", name)]);
            feature.psi.iter().for_each(|number| psi.number(labels.clone(), *number));
            feature.psi_limit.iter().for_each(|number| threshold.number(labels.clone(), *number));
        }
        let mut referred: Vec<&str> = Vec::new();
        for performance in &alarm.performance {
            for Measured { name, value: number, lower: low, upper: high, reference, .. } in &performance.metrics {
                let labels = of(&[("metric", name), ("kind", performance.kind.name())]);
                value.number(labels.clone(), *number);
                low.iter().for_each(|number| lower.number(labels.clone(), *number));
                high.iter().for_each(|number| upper.number(labels.clone(), *number));
                if let Some(reference) = reference.filter(|_| !referred.contains(&name.as_str())) {
                    value.number(of(&[("metric", name), ("kind", "reference")]), reference);
                    referred.push(name);
                }
            }
        }
        let trusted = if alarm.trusted { "true" } else { "false" };
        state.number(of(&[("trusted", trusted)]), f64::from(alarm.state as u8));
    }
    [psi, threshold, value, lower, upper, state]
}
