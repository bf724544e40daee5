//! Dashboard and alert policies for Google Cloud Monitoring, asked in PromQL for the very names that are exported.

use serde_json::{Value, json};

use super::names::{self, Name};

/// Route whose latency counts: the one that people wait for.
const PREDICT: &str = r#"http_route=~"/predict/.*|/v2/models/.*infer|/invocations""#;

/// Files by name: `dashboard.json`, `alerts/*.json`, and `apply.sh` with the commands that create them.
pub fn files(project: Option<&str>) -> Vec<(String, String)> {
    let mut files = vec![("dashboard.json".to_owned(), pretty(&dashboard()))];
    files.extend(alerts().into_iter().map(|(name, policy)| (format!("alerts/{name}.json"), pretty(&policy))));
    let project = project.map_or(String::new(), |project| format!(" --project={project}"));
    let mut commands =
        "#!/bin/sh\n# Creates the dashboard and the alert policies; run it once.\nset -e\ncd \"$(dirname \"$0\")\"\n"
            .to_owned();
    commands += &format!("gcloud monitoring dashboards create --config-from-file=dashboard.json{project}\n");
    for (name, _) in alerts() {
        commands += &format!("gcloud monitoring policies create --policy-from-file=alerts/{name}.json{project}\n");
    }
    files.push(("apply.sh".to_owned(), commands));
    files
}

/// Every query of the files, for the test that each metric in it is exported.
pub fn queries() -> Vec<String> {
    let charts = charts().into_iter().flat_map(|chart| chart.lines.into_iter().map(|(query, _)| query));
    charts.chain(conditions().into_iter().map(|condition| condition.query)).collect()
}

