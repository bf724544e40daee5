//! Messages of OTLP 1 as its JSON encoding has them: ids in hex, 64-bit integers as text.

use serde_json::{Value, json};

use super::Span;
use crate::observe::family::{Family, Point, Value as Measured};
use crate::observe::names::{BOUNDS, Kind};

/// Sums since `startTimeUnixNano`.
const CUMULATIVE: u8 = 2;
/// A span of whoever answers.
const SERVER: u8 = 2;
const ERROR: u8 = 2;

/// `ExportMetricsServiceRequest`.
pub fn metrics(resource: &[(String, String)], families: &[Family], start_ns: u64, now_ns: u64) -> Value {
    let metrics: Vec<Value> = families
        .iter()
        .filter(|family| !family.points.is_empty())
        .map(|family| {
            let points: Vec<Value> = family.points.iter().map(|point| self::point(point, start_ns, now_ns)).collect();
            let data = match family.name.kind {
                Kind::Gauge => json!({"dataPoints": points}),
                Kind::Counter => {
                    json!({"dataPoints": points, "aggregationTemporality": CUMULATIVE, "isMonotonic": true})
                }
                Kind::Histogram => json!({"dataPoints": points, "aggregationTemporality": CUMULATIVE}),
            };
            let field = match family.name.kind {
                Kind::Gauge => "gauge",
                Kind::Counter => "sum",
                Kind::Histogram => "histogram",
            };
            let name = family.name;
            json!({"name": name.name, "description": name.help, "unit": name.unit, field: data})
        })
        .collect();
    let scope = json!({"scope": {"name": "beira"}, "metrics": metrics});
    json!({"resourceMetrics": [{"resource": {"attributes": attributes(resource)}, "scopeMetrics": [scope]}]})
}

fn point(point: &Point, start_ns: u64, now_ns: u64) -> Value {
    let labels: Vec<(String, String)> =
        point.labels.iter().map(|(label, value)| ((*label).to_owned(), value.clone())).collect();
    let mut data = json!({
        "attributes": attributes(&labels), "startTimeUnixNano": start_ns.to_string(), "timeUnixNano": now_ns.to_string(),
    });
    match &point.value {
        Measured::Number(value) => data["asDouble"] = json!(value),
        Measured::Durations(counts, sum) => {
            data["count"] = json!(counts.iter().sum::<u64>().to_string());
            data["sum"] = json!(sum);
            data["bucketCounts"] = counts.iter().map(u64::to_string).collect();
            data["explicitBounds"] = json!(BOUNDS);
        }
    }
    data
}

/// `ExportTraceServiceRequest`.
pub fn spans(resource: &[(String, String)], spans: &[Span]) -> Value {
    let spans: Vec<Value> = spans
        .iter()
        .map(|span| {
            let context = &span.context;
            let mut data = json!({
                "traceId": format!("{:032x}", context.trace),
                "spanId": format!("{:016x}", context.span),
                "name": span.name,
                "kind": SERVER,
                "startTimeUnixNano": span.start_ns.to_string(),
                "endTimeUnixNano": span.end_ns.to_string(),
                "attributes": [
                    {"key": "http.request.method", "value": {"stringValue": span.method}},
                    {"key": "http.route", "value": {"stringValue": span.route}},
                    {"key": "http.response.status_code", "value": {"intValue": span.status.to_string()}},
                ],
            });
            if let Some(parent) = context.parent {
                data["parentSpanId"] = format!("{parent:016x}").into();
            }
            if span.status >= 500 {
                data["status"] = json!({"code": ERROR});
            }
            data
        })
        .collect();
    let scope = json!({"scope": {"name": "beira"}, "spans": spans});
    json!({"resourceSpans": [{"resource": {"attributes": attributes(resource)}, "scopeSpans": [scope]}]})
}

fn attributes(pairs: &[(String, String)]) -> Vec<Value> {
    pairs.iter().map(|(key, value)| json!({"key": key, "value": {"stringValue": value}})).collect()
}
