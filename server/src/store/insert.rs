//! Many rows into one table.

use sqlx::{AssertSqlSafe, SqlSafeStr};

use super::query::Query;
use super::{Connection, Value};
use crate::error::Result;

/// Rows of one statement.
const ROWS: usize = 100;

/// Inserts `rows` into `table (column, …)`; `conflict` says what becomes of those that are there.
pub async fn insert<const N: usize>(
    on: &mut Connection,
    table: &str,
    conflict: &str,
    mut rows: impl Iterator<Item = [Value; N]> + Send,
) -> Result<()> {
    let row = format!("({})", ["?"; N].join(", "));
    loop {
        let mut values = Vec::with_capacity(N * ROWS);
        values.extend(rows.by_ref().take(ROWS).flatten());
        if values.is_empty() {
            return Ok(());
        }
        let places = vec![row.as_str(); values.len() / N].join(", ");
        let text = format!("INSERT INTO {table} VALUES {places} {conflict}");
        Query::built(AssertSqlSafe(text).into_sql_str(), values).execute(&mut *on).await?;
    }
}