struct Chart {
    title: &'static str,
    /// Query and legend.
    lines: Vec<(String, &'static str)>,
}

fn charts() -> Vec<Chart> {
    let chart = |title, lines| Chart { title, lines };
    let quantile = |q: f64| {
        let bucket = format!("{}_bucket", names::REQUESTS.name);
        format!("histogram_quantile({q}, sum by (le, http_route) (rate({bucket}{{{PREDICT}}}[5m])))")
    };
    let performance = |name: &Name| format!("max by (model, version, metric, kind) ({}{{{KINDS}}})", name.name);
    const KINDS: &str = r#"kind=~"estimated|realised""#;
    vec![
        chart(
            "Predictions per second, by origin",
            vec![(by("model, version, origin", &rate(&names::PREDICTIONS)), "{{model}} v{{version}} {{origin}}")],
        ),
        chart("Share of calls that fail", vec![(error_share(), "{{model}}")]),
        chart("Time to answer", vec![(quantile(0.5), "{{http_route}} p50"), (quantile(0.99), "{{http_route}} p99")]),
        chart(
            "Alarm (0 no data, 1 ok, 2 pending, 3 firing)",
            vec![(format!("max by (model, version) ({})", names::ALARM_STATE.name), "{{model}} v{{version}}")],
        ),
        chart(
            "Drift: the ten greatest PSI",
            vec![(
                format!("topk(10, max by (model, version, feature) ({}))", names::DRIFT_PSI.name),
                "{{feature}} ({{model}} v{{version}})",
            )],
        ),
        chart(
            "Drift: PSI above what chance explains",
            vec![(
                format!("topk(10, {} - {})", names::DRIFT_PSI.name, names::DRIFT_THRESHOLD.name),
                "{{feature}} ({{model}} v{{version}})",
            )],
        ),
        chart(
            "Performance, estimated and realised",
            vec![(performance(&names::PERFORMANCE), "{{metric}} {{kind}} ({{model}} v{{version}})")],
        ),
        chart(
            "Performance, 95 % interval",
            vec![
                (performance(&names::PERFORMANCE_LOWER), "{{metric}} {{kind}} lower"),
                (performance(&names::PERFORMANCE_UPPER), "{{metric}} {{kind}} upper"),
            ],
        ),
        chart(
            "Versions served",
            vec![(format!("count by (model, version) ({})", names::INFO.name), "{{model}} v{{version}}")],
        ),
    ]
}

fn dashboard() -> Value {
    let tiles: Vec<Value> = charts()
        .into_iter()
        .enumerate()
        .map(|(i, chart)| {
            let sets: Vec<Value> = chart
                .lines
                .into_iter()
                .map(|(query, legend)| {
                    json!({
                        "timeSeriesQuery": {"prometheusQuery": query, "unitOverride": ""},
                        "plotType": "LINE", "targetAxis": "Y1", "legendTemplate": legend,
                    })
                })
                .collect();
            json!({
                "xPos": i % 2 * 24, "yPos": i / 2 * 16, "width": 24, "height": 16,
                "widget": {"title": chart.title, "xyChart": {"dataSets": sets, "chartOptions": {"mode": "COLOR"}}},
            })
        })
        .collect();
    json!({"displayName": "Beira: models in production", "mosaicLayout": {"columns": 48, "tiles": tiles}})
}

struct Condition {
    file: &'static str,
    title: &'static str,
    severity: &'static str,
    query: String,
    /// How long it must hold, seconds.
    seconds: u32,
    text: &'static str,
}

fn conditions() -> Vec<Condition> {
    let p99 =
        format!("histogram_quantile(0.99, sum by (le) (rate({}_bucket{{{PREDICT}}}[5m]))) > 0.1", names::REQUESTS.name);
    let performance = names::PERFORMANCE.name;
    let shares = r#"metric=~"accuracy|auc|f1""#;
    vec![
        Condition {
            file: "alarm",
            title: "A model's alarm fires",
            severity: "CRITICAL",
            query: format!("max by (model, version) ({}{{trusted=\"true\"}}) >= 3", names::ALARM_STATE.name),
            seconds: 0,
            text: "Inputs, scores or labels of this version have moved away from its training data: above what chance \
                   explains, by more than the floor, in several windows. The model's production page shows which \
                   feature first. Roll back by moving the alias `champion`, or retrain.",
        },
        Condition {
            file: "performance",
            title: "A model is worse than on its held-out rows",
            severity: "ERROR",
            query: format!(
                "max by (model, version, metric) ({performance}{{kind=\"realised\", {shares}}}) \
                 < max by (model, version, metric) ({performance}{{kind=\"reference\", {shares}}}) - 0.1"
            ),
            seconds: 600,
            text: "Late labels say that the metric is 0.1 below the held-out rows'.",
        },
        Condition {
            file: "errors",
            title: "More than 5 % of a model's calls fail",
            severity: "ERROR",
            query: format!("{} > 0.05", error_share()),
            seconds: 300,
            text: "Requests are refused (422: the caller's rows do not fit the signature) or the model cannot run.",
        },
        Condition {
            file: "latency",
            title: "One prediction in a hundred takes longer than 100 ms",
            severity: "WARNING",
            query: p99,
            seconds: 300,
            text: "Time to answer a prediction, p99 over five minutes.",
        },
    ]
}

fn alerts() -> Vec<(&'static str, Value)> {
    conditions()
        .into_iter()
        .map(|condition| {
            let policy = json!({
                "displayName": format!("Beira: {}", condition.title),
                "documentation": {"content": condition.text, "mimeType": "text/markdown"},
                "severity": condition.severity,
                "combiner": "OR",
                "conditions": [{
                    "displayName": condition.title,
                    "conditionPrometheusQueryLanguage": {
                        "query": condition.query,
                        "duration": format!("{}s", condition.seconds),
                        "evaluationInterval": "60s",
                    },
                }],
            });
            (condition.file, policy)
        })
        .collect()
}

fn rate(name: &Name) -> String {
    format!("rate({}[5m])", name.name)
}

fn by(labels: &str, query: &str) -> String {
    format!("sum by ({labels}) ({query})")
}

fn error_share() -> String {
    let (errors, rows) = (by("model", &rate(&names::ERRORS)), by("model", &rate(&names::PREDICTIONS)));
    format!("{errors} / ({errors} + {rows})")
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
