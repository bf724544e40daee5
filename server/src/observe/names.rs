//! The names of all metrics: exporters write them, dashboards and alert policies ask for them.
//!
//! They hold to what Prometheus and Google Cloud take (`[a-zA-Z_][a-zA-Z0-9_]*`); labels never hold what a client wrote.

/// How a metric behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only grows; begins at 0 with the process.
    Counter,
    /// Durations in seconds by [`BOUNDS`].
    Histogram,
}

/// A metric.
#[derive(Debug, PartialEq, Eq)]
pub struct Name {
    /// Its name.
    pub name: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// Unit by UCUM, as OTLP has it.
    pub unit: &'static str,
}

/// Upper bounds of durations in seconds: OpenTelemetry's, and finer ones below, since a tabular prediction takes less than a millisecond.
pub const BOUNDS: [f64; 17] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

macro_rules! names {
    ($($constant:ident $name:literal $kind:ident $unit:literal $help:literal)*) => {
        $(#[doc = $help] pub const $constant: Name =
            Name { name: $name, help: $help, kind: Kind::$kind, unit: $unit };)*
    };
}

names! {
    BUILD_INFO "beira_build_info" Gauge "1" "Version of the server."
    PREDICTIONS "model_predictions_total" Counter "{row}" "Rows predicted, as counted by the hosts."
    ERRORS "model_errors_total" Counter "{call}" "Calls that ended in an error, as counted by the hosts."
    INFO "model_info" Gauge "1" "Modules of registered versions."
    DRIFT_PSI "model_drift_psi" Gauge "1" "Population stability index of a feature in the last window; `score` is the model's answer."
    DRIFT_THRESHOLD "model_drift_threshold" Gauge "1" "PSI that no change would exceed in 99 of 100 such samples."
    PERFORMANCE "model_performance" Gauge "1" "Metric of a model: estimated from its scores, realised by late labels, reference on the held-out rows."
    PERFORMANCE_LOWER "model_performance_lower" Gauge "1" "Lower end of the metric's 95 % interval."
    PERFORMANCE_UPPER "model_performance_upper" Gauge "1" "Upper end of the metric's 95 % interval."
    ALARM_STATE "model_alarm_state" Gauge "1" "0 not enough data, 1 ok, 2 pending, 3 firing; `trusted` is false when browsers alone say so."
    REQUESTS "http_server_request_duration_seconds" Histogram "s" "Time to answer a request."
    SPANS_DROPPED "beira_spans_dropped_total" Counter "{span}" "Spans that found the queue full and were not sent."
}
