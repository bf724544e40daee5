//! What an evaluation leaves behind: its row, an event on the time line, a notice, figures in the run.

use contract::watch::{Alarm, AlarmState, Notice};

use crate::app::App;
use crate::error::{Error, Result};
use crate::mlflow::log::{self, Point};
use crate::mlflow::registered_models;
use crate::store::{self, Connection, Reader};
use crate::url::encoded;
use crate::windows::MINUTE_MS;

/// What was known before.
#[derive(Clone)]
pub struct Known {
    alarm: Alarm,
    text: String,
    notified: bool,
    logged: i64,
}

/// The rows of a model.
pub async fn of(pool: &Reader, name: &str) -> Result<Vec<(i64, Known)>> {
    let rows: Vec<(i64, String, bool, i64)> =
        store::query_as("SELECT version, evaluation, notified = 1, logged FROM alarms WHERE name = $1")
            .bind(name)
            .fetch_all(pool)
            .await?;
    rows.into_iter()
        .map(|(version, text, notified, logged)| Ok((version, Known { alarm: read(&text)?, text, notified, logged })))
        .collect()
}

/// An evaluation as it is stored.
pub fn read(text: &str) -> Result<Alarm> {
    serde_json::from_str(text).map_err(|error| Error::internal(format!("alarms table: {error}")))
}

/// Writes everything in one transaction, so that a notice is never lost and never told twice.
pub async fn record(app: &App, mut alarm: Alarm, known: Option<&Known>) -> Result<()> {
    let before = known.map(|known| &known.alarm);
    let changed = before.is_none_or(|before| before.state != alarm.state);
    if let Some(before) = before.filter(|_| !changed) {
        alarm.since_ms = before.since_ms;
    }
    let event = event(&alarm, known);
    let notified = match alarm.state {
        AlarmState::Firing => true,
        AlarmState::Pending => known.is_some_and(|known| known.notified),
        AlarmState::Ok | AlarmState::NoData => false,
    };
    let labels = |alarm: &Alarm| alarm.performance.iter().map(|performance| performance.rows).max();
    let told = changed || before.is_some_and(|before| before.causes != alarm.causes || labels(before) < labels(&alarm));
    let start = alarm.window.map_or(0, |window| window.from_ms);
    let logged = known.map_or(0, |known| known.logged);
    // A window is written down when it is new, and again when something about it was told.
    let figures = if alarm.window.is_some() && (start > logged || told) { points(&alarm) } else { Vec::new() };
    let (logged, run) = (logged.max(start), alarm.run_id.clone());
    if let Some(event) = event {
        let (model, version, causes) = (&alarm.model, &alarm.version, alarm.causes.join(", "));
        tracing::warn!(model, version, event, causes, trusted = alarm.trusted, "alarm");
    }
    let seen = known.map(|known| known.text.clone());
    let webhook = app.config.watch.webhook.is_some();
    let json = |error: serde_json::Error| Error::internal(error.to_string());
    let evaluation = serde_json::to_string(&alarm).map_err(json)?;
    let notice = event.map(|event| Notice {
        id: uuid::Uuid::new_v4().simple().to_string(),
        event: event.to_owned(),
        at_ms: alarm.evaluated_ms,
        page: format!("/models/{}/production", encoded(&alarm.model)),
        alarm: alarm.clone(),
    });
    let body = notice.as_ref().map(serde_json::to_string).transpose().map_err(json)?;
    let version: i64 = alarm.version.parse().map_err(|_| Error::internal("a version is no number"))?;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let gone = !crate::windows::known(tx, &alarm.model, version).await?;
                tx.lock(&format!("alarm {} {version}", alarm.model)).await?;
                let now: Option<String> =
                    store::query_scalar("SELECT evaluation FROM alarms WHERE name = $1 AND version = $2")
                        .bind(&alarm.model)
                        .bind(version)
                        .fetch_optional(&mut *tx)
                        .await?;
                // What another replica found in the meantime stands, and it has told it.
                if gone || now != seen {
                    return Ok(());
                }
                store::query(
                    "INSERT INTO alarms (name, version, evaluation, notified, logged) VALUES ($1, $2, $3, $4, $5)
                     ON CONFLICT (name, version) DO UPDATE SET evaluation = excluded.evaluation,
                         notified = excluded.notified, logged = excluded.logged",
                )
                .bind(&alarm.model)
                .bind(version)
                .bind(&evaluation)
                .bind(i64::from(notified))
                .bind(logged)
                .execute(&mut *tx)
                .await?;
                if let (Some(notice), Some(body)) = (notice, body) {
                    tell(tx, &alarm, version, &notice, webhook.then_some(body)).await?;
                }
                if let Some(run) = run.filter(|_| !figures.is_empty()) {
                    log::points_of(tx, &run, &figures).await?;
                }
                Ok(())
            })
        })
        .await
}

