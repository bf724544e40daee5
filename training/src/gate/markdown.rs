//! The report on one screen of Markdown.

use std::fmt::Write;

use super::{GuardState, MeasuredState, Report, Role, baseline};

/// Writes the report. Names that others gave are escaped.
pub(super) fn write(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = head(&mut text, report)
        .and_then(|()| metrics(&mut text, report))
        .and_then(|()| guards(&mut text, report))
        .and_then(|()| flips(&mut text, report));
    text
}

/// `+0.0123`; six decimals below 0.001, none of them lost above 1000.
pub(super) fn signed(value: f64) -> String {
    let text = figure(value.abs());
    if value < 0.0 { format!("-{text}") } else { format!("+{text}") }
}

/// `95 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", (share * 1e4).round() / 1e2)
}

pub(super) fn figure(value: f64) -> String {
    match value.abs() {
        0.0 => "0.0000".to_owned(),
        small if small < 1e-6 => format!("{value:.1e}"),
        small if small < 1e-3 => format!("{value:.6}"),
        great if great >= 1e4 => format!("{value:.1}"),
        _ => format!("{value:.4}"),
    }
}

fn head(text: &mut String, report: &Report) -> std::fmt::Result {
    let against = report.champion.as_ref().map_or_else(
        || "first deployment, beside the trivial baseline".to_owned(),
        |champion| format!("against {}", cell(champion)),
    );
    writeln!(text, "## Gate: {}\n\n**{}.**\n", report.verdict, cell(&report.reason))?;
    writeln!(text, "{} {against}, on the same {} held-out rows.\n", cell(&report.candidate), report.rows)
}

fn metrics(text: &mut String, report: &Report) -> std::fmt::Result {
    let other = if report.champion.is_some() { "champion" } else { baseline::NAME };
    let confidence = percent(report.policy.confidence);
    writeln!(text, "| metric | {other} | candidate | Δ | {confidence} interval | margin | test | |")?;
    writeln!(text, "|---|--:|--:|--:|:-:|--:|---|---|")?;
    for m in &report.measured {
        let or = |value: Option<f64>, print: fn(f64) -> String| value.map_or("–".to_owned(), print);
        let name = match &m.role {
            Role::Deciding => format!("**{}**", m.metric.name()),
            Role::Guard => m.metric.name().to_owned(),
            Role::Slice(slice) => format!("{}, {} ({} rows)", m.metric.name(), cell(slice), m.rows),
        };
        let interval = m.lower.zip(m.upper).map(|(lower, upper)| format!("{} … {}", signed(lower), signed(upper)));
        let test = match (&m.test, m.harm_p) {
            (Some(test), None) => format!("{} p {}", cell(&test.name), p(test.p)),
            (Some(test), Some(harm)) => format!("{} p {}, worse (Holm) p {}", cell(&test.name), p(test.p), p(harm)),
            (None, Some(harm)) => format!("worse (Holm) p {}", p(harm)),
            (None, None) => "–".to_owned(),
        };
        let (champion, candidate) = (or(m.champion, figure), or(m.candidate, figure));
        let (gain, margin, interval) = (or(m.gain, signed), or(m.margin, figure), interval.unwrap_or("–".to_owned()));
        let state = measured(m.state);
        writeln!(text, "| {name} | {champion} | {candidate} | {gain} | {interval} | {margin} | {test} | {state} |")?;
    }
    let least = report.measured.first().and_then(|m| m.detectable).map_or(String::new(), |least| {
        format!(" Smallest difference of {} that these rows show: {}.", report.measured[0].metric.name(), figure(least))
    });
    writeln!(text, "\nΔ is positive where the candidate is better, whichever way a metric goes.{least}\n")
}

fn guards(text: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(text, "| guard | champion | candidate | limit | |\n|---|--:|--:|--:|---|")?;
    for guard in &report.guards {
        let or = |value: &Option<String>| value.as_deref().map_or("–".to_owned(), cell);
        let state = match guard.state {
            GuardState::Holds => "holds",
            GuardState::Broken => "**BROKEN**",
            GuardState::NotMeasured => "not measured",
            GuardState::NoChampion => "no champion",
            GuardState::Off => "off",
        };
        let (champion, candidate, limit) = (or(&guard.champion), or(&guard.candidate), or(&guard.limit));
        writeln!(text, "| {} | {champion} | {candidate} | {limit} | {state} |", cell(&guard.name))?;
    }
    Ok(())
}

fn flips(text: &mut String, report: &Report) -> std::fmt::Result {
    let Some(flips) = &report.flips else { return Ok(()) };
    writeln!(text, "\n| decisions | rows | right → wrong | wrong → right |\n|---|--:|--:|--:|")?;
    for class in &flips.classes {
        let (name, rows) = (cell(&class.class), class.rows);
        writeln!(text, "| {name} | {rows} | {} | {} |", class.right_to_wrong, class.wrong_to_right)?;
    }
    writeln!(text, "| all | {} | {} | {} |", report.rows, flips.right_to_wrong, flips.wrong_to_right)
}

fn measured(state: MeasuredState) -> &'static str {
    match state {
        MeasuredState::Superior => "better",
        MeasuredState::NonInferior => "as good",
        MeasuredState::Inconclusive => "not shown",
        MeasuredState::Inferior => "**WORSE**",
        MeasuredState::TooFewRows => "too few rows",
        MeasuredState::NotMeasured => "not measured",
    }
}

fn p(p: f64) -> String {
    if p < 1e-4 { "< 0.0001".to_owned() } else { format!("{p:.4}") }
}

/// Text in a table: on one line, and without a meaning of its own in Markdown or HTML.
fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '|' | '*' | '[' | ']' | '\\' => safe.extend(['\\', c]),
            '`' | '@' => safe.extend(["&#", if c == '`' { "96" } else { "64" }, ";"]),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
