//! `GET /metrics`: Prometheus text.

use std::fmt::Write;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

#[cfg(feature = "store")]
use crate::app::App;
#[cfg(feature = "store")]
use crate::error::Result;
use crate::serving::Serving;
use crate::traffic::Total;

/// `GET /metrics` of `beira infer`: what this process did since it started.
pub async fn of_process(State(serving): State<Serving>) -> Response {
    let mut text = build_info();
    let totals = serving.traffic.totals();
    for (metric, help, value) in [
        ("model_predictions_total", "Rows predicted.", (|total| total.predictions) as fn(&Total) -> u64),
        ("model_errors_total", "Calls that ended in an error.", |total| total.errors),
    ] {
        let _ = writeln!(text, "# HELP {metric} {help}\n# TYPE {metric} counter");
        for (name, version, total) in &totals {
            let version = version.map(|version| version.to_string()).unwrap_or_default();
            let (name, value) = (escape(name), value(total));
            let _ = writeln!(text, "{metric}{{model=\"{name}\",version=\"{version}\",origin=\"server\"}} {value}");
        }
    }
    serving.requests.write(&mut text);
    answer(text)
}

fn build_info() -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "# HELP beira_build_info Version of the server.\n# TYPE beira_build_info gauge\nbeira_build_info{{version=\"{version}\"}} 1\n"
    )
}

fn answer(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// Requests by route, predictions and errors by model, version and origin, and what is served.
#[cfg(feature = "store")]
pub async fn metrics(State(app): State<App>) -> Result<Response> {
    let mut text = build_info();
    let counted: Vec<(String, i64, String, i64, i64)> = sqlx::query_as(
        "SELECT name, version, origin, CAST(sum(predictions) AS BIGINT), CAST(sum(errors) AS BIGINT) FROM windows
         GROUP BY name, version, origin ORDER BY name, version, origin",
    )
    .fetch_all(app.store.read())
    .await?;
    for (metric, help) in [
        ("model_predictions_total", "Rows predicted, as counted by the hosts."),
        ("model_errors_total", "Calls that ended in an error, as counted by the hosts."),
    ] {
        let _ = writeln!(text, "# HELP {metric} {help}\n# TYPE {metric} counter");
        for (name, version, origin, predictions, errors) in &counted {
            let value = if metric == "model_predictions_total" { predictions } else { errors };
            let _ = writeln!(
                text,
                "{metric}{{model=\"{}\",version=\"{version}\",origin=\"{origin}\"}} {value}",
                escape(name)
            );
        }
    }
    let served: Vec<(String, i64, String, Option<String>)> = sqlx::query_as(
        "SELECT m.name, m.version, m.sha256, v.run_id FROM modules m
         JOIN model_versions v ON v.name = m.name AND v.version = m.version
         WHERE m.state = 'ready' AND v.deleted = 0 ORDER BY m.name, m.version",
    )
    .fetch_all(app.store.read())
    .await?;
    let _ = writeln!(text, "# HELP model_info Modules of registered versions.\n# TYPE model_info gauge");
    for (name, version, sha256, run) in served {
        let (name, run) = (escape(&name), escape(&run.unwrap_or_default()));
        let _ = writeln!(
            text,
            "model_info{{model=\"{name}\",version=\"{version}\",run_id=\"{run}\",sha256=\"{sha256}\"}} 1"
        );
    }
    app.serving.requests.write(&mut text);
    Ok(answer(text))
}

fn escape(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
