//! States of runs and features as badges.

use contract::api::DriftState;
use leptos::prelude::*;

use crate::ui::{Tone, badge};

/// A run's state.
pub fn run_status(status: &str) -> impl IntoView + use<> {
    let (tone, text) = match status {
        "RUNNING" => (Tone::Busy, "running"),
        "SCHEDULED" => (Tone::Quiet, "scheduled"),
        "FINISHED" => (Tone::Good, "finished"),
        "FAILED" => (Tone::Bad, "failed"),
        "KILLED" => (Tone::Bad, "killed"),
        _ => (Tone::Quiet, "unknown"),
    };
    badge(tone, text)
}

/// A feature's state.
pub fn drift_state(state: DriftState) -> impl IntoView {
    match state {
        DriftState::Ok => badge(Tone::Good, "ok"),
        DriftState::Drift => badge(Tone::Warn, "drift"),
        DriftState::InsufficientData => badge(Tone::Quiet, "not enough data"),
    }
}
