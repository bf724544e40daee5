//! `GET /metrics`: Prometheus text.

use std::fmt::Write;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::error::Result;

/// Requests by route, predictions and errors by model, version and origin, and what is served.
pub async fn metrics(State(app): State<App>) -> Result<Response> {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "# HELP beira_build_info Version of the server.\n# TYPE beira_build_info gauge\nbeira_build_info{{version=\"{}\"}} 1",
        env!("CARGO_PKG_VERSION")
    );
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
    app.requests.write(&mut text);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

fn escape(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
