//! Logs: one JSON object a line, with the fields that Google Cloud Logging reads. Never a feature value.

use std::fmt;

use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::trace;
use crate::clock::{now_ms, rfc3339};

/// Starts logging to standard error; `RUST_LOG` says how much, else `default`. With `GOOGLE_CLOUD_PROJECT` set, entries
/// of one request hang together with its trace in Google Cloud.
pub fn start(default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| default.into());
    let project = std::env::var("GOOGLE_CLOUD_PROJECT").ok().filter(|project| !project.is_empty());
    let format = Json { project };
    // A second start in one process changes nothing.
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).event_format(format).try_init().ok();
}

/// The form of a line.
pub struct Json {
    /// Google Cloud project.
    pub project: Option<String>,
}

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let line =
            self.line(*event.metadata().level(), event.metadata().target(), fields.0, trace::current(), now_ms());
        writeln!(writer, "{line}")
    }
}

impl Json {
    fn line(
        &self,
        level: Level,
        target: &str,
        mut fields: Map<String, Value>,
        context: Option<trace::Context>,
        ms: i64,
    ) -> Value {
        let severity = match level {
            Level::ERROR => "ERROR",
            Level::WARN => "WARNING",
            Level::INFO => "INFO",
            _ => "DEBUG",
        };
        let mut line = Map::new();
        line.insert("severity".to_owned(), severity.into());
        line.insert("time".to_owned(), rfc3339(ms).into());
        line.insert("message".to_owned(), fields.remove("message").unwrap_or_else(|| "".into()));
        line.insert("target".to_owned(), target.into());
        for (name, value) in fields {
            match name.split_once('.') {
                // `httpRequest.status = …` at the call is a part of one object here.
                Some((object, part)) => {
                    let object = line.entry(object.to_owned()).or_insert_with(|| json!({}));
                    object[part] = value;
                }
                None => {
                    line.insert(name, value);
                }
            }
        }
        if let Some(context) = context {
            let trace = format!("{:032x}", context.trace);
            let trace =
                self.project.as_ref().map_or(trace.clone(), |project| format!("projects/{project}/traces/{trace}"));
            line.insert("logging.googleapis.com/trace".to_owned(), trace.into());
            line.insert("logging.googleapis.com/spanId".to_owned(), format!("{:016x}", context.span).into());
            line.insert("logging.googleapis.com/trace_sampled".to_owned(), context.sampled.into());
        }
        Value::Object(line)
    }
}

struct Fields(Map<String, Value>);

impl Fields {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().trim_start_matches("r#").to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_as_google_reads_it() {
        let fields =
            json!({"message": "request", "httpRequest.status": 200, "httpRequest.latency": "0.012s", "rows": 3});
        let Value::Object(fields) = fields else { unreachable!() };
        let context = trace::Context { trace: 0xabc, span: 0xdef, parent: None, sampled: true };
        let line = |project: Option<&str>| {
            let json = Json { project: project.map(str::to_owned) };
            json.line(Level::WARN, "beira_server", fields.clone(), Some(context), 1_700_000_000_123)
        };
        // Sorted: whether maps keep their order hangs on features of other crates.
        insta::with_settings!({sort_maps => true}, {
            insta::assert_json_snapshot!(line(Some("shop")), @r#"
            {
              "httpRequest": {
                "latency": "0.012s",
                "status": 200
              },
              "logging.googleapis.com/spanId": "0000000000000def",
              "logging.googleapis.com/trace": "projects/shop/traces/00000000000000000000000000000abc",
              "logging.googleapis.com/trace_sampled": true,
              "message": "request",
              "rows": 3,
              "severity": "WARNING",
              "target": "beira_server",
              "time": "2023-11-14T22:13:20.123Z"
            }
            "#);
        });
        assert_eq!(line(None)["logging.googleapis.com/trace"], "00000000000000000000000000000abc");
    }
}
