//! Labels of the store as performance by day.

use std::collections::BTreeMap;

use contract::watch::RealisedDay;
use host_native::outcome;
use monitoring::performance::{self, Labelled};

use crate::error::Result;
use crate::modules::Record;
use crate::store::{self, Reader};

type Row = (i64, bool, i64, i64, i64, i64, f64, f64);

/// Performance of a version by day of prediction from `from_ms` on, newest first. Labels of ids that
/// pages made, or nobody signed, stand for themselves.
pub async fn days(pool: &Reader, record: &Record, from_ms: i64, margin: f64) -> Result<Vec<RealisedDay>> {
    let rows: Vec<Row> = store::query_as(
        "SELECT day, origin = 'browser', bin, class, label, CAST(sum(count) AS BIGINT), sum(absolute), sum(squared)
         FROM labels WHERE name = $1 AND version = $2 AND day >= $3
         GROUP BY day, origin = 'browser', bin, class, label",
    )
    .bind(&record.name)
    .bind(record.version)
    .bind(from_ms)
    .fetch_all(pool)
    .await?;
    let mut days: BTreeMap<(i64, bool), Vec<Row>> = BTreeMap::new();
    rows.into_iter().for_each(|row| days.entry((row.0, row.1)).or_default().push(row));
    let score = record.profile.as_ref().and_then(|profile| profile.score.as_ref());
    Ok(days
        .into_iter()
        .rev()
        .map(|((day_ms, browser), rows)| RealisedDay {
            day_ms,
            version: record.version.to_string(),
            browser,
            performance: performance::realised(score, &labelled(record, &rows), margin),
        })
        .collect())
}

fn labelled(record: &Record, rows: &[Row]) -> Labelled {
    let profile = record.profile.as_ref();
    let score = profile.and_then(|profile| profile.score.as_ref());
    let count = |row: &Row| row.5 as u64;
    let all = rows.iter().map(count).sum();
    let positive = score.and_then(|score| score.element);
    match (outcome::classes(&record.manifest, profile).len(), positive) {
        (0, _) => Labelled::Numbers {
            all,
            absolute: rows.iter().map(|row| row.6).sum(),
            squared: rows.iter().map(|row| row.7).sum(),
        },
        (2, Some(positive)) => {
            let mut cells = vec![[[0.0; 2]; 2]; score.map_or(1, |score| score.counts.len())];
            for row in rows {
                let is = |class: i64| usize::from(class == positive as i64);
                if let Some(cell) = usize::try_from(row.2).ok().and_then(|bin| cells.get_mut(bin)) {
                    cell[is(row.3)][is(row.4)] += row.5 as f64;
                }
            }
            Labelled::Binary(cells)
        }
        _ => Labelled::Classes { right: rows.iter().filter(|row| row.3 == row.4).map(count).sum(), all },
    }
}
