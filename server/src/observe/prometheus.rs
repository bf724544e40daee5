//! Metrics as Prometheus reads them (text format 0.0.4).

use std::fmt::Write;

use super::family::{Family, Value};
use super::names::{BOUNDS, Kind};

/// Content type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The text.
pub fn text(families: &[Family]) -> String {
    let mut text = String::new();
    for family in families {
        let name = family.name.name;
        let kind = match family.name.kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
        };
        let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", family.name.help);
        for point in &family.points {
            let labels: Vec<String> =
                point.labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escape(value))).collect();
            let labels = labels.join(",");
            match &point.value {
                Value::Number(value) => {
                    let _ = writeln!(text, "{name}{{{labels}}} {value}");
                }
                Value::Durations(counts, sum) => {
                    let mut seen = 0;
                    for (i, count) in counts.iter().enumerate() {
                        seen += count;
                        let bound = BOUNDS.get(i).map_or("+Inf".to_owned(), f64::to_string);
                        let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {seen}");
                    }
                    let _ = writeln!(text, "{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {seen}");
                }
            }
        }
    }
    text
}

fn escape(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
