//! The watch over models in production: every so often each version with traffic is judged, and what
//! changed is noted down, told to the webhook and written to the version's run.

mod judge;
pub mod labelled;
mod notice;
mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contract::Origin;
use contract::watch::Alarm;
use monitoring::alarm::Sustained;
use monitoring::merge;

use crate::app::App;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::modules::{self, Record};
use crate::store::{self, Reader};
use crate::windows::{self, MINUTE_MS};

pub use notice::{Webhook, deliver};

/// How the watch is kept.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Time between two looks.
    pub every: Duration,
    /// Width of a window, at least a minute.
    pub window: Duration,
    /// Windows that must show a change.
    pub sustained: Sustained,
    /// How far a share (accuracy, AUC) may fall below that of the held-out rows, and by which share of
    /// itself an error may grow.
    pub margin: f64,
    /// Who is told.
    pub webhook: Option<Webhook>,
}

impl Default for Watch {
    fn default() -> Self {
        Watch {
            every: Duration::from_secs(15),
            window: Duration::from_secs(3600),
            sustained: Sustained { k: 2, n: 3 },
            margin: 0.05,
            webhook: None,
        }
    }
}

/// Windows looked back at, for each that must tell: quiet ones lie between.
const LOOK_BACK: u32 = 4;
/// Days of labels looked back at.
const LABEL_DAYS: i64 = 7;

/// Looks again and again, for as long as the process lives.
pub async fn keep(app: App) {
    let mut ticks = tokio::time::interval(app.config.watch.every.max(Duration::from_millis(100)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = look(&app).await {
            tracing::error!(%error, "the watch could not look; it tries again");
        }
    }
}

/// One look at every model.
async fn look(app: &App) -> Result<()> {
    let names: Vec<String> = store::query_scalar(
        "SELECT name FROM registered_models m WHERE EXISTS (SELECT 1 FROM windows w WHERE w.name = m.name AND w.minute >= $1)
         OR EXISTS (SELECT 1 FROM alarms a WHERE a.name = m.name)",
    )
    .bind(oldest(&app.config.watch, now_ms()))
    .fetch_all(app.store.read())
    .await?;
    for name in names {
        look_at(app, &name).await?;
    }
    Ok(())
}

fn width(watch: &Watch) -> i64 {
    i64::try_from(watch.window.as_millis()).unwrap_or(i64::MAX).max(MINUTE_MS) / MINUTE_MS * MINUTE_MS
}

fn oldest(watch: &Watch, now: i64) -> i64 {
    let width = width(watch);
    now / width * width - width * i64::from(watch.sustained.n * LOOK_BACK - 1)
}

/// Judges each version of a model that ran lately or has an alarm.
async fn look_at(app: &App, name: &str) -> Result<()> {
    let (pool, watch, now) = (app.store.read(), &app.config.watch, now_ms());
    let width = width(watch);
    let from = oldest(watch, now);
    let mut versions: BTreeMap<i64, Vec<judge::Window>> = BTreeMap::new();
    let empty = || -> Vec<judge::Window> {
        let starts = (0..i64::from(watch.sustained.n * LOOK_BACK)).map(|i| now / width * width - i * width);
        starts.map(|start| judge::Window { span: (start, start + width), ..Default::default() }).collect()
    };
    let champion = champion(pool, name).await?;
    for stored in windows::since(pool, name, from).await? {
        // Once the alias has left a version, what it did before is over; where it still runs, it is watched on.
        if champion.is_some_and(|(version, since)| version != stored.version && stored.minute < since) {
            continue;
        }
        let age = ((now / width * width - stored.minute / width * width) / width).max(0) as usize;
        let windows = versions.entry(stored.version).or_insert_with(empty);
        let Some(window) = windows.get_mut(age) else { continue };
        add(&mut window.all, &stored.counters)?;
        if stored.origin != Origin::Browser {
            add(&mut window.trusted, &stored.counters)?;
        }
    }
    let known: BTreeMap<i64, record::Known> = record::of(pool, name).await?.into_iter().collect();
    let watched: BTreeSet<i64> = versions.keys().chain(known.keys()).copied().collect();
    for version in watched {
        let Some(Ok(module)) = modules::of_version(pool, name, version).await? else { continue };
        let windows = versions.remove(&version).unwrap_or_default();
        let days = labelled::days(pool, &module, now - LABEL_DAYS * 24 * 60 * MINUTE_MS, watch.margin).await?;
        let case = judge::Case {
            profile: module.profile.as_ref(),
            windows: &windows,
            days: &days,
            sustained: watch.sustained,
            margin: watch.margin,
        };
        let mut alarm = blank(pool, &module, now).await?;
        judge::judge(&case, &mut alarm);
        record::record(app, alarm, known.get(&version)).await?;
    }
    Ok(())
}

/// The version that the alias `champion` points to, and since when.
async fn champion(pool: &Reader, name: &str) -> Result<Option<(i64, i64)>> {
    store::query_as(
        "SELECT a.version, coalesce(max(e.at), 0) FROM aliases a
         LEFT JOIN model_events e ON e.name = a.name AND e.version = a.version AND e.kind = 'alias'
         WHERE a.name = $1 AND a.alias = 'champion' GROUP BY a.version",
    )
    .bind(name)
    .fetch_optional(pool)
    .await
}

async fn blank(pool: &Reader, module: &Record, now: i64) -> Result<Alarm> {
    let run: Option<Option<String>> =
        store::query_scalar("SELECT run_id FROM model_versions WHERE name = $1 AND version = $2")
            .bind(&module.name)
            .bind(module.version)
            .fetch_optional(pool)
            .await?;
    Ok(Alarm {
        model: module.name.clone(),
        version: module.version.to_string(),
        run_id: run.flatten(),
        state: Default::default(),
        since_ms: now,
        evaluated_ms: now,
        trusted: true,
        causes: Vec::new(),
        window: None,
        features: Vec::new(),
        score: None,
        performance: Vec::new(),
    })
}

fn add(into: &mut contract::Counters, counters: &contract::Counters) -> Result<()> {
    merge::merge(into, counters).map_err(|mismatch| Error::internal(format!("windows table: {mismatch}")))
}

/// The last evaluation of every watched version of a model (of all models without a name), newest version first.
pub async fn alarms(pool: &Reader, name: Option<&str>) -> Result<Vec<Alarm>> {
    let rows: Vec<String> =
        store::query_scalar("SELECT evaluation FROM alarms WHERE $1 IS NULL OR name = $1 ORDER BY name, version DESC")
            .bind(name)
            .fetch_all(pool)
            .await?;
    rows.iter().map(|text| record::read(text)).collect()
}
