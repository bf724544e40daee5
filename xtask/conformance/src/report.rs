//! The outcomes as Markdown: a table by operator, then each reason with the cases it stopped.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::supervise::Outcome;
use crate::worker::Verdict;

#[derive(Default)]
struct Row {
    pass: usize,
    baked: usize,
    fail: usize,
    unsupported: usize,
    ulps: u64,
}

impl Row {
    fn add(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Pass { baked, ulps } => {
                self.pass += 1;
                self.baked += usize::from(*baked > 0);
                self.ulps = self.ulps.max(*ulps);
            }
            Verdict::Fail(_) => self.fail += 1,
            Verdict::Unsupported(_) => self.unsupported += 1,
        }
    }

    fn cells(&self) -> String {
        let number = |n: usize| if n == 0 { String::new() } else { n.to_string() };
        let ulps = if self.pass == 0 { String::new() } else { self.ulps.to_string() };
        let all = self.pass + self.fail + self.unsupported;
        let (pass, baked) = (number(self.pass), number(self.baked));
        format!("{all} | {pass} | {baked} | {} | {} | {ulps}", number(self.fail), number(self.unsupported))
    }
}

/// One line about a case.
pub fn line(outcome: &Outcome) -> String {
    let name = &outcome.case.name;
    match &outcome.verdict {
        Verdict::Pass { baked: 0, ulps } => format!("{name}: pass, {ulps} ulp"),
        Verdict::Pass { baked, ulps } => format!("{name}: pass, {baked} baked, {ulps} ulp"),
        Verdict::Unsupported(reason) => format!("{name}: not supported: {reason}"),
        Verdict::Fail(reason) => format!("{name}: fail: {reason}"),
    }
}

/// `1,203 of 1,905 pass …`
pub fn summary(outcomes: &[Outcome]) -> String {
    let mut all = Row::default();
    outcomes.iter().for_each(|o| all.add(&o.verdict));
    format!(
        "{} of {} pass ({} of them with inputs baked in), {} fail, {} are not supported",
        all.pass,
        outcomes.len(),
        all.baked,
        all.fail,
        all.unsupported
    )
}

/// The whole report.
pub fn markdown(outcomes: &[Outcome]) -> String {
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    let mut reasons: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
    for outcome in outcomes {
        rows.entry(&outcome.case.operator).or_default().add(&outcome.verdict);
        let (what, reason) = match &outcome.verdict {
            Verdict::Pass { .. } => continue,
            Verdict::Fail(reason) => ("fail", reason),
            Verdict::Unsupported(reason) => ("not supported", reason),
        };
        reasons.entry((what, general(reason))).or_default().push(&outcome.case.name);
    }
    let mut text = String::from(
        "# Conformance\n\n\
         ONNX's own test cases (Python package onnx 1.22.0) through `compile` and wasmtime, with the tolerance of ONNX's \
         runner (relative 1e-3, absolute 1e-7). *Baked*: inputs that fix a shape or an axis are constants. *ulp*: the largest \
         distance of a passing result from the expected one, in units of its last place. Written by \
         `cargo xtask conformance`.\n\n",
    );
    let _ = writeln!(text, "**{}.**\n", summary(outcomes));
    text += "| operator | cases | pass | baked | fail | not supported | ulp |\n|---|--:|--:|--:|--:|--:|--:|\n";
    for (operator, row) in &rows {
        let _ = writeln!(text, "| {operator} | {} |", row.cells());
    }
    for what in ["fail", "not supported"] {
        let _ = writeln!(text, "\n## Why: {what}\n");
        for ((_, reason), cases) in reasons.iter().filter(|((w, _), _)| *w == what) {
            let _ = writeln!(text, "- {reason} — {}", cases.join(", "));
        }
    }
    text
}

/// A reason without the name of the node, so that equal ones come together.
fn general(reason: &str) -> String {
    match reason.strip_prefix("node \"").and_then(|rest| rest.split_once('"')) {
        Some((_, rest)) => rest.trim_start_matches([' ', ':']).to_owned(),
        None => reason.to_owned(),
    }
}
