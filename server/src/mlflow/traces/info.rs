//! What is known of a trace, as MLflow's `TraceInfo` spells it.

use std::collections::HashMap;

use contract::date::{Date, iso_time};
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::sql::Query;
use crate::store::{self, Reader};

/// A trace as its row.
#[derive(Clone)]
#[allow(missing_docs)]
pub struct Row {
    pub trace_id: String,
    pub experiment_id: i64,
    pub request_time: i64,
    pub execution_duration: Option<i64>,
    pub state: String,
    pub client_request_id: Option<String>,
    pub request_preview: Option<String>,
    pub response_preview: Option<String>,
    pub finalized: i64,
}

store::columns! {
    Row { trace_id, experiment_id, request_time, execution_duration, state, client_request_id, request_preview, response_preview, finalized }
}

/// Columns of [`Row`].
pub const COLUMNS: &str = "c.trace_id, c.experiment_id, c.request_time, c.execution_duration, c.state, c.client_request_id, c.request_preview, c.response_preview, c.finalized";

/// The traces as the API spells them, in their order.
pub async fn load(reader: &Reader, rows: Vec<Row>) -> Result<Vec<Value>> {
    let mut tags = pairs(reader, "trace_tags", &rows).await?;
    let mut metadata = pairs(reader, "trace_metadata", &rows).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let mut info = json!({
                "trace_id": row.trace_id,
                "trace_location": {
                    "type": "MLFLOW_EXPERIMENT",
                    "mlflow_experiment": {"experiment_id": row.experiment_id.to_string()},
                },
                "request_time": iso_time(row.request_time).replace(".000Z", "Z"),
                "state": row.state,
            });
            let optional = [
                ("client_request_id", row.client_request_id),
                ("request_preview", row.request_preview),
                ("response_preview", row.response_preview),
                ("execution_duration", row.execution_duration.map(duration)),
            ];
            for (key, value) in optional {
                if let Some(value) = value {
                    info[key] = value.into();
                }
            }
            for (key, map) in [("tags", tags.remove(&row.trace_id)), ("trace_metadata", metadata.remove(&row.trace_id))]
            {
                if let Some(map) = map {
                    info[key] = map.into();
                }
            }
            info
        })
        .collect())
}

async fn pairs(reader: &Reader, table: &str, rows: &[Row]) -> Result<HashMap<String, Map<String, Value>>> {
    let mut of: HashMap<String, Map<String, Value>> = HashMap::new();
    if rows.is_empty() {
        return Ok(of);
    }
    let mut query = Query::new("SELECT trace_id, key, value FROM ");
    query.push(table).push(" WHERE trace_id IN (");
    let mut ids = query.separated(", ");
    for row in rows {
        ids.push_bind(&row.trace_id);
    }
    query.push(")");
    let found: Vec<(String, String, String)> = query.build_as().fetch_all(reader).await?;
    for (trace, key, value) in found {
        of.entry(trace).or_default().insert(key, value.into());
    }
    Ok(of)
}

/// Milliseconds as protobuf's JSON writes a duration: `1.500s`, `2s`.
fn duration(ms: i64) -> String {
    let (sign, ms) = (if ms < 0 { "-" } else { "" }, ms.unsigned_abs());
    match ms % 1000 {
        0 => format!("{sign}{}s", ms / 1000),
        rest => format!("{sign}{}.{rest:03}s", ms / 1000),
    }
}

/// A duration in a field, in milliseconds.
pub fn opt_duration(fields: &Fields, name: &str) -> Result<Option<i64>> {
    let Some(text) = fields.opt_string(name)? else { return Ok(None) };
    let seconds = text.strip_suffix('s').and_then(|text| text.parse::<f64>().ok());
    let ms = seconds.map(|seconds| seconds * 1000.0).filter(|ms| ms.abs() < 1e15);
    let ms = ms.ok_or_else(|| Error::invalid(format!("'{}' is no duration such as 1.5s.", fields.at(name))))?;
    Ok(Some(ms.round() as i64))
}

/// A time in a field (RFC 3339), in milliseconds since 1970.
pub fn time(fields: &Fields, name: &str) -> Result<i64> {
    let text = fields.string(name)?;
    let read = |format: &str| Date::new(format).ok()?.parse(&text);
    let ms = read("%Y-%m-%dT%H:%M:%S.%f%z").or_else(|| read("%Y-%m-%dT%H:%M:%S%z"));
    let wrong = || Error::invalid(format!("'{}' is no time such as 2024-02-29T12:34:56.789Z.", fields.at(name)));
    Ok(ms.ok_or_else(wrong)? as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_durations() {
        let check = |duration_text: &str, ms: i64, time_text: &str, at: i64| {
            let fields = Fields::from_query(&format!("d={duration_text}&t={time_text}"));
            assert_eq!(opt_duration(&fields, "d").unwrap(), Some(ms));
            assert_eq!(time(&fields, "t").unwrap(), at);
        };
        check("1.5s", 1500, "1970-01-01T00:00:01Z", 1000);
        check("0.003s", 3, "1970-01-01T00:00:00.123456789Z", 123);
        check("2s", 2000, "1970-01-01T01:00:00%2B01:00", 0);
        for ms in [0, 5, 1500, 2000, -40] {
            assert_eq!(opt_duration(&Fields::from_query(&format!("d={}", duration(ms))), "d").unwrap(), Some(ms));
        }
        assert!(opt_duration(&Fields::from_query("d=1.5"), "d").is_err());
        assert!(time(&Fields::from_query("t=yesterday"), "t").is_err());
    }
}
