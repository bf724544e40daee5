//! Some points of a history for a chart. The store chooses them: it may hold millions.

use std::collections::BTreeSet;

use crate::app::App;
use crate::error::Result;
use crate::mlflow::history::Point;
use crate::mlflow::sql::{self, Query};
use crate::store;

/// Points up to which a sample is even in rank, as MLflow's. To rank more would take longer than a chart waits.
const RANKED: i64 = 50_000;

/// One metric of one run.
struct History<'a> {
    app: &'a App,
    run: i64,
    key: i64,
}

/// At most `most` points with steps in `steps`, by step, with the first and the last. Even in rank; even in time where there
/// are more than [`RANKED`], as long as that finds enough of them.
pub async fn sample(app: &App, run: &str, key: &str, steps: (i64, i64), most: usize) -> Result<Vec<Point>> {
    let text = "SELECT r.id, k.id FROM runs r, metric_keys k WHERE r.run_uuid = $1 AND k.key = $2";
    let found: Option<(i64, i64)> = store::query_as(text).bind(run).bind(key).fetch_optional(app.store.read()).await?;
    let Some((run, key)) = found else { return Ok(Vec::new()) };
    let history = History { app, run, key };
    let most = most as i64;
    let counted = history.count(steps, RANKED + 1).await?;
    if counted > RANKED {
        let mut points = history.even_in_time(most).await?;
        points.retain(|(_, step, ..)| (steps.0..=steps.1).contains(step));
        if 2 * points.len() as i64 > most {
            return Ok(points);
        }
        // Few points of time, or a small part of the steps: ranked after all.
        return history.ranked(steps, most, history.count(steps, i64::MAX).await?).await;
    }
    history.ranked(steps, most, counted).await
}

impl History<'_> {
    /// How many points there are, at most `limit`.
    async fn count(&self, steps: (i64, i64), limit: i64) -> Result<i64> {
        store::query_scalar(
            "SELECT count(*) FROM (SELECT 1 FROM metrics WHERE run = $1 AND key = $2 AND step BETWEEN $3 AND $4 LIMIT $5) m",
        )
        .bind(self.run)
        .bind(self.key)
        .bind(steps.0)
        .bind(steps.1)
        .bind(limit)
        .fetch_one(self.app.store.read())
        .await
    }

    /// The first of each of `most` equal shares of `total` points, and the last of all.
    async fn ranked(&self, steps: (i64, i64), most: i64, total: i64) -> Result<Vec<Point>> {
        let mut query = Query::new(
            "SELECT timestamp, step, value, is_nan FROM (SELECT timestamp, step, value, is_nan,
                 row_number() OVER (ORDER BY step, timestamp, value, is_nan) - 1 AS place FROM metrics WHERE run = ",
        );
        query.push_bind(self.run).push(" AND key = ").push_bind(self.key);
        query.push(" AND step BETWEEN ").push_bind(steps.0).push(" AND ").push_bind(steps.1).push(") q");
        if total > most {
            query.push(" WHERE ");
            sql::among(&mut query, "place", &chosen(total, most));
        }
        query.push(" ORDER BY place");
        query.build_as().fetch_all(self.app.store.read()).await
    }

    /// The first point at or behind each of `most` points of time, evenly between the first and the last, and the last; by
    /// step. Each is found by the table's own order.
    async fn even_in_time(&self, most: i64) -> Result<Vec<Point>> {
        let text = "WITH RECURSIVE
                ends(low, high) AS (SELECT
                    (SELECT timestamp FROM metrics WHERE run = $1 AND key = $2 ORDER BY timestamp LIMIT 1),
                    (SELECT timestamp FROM metrics WHERE run = $1 AND key = $2 ORDER BY timestamp DESC LIMIT 1)),
                marks(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM marks WHERE i + 1 < $3),
                times(timestamp) AS (SELECT DISTINCT (SELECT m.timestamp FROM metrics m WHERE m.run = $1 AND m.key = $2
                    AND m.timestamp >= low + (high / ($3 - 1) - low / ($3 - 1)) * (i - 1) ORDER BY m.timestamp LIMIT 1) FROM ends, marks)
            SELECT timestamp,
                (SELECT m.step FROM metrics m WHERE m.run = $1 AND m.key = $2 AND m.timestamp = times.timestamp
                    ORDER BY m.step, m.value, m.is_nan LIMIT 1),
                (SELECT m.value FROM metrics m WHERE m.run = $1 AND m.key = $2 AND m.timestamp = times.timestamp
                    ORDER BY m.step, m.value, m.is_nan LIMIT 1),
                (SELECT CAST(m.is_nan AS BIGINT) FROM metrics m WHERE m.run = $1 AND m.key = $2
                    AND m.timestamp = times.timestamp ORDER BY m.step, m.value, m.is_nan LIMIT 1)
            FROM times";
        let query = store::query_as(text).bind(self.run).bind(self.key).bind(most.max(2));
        let mut points: Vec<Point> = query.fetch_all(self.app.store.read()).await?;
        let last = "SELECT timestamp, step, value, CAST(is_nan AS BIGINT) FROM metrics WHERE run = $1 AND key = $2
             ORDER BY timestamp DESC, step DESC, value DESC, is_nan DESC LIMIT 1";
        let last: Option<Point> =
            store::query_as(last).bind(self.run).bind(self.key).fetch_optional(self.app.store.read()).await?;
        if most == 1 {
            points.clear();
        }
        points.extend(last.filter(|last| !points.contains(last)));
        points.sort_by_key(|point| (point.1, point.0));
        Ok(points)
    }
}

/// Places of the first of each of `most` equal shares of `total` points, and of the last of all; `total` is more than `most`.
fn chosen(total: i64, most: i64) -> BTreeSet<i64> {
    let (share, longer) = (total / most, total % most);
    (0..most - 1).map(|i| i * share + i.min(longer)).chain([total - 1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_keep_both_ends() {
        for (total, most, expected) in [(10, 3, &[0, 4, 9][..]), (10, 1, &[9]), (7, 4, &[0, 2, 4, 6]), (3, 2, &[0, 2])]
        {
            assert_eq!(chosen(total, most), expected.iter().copied().collect(), "{most} of {total}");
        }
    }
}
