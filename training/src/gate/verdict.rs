//! PROMOTE, HOLD or REJECT, and the one deciding reason.

use super::markdown::{percent, signed};
use super::{Comparison, Guard, GuardState, Measured, MeasuredState, Role, Verdict};

/// Decides. `measured` begins with the deciding metric.
///
/// 1. A broken guard: REJECT.
/// 2. A champion that cannot be compared with, or a metric that is not defined: HOLD.
/// 3. The deciding metric, a guard metric or a slice is shown to be worse: REJECT.
/// 4. The deciding metric is not shown to be as good, or not to be better: HOLD.
/// 5. A guard is not measured, or not shown to be non-inferior: HOLD.
/// 6. PROMOTE.
///
/// A failed proof of non-inferiority is no proof of inferiority: an interval on both sides of 0 and
/// of the margin is inconclusive, and says that there are too few rows (Piaggio et al. 2012,
/// "Reporting of Noninferiority and Equivalence Randomized Trials: Extension of the CONSORT 2010
/// Statement", figure 1). That is HOLD. Of two equal models 250 rows would else reject most.
pub(super) fn verdict(comparison: &Comparison, guards: &[Guard], measured: &[Measured]) -> (Verdict, String) {
    let why = |guard: &Guard| guard.why.clone().unwrap_or_else(|| guard.name.clone());
    let at = |state: GuardState| guards.iter().find(|guard| guard.state == state);
    if let Some(broken) = at(GuardState::Broken) {
        return (Verdict::Reject, why(broken));
    }
    if let Some(champion) = guards.iter().find(|guard| guard.name == "champion") {
        return (Verdict::Hold, why(champion));
    }
    let words = Words { comparison, confidence: percent(comparison.policy.confidence) };
    let deciding = &measured[0];
    if matches!(deciding.state, MeasuredState::NotMeasured | MeasuredState::TooFewRows) {
        return (Verdict::Hold, format!("{} is not defined on these held-out rows", deciding.metric.name()));
    }
    if deciding.state == MeasuredState::Inferior {
        return (Verdict::Reject, words.worse(deciding));
    }
    let worse = measured.iter().filter(|m| m.state == MeasuredState::Inferior);
    if let Some(worst) = worse.min_by(|a, b| a.harm_p.unwrap_or(1.0).total_cmp(&b.harm_p.unwrap_or(1.0))) {
        return (Verdict::Reject, words.worse(worst));
    }
    if deciding.state == MeasuredState::Inconclusive && comparison.champion.is_some() {
        return (Verdict::Hold, words.not_shown(deciding));
    }
    if deciding.state != MeasuredState::Superior {
        return (Verdict::Hold, words.no_improvement(deciding));
    }
    if let Some(unknown) = at(GuardState::NotMeasured) {
        return (Verdict::Hold, why(unknown));
    }
    let open = |m: &&Measured| matches!(m.state, MeasuredState::Inconclusive | MeasuredState::NotMeasured);
    if let Some(open) = measured.iter().find(open) {
        return (Verdict::Hold, words.not_shown(open));
    }
    (Verdict::Promote, words.better(deciding))
}

struct Words<'a> {
    comparison: &'a Comparison,
    confidence: String,
}

impl Words<'_> {
    fn what(&self, m: &Measured) -> String {
        match &m.role {
            Role::Slice(slice) => format!("{} on the slice {slice}", m.metric.name()),
            _ => m.metric.name().to_owned(),
        }
    }

    fn interval(&self, m: &Measured) -> String {
        let bound = |bound: Option<f64>| bound.map_or("?".to_owned(), signed);
        format!("the {} interval of the gain, {} to {},", self.confidence, bound(m.lower), bound(m.upper))
    }

    fn margin(&self, m: &Measured) -> String {
        m.margin.map_or("?".to_owned(), |margin| signed(-margin))
    }

    fn better(&self, m: &Measured) -> String {
        let (what, than, interval) = (self.what(m), self.than(), self.interval(m));
        let gain = signed(m.gain.unwrap_or_default());
        format!("{what} is better{than} by {gain}: {interval} lies above 0, and every guard holds")
    }

    fn worse(&self, m: &Measured) -> String {
        let (what, than, interval) = (self.what(m), self.than(), self.interval(m));
        let gain = signed(m.gain.unwrap_or_default());
        // A slice or guard is called worse by its corrected test, where the interval may still touch the margin.
        let test = m.harm_p.map_or(String::new(), |p| format!("; p {p:.4} after Holm's correction"));
        format!("{what} is worse{than} ({gain}): {interval} beside a margin of {}{test}", self.margin(m))
    }

    fn than(&self) -> &'static str {
        if self.comparison.champion.is_some() { "" } else { " than that of the trivial baseline" }
    }

    fn not_shown(&self, m: &Measured) -> String {
        let (what, margin) = (self.what(m), self.margin(m));
        format!("{what} is not shown to be as good: {} reaches below {margin}{}", self.interval(m), self.detectable(m))
    }

    fn no_improvement(&self, m: &Measured) -> String {
        if m.detectable.is_none() && m.gain == Some(0.0) {
            return format!("no improvement: {} is the same in every bootstrap sample", self.what(m));
        }
        let than = if self.comparison.champion.is_some() { "" } else { " over the trivial baseline" };
        let interval = self.interval(m);
        format!("no improvement of {}{than} is shown: {interval} reaches below 0{}", self.what(m), self.detectable(m))
    }

    fn detectable(&self, m: &Measured) -> String {
        m.detectable.map_or(String::new(), |least| {
            format!("; {} rows show differences of {} or more", m.rows, signed(least).trim_start_matches('+'))
        })
    }
}