async fn tell(tx: &mut Connection, alarm: &Alarm, version: i64, notice: &Notice, body: Option<String>) -> Result<()> {
    registered_models::event(tx, &alarm.model, version, "alarm", &sentence(&notice.event, alarm)).await?;
    if let Some(body) = body {
        store::query(
            "INSERT INTO notices (id, name, version, at, body, attempts, next_at) VALUES ($1, $2, $3, $4, $5, 0, 0)",
        )
        .bind(&notice.id)
        .bind(&alarm.model)
        .bind(version)
        .bind(notice.at_ms)
        .bind(body)
        .execute(tx)
        .await?;
    }
    Ok(())
}

/// What is new enough to be told: it fires, labels confirm it, it is over.
fn event(alarm: &Alarm, known: Option<&Known>) -> Option<&'static str> {
    let realised = |alarm: &Alarm| alarm.causes.iter().any(|cause| cause.starts_with("realised:"));
    let notified = known.is_some_and(|known| known.notified);
    match alarm.state {
        AlarmState::Firing if !notified => Some("firing"),
        AlarmState::Firing if realised(alarm) && known.is_some_and(|known| !realised(&known.alarm)) => {
            Some("confirmed")
        }
        AlarmState::Ok | AlarmState::NoData if notified => Some("resolved"),
        _ => None,
    }
}

fn sentence(event: &str, alarm: &Alarm) -> String {
    let causes: Vec<String> = alarm
        .causes
        .iter()
        .take(3)
        .map(|cause| match cause.split_once(':') {
            Some(("drift", feature)) => format!("drift of {feature}"),
            Some((kind, metric)) => format!("{kind} {metric} below its margin"),
            None => cause.clone(),
        })
        .collect();
    match event {
        "resolved" => "alarm resolved".to_owned(),
        "confirmed" => format!("alarm confirmed by labels: {}", causes.join(", ")),
        _ => format!("alarm: {}", causes.join(", ")),
    }
}

/// The figures of an evaluation, as metrics of the run: `production/…`, the step is the window's minute since 1970.
fn points(alarm: &Alarm) -> Vec<Point> {
    let step = alarm.window.map_or(alarm.evaluated_ms, |window| window.from_ms) / MINUTE_MS;
    let mut figures: Vec<(String, f64)> = vec![("alarm".to_owned(), f64::from(alarm.state as u8))];
    figures.extend(alarm.window.map(|window| ("predictions".to_owned(), window.rows as f64)));
    let psi = alarm.features.iter().filter_map(|feature| Some((format!("psi/{}", feature.name), feature.psi?)));
    figures.extend(psi);
    figures.extend(alarm.score.as_ref().and_then(|score| Some(("psi_score".to_owned(), score.psi?))));
    for performance in &alarm.performance {
        let kind = performance.kind.name();
        figures.extend(performance.metrics.iter().map(|metric| (format!("{kind}_{}", metric.name), metric.value)));
        figures.push((format!("{kind}_rows"), performance.rows as f64));
    }
    let timestamp = alarm.evaluated_ms;
    figures
        .into_iter()
        .filter(|(_, value)| value.is_finite())
        .map(|(key, value)| Point {
            key: key_of(&key).into(),
            value,
            timestamp,
            step,
            model_id: None,
            dataset: Default::default(),
        })
        .collect()
}

/// A name that MLflow takes: other characters become underscores.
fn key_of(name: &str) -> String {
    let allowed = |c: char| if c.is_alphanumeric() || "_/.- :".contains(c) { c } else { '_' };
    format!("production/{name}").chars().map(allowed).take(250).collect()
}
