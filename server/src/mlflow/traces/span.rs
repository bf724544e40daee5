//! A span as its row: what lists look at, and the whole as it is given back.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::hex;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::store::{self, Connection};

/// A span on its way in.
#[derive(Clone)]
pub struct Kept {
    /// 16 hex digits.
    pub id: String,
    /// Whether it has no parent.
    pub root: bool,
    /// What it did.
    pub name: String,
    /// MLflow's type, `LLM` and the like.
    pub kind: String,
    /// `OK`, `ERROR` or `UNSET`.
    pub status: &'static str,
    /// Nanoseconds since 1970.
    pub start: i64,
    /// OTLP's span in protobuf's JSON.
    pub content: String,
}

impl Kept {
    /// A span in protobuf's JSON, as MLflow's API answers with it.
    pub fn of(span: &Value) -> Result<Kept> {
        let id = |name: &str| STANDARD.decode(span[name].as_str().unwrap_or_default()).ok();
        let own = id("span_id").filter(|id| (1..=8).contains(&id.len()));
        let own = own.ok_or_else(|| Error::invalid("A span needs an id of 8 bytes."))?;
        let status = match &span["status"]["code"] {
            Value::String(code) if code == "STATUS_CODE_OK" => "OK",
            Value::String(code) if code == "STATUS_CODE_ERROR" => "ERROR",
            code => status(code.as_i64().unwrap_or(0)),
        };
        let kind = span["attributes"].as_array().into_iter().flatten().find(|a| a["key"] == "mlflow.spanType");
        let kind = kind.and_then(|attribute| attribute["value"]["string_value"].as_str()).unwrap_or("UNKNOWN");
        let start = &span["start_time_unix_nano"];
        Ok(Kept {
            id: format!("{:0>16}", hex::encode(&own)),
            root: id("parent_span_id").unwrap_or_default().iter().all(|byte| *byte == 0),
            name: span["name"].as_str().unwrap_or_default().to_owned(),
            kind: kind.to_owned(),
            status,
            start: start.as_i64().or_else(|| start.as_str()?.parse().ok()).unwrap_or(0),
            content: span.to_string(),
        })
    }
}

/// The name of OTLP's status.
pub fn status(code: i64) -> &'static str {
    match code {
        1 => "OK",
        2 => "ERROR",
        _ => "UNSET",
    }
}

/// Writes a span of a trace; one that is there already it replaces.
pub async fn write(tx: &mut Connection, trace: &str, span: &Kept) -> Result<()> {
    store::query(
        "INSERT INTO spans (trace_id, span_id, root, name, type, status, start_ns, content)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (trace_id, span_id) DO UPDATE
         SET root = excluded.root, name = excluded.name, type = excluded.type, status = excluded.status,
             start_ns = excluded.start_ns, content = excluded.content",
    )
    .bind(trace)
    .bind(&span.id)
    .bind(i64::from(span.root))
    .bind(&span.name)
    .bind(&span.kind)
    .bind(span.status)
    .bind(span.start)
    .bind(&span.content)
    .execute(tx)
    .await?;
    Ok(())
}
