//! From counters of windows and labels of days to one evaluation. Pure.

use contract::api::DriftState;
use contract::watch::{Alarm, AlarmState, Performance, PerformanceState, RealisedDay, Span, WatchedFeature};
use contract::{Counters, Profile};
use monitoring::alarm::{self, Finding, Sustained};
use monitoring::drift::{self, Verdict};
use monitoring::performance;

/// What is judged, and by which rule.
pub struct Case<'a> {
    /// What the training data was like; without it only labels speak.
    pub profile: Option<&'a Profile>,
    /// Windows, newest first.
    pub windows: &'a [Window],
    /// Days with labels, newest first.
    pub days: &'a [RealisedDay],
    /// How many windows must show it.
    pub sustained: Sustained,
    /// How far a metric may fall.
    pub margin: f64,
}

/// Counters of one window.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// Start and end, milliseconds since 1970.
    pub span: (i64, i64),
    /// From every origin.
    pub all: Counters,
    /// From servers and the edge.
    pub trusted: Counters,
}

/// Fills in state, trust, causes, window, features and performance of `alarm`.
pub fn judge(case: &Case, alarm: &mut Alarm) {
    if case.windows.iter().all(|window| window.all.predictions == 0) {
        return; // nothing runs: nothing can be wrong with it
    }
    let all = findings(case, |window| &window.all);
    let trusted = findings(case, |window| &window.trusted);
    let realised = case.days.iter().find(|day| !day.browser && day.performance.rows >= performance::ROWS_MIN);
    let realised = realised.map(|day| &day.performance);
    let worst = |findings: &Findings| alarm::worst([findings.state(case.sustained), degraded(realised)]);
    alarm.state = worst(&all).max(worst(&trusted));
    alarm.trusted = worst(&trusted) == alarm.state;
    let told = |verdict: &Verdict| verdict.psi.is_some();
    let at = all.verdicts.iter().position(|verdicts| verdicts.iter().any(told));
    let at = at.or_else(|| case.windows.iter().position(|window| window.all.predictions > 0)).unwrap_or(0);
    let window = &case.windows[at];
    alarm.window = Some(Span { from_ms: window.span.0, to_ms: window.span.1, rows: window.all.predictions });
    if let Some(profile) = case.profile {
        alarm.features = watched(profile, &all, at, case.sustained);
        alarm.score = score(profile, &all, at, case.sustained);
        // By rank of what is sustained, then by size: the feature to look at first stands first.
        let rank = |feature: &WatchedFeature| (feature.state == DriftState::Drift, feature.drifting);
        alarm
            .features
            .sort_by(|a, b| rank(b).cmp(&rank(a)).then(b.psi.unwrap_or(-1.0).total_cmp(&a.psi.unwrap_or(-1.0))));
    }
    let sustained: Vec<&WatchedFeature> = alarm.features.iter().filter(|feature| feature.drifting > 0).collect();
    alarm.causes = sustained.iter().map(|feature| format!("drift:{}", feature.name)).collect();
    if alarm.score.as_ref().is_some_and(|score| score.drifting > 0) {
        alarm.causes.push("drift:score".to_owned());
    }
    let estimated = all.estimates.get(at).cloned().flatten();
    for performance in estimated.iter().chain(realised) {
        let worse = performance.metrics.iter().filter(|metric| metric.state == Some(PerformanceState::Degraded));
        alarm.causes.extend(worse.map(|metric| format!("{}:{}", performance.kind.name(), metric.name)));
    }
    alarm.performance = estimated.into_iter().chain(realised.cloned()).collect();
}

/// A realised fall is an alarm at once: a day of labels is no single window.
fn degraded(realised: Option<&Performance>) -> AlarmState {
    match realised.map(is_degraded) {
        Some(Some(true)) => AlarmState::Firing,
        Some(Some(false)) => AlarmState::Ok,
        _ => AlarmState::NoData,
    }
}

fn is_degraded(performance: &Performance) -> Finding {
    let judged = performance.metrics.iter().filter_map(|metric| metric.state);
    let told = judged.filter(|state| *state != PerformanceState::InsufficientData);
    told.map(|state| state == PerformanceState::Degraded).reduce(|a, b| a || b)
}

/// What each window says of each thing, newest first.
#[derive(Default)]
struct Findings {
    verdicts: Vec<Vec<Verdict>>,
    scores: Vec<Option<Verdict>>,
    estimates: Vec<Option<Performance>>,
}

impl Findings {
    fn of_feature(&self, feature: usize) -> Vec<Finding> {
        self.verdicts.iter().map(|verdicts| finding(&verdicts[feature])).collect()
    }

    fn of_score(&self) -> Vec<Finding> {
        self.scores.iter().map(|verdict| verdict.as_ref().and_then(finding)).collect()
    }

    fn of_estimate(&self) -> Vec<Finding> {
        self.estimates.iter().map(|performance| performance.as_ref().and_then(is_degraded)).collect()
    }

    fn state(&self, sustained: Sustained) -> AlarmState {
        let features = 0..self.verdicts.first().map_or(0, Vec::len);
        let things = features.map(|feature| self.of_feature(feature)).chain([self.of_score(), self.of_estimate()]);
        alarm::worst(things.map(|findings| alarm::state(&findings, sustained)))
    }
}

fn findings(case: &Case, counters: impl Fn(&Window) -> &Counters) -> Findings {
    let Some(profile) = case.profile else { return Findings::default() };
    let mut found = Findings::default();
    for window in case.windows {
        let counters = counters(window);
        found.verdicts.push(drift::features(profile, &counters.features));
        let score = profile.score.as_ref().filter(|score| counters.score.len() == score.counts.len());
        found.scores.push(score.map(|score| drift::verdict(&score.counts, &counters.score)));
        found.estimates.push(score.and_then(|score| performance::estimated(score, &counters.score, case.margin)));
    }
    found
}

fn finding(verdict: &Verdict) -> Finding {
    match verdict.state {
        DriftState::InsufficientData => None,
        state => Some(state == DriftState::Drift),
    }
}

fn watched(profile: &Profile, found: &Findings, at: usize, sustained: Sustained) -> Vec<WatchedFeature> {
    let features = profile.features.iter().enumerate();
    features.map(|(i, feature)| one(&feature.name, &found.verdicts[at][i], &found.of_feature(i), sustained)).collect()
}

fn score(profile: &Profile, found: &Findings, at: usize, sustained: Sustained) -> Option<WatchedFeature> {
    let verdict = found.scores.get(at)?.as_ref()?;
    Some(one(&profile.score.as_ref()?.output, verdict, &found.of_score(), sustained))
}

fn one(name: &str, verdict: &Verdict, findings: &[Finding], sustained: Sustained) -> WatchedFeature {
    let (drifting, windows) = alarm::tally(findings, sustained);
    WatchedFeature {
        name: name.to_owned(),
        psi: verdict.psi,
        psi_limit: verdict.limit,
        rows: verdict.rows,
        rows_needed: verdict.rows_needed,
        state: verdict.state,
        drifting,
        windows,
    }
}

#[cfg(test)]
mod tests {
    use contract::profile::{Bins, Reference};
    use contract::telemetry::FeatureCounts;
    use contract::watch::{Kind, Measured};

    use super::*;

    fn profile() -> Profile {
        let feature = |name: &str| Reference {
            name: name.to_owned(),
            bins: Bins::Edges(vec![1.0, 2.0, 3.0]),
            counts: vec![250; 4],
            missing: 0,
        };
        Profile { features: vec![feature("age"), feature("income")], ..Profile::default() }
    }

    const SAME: [u64; 4] = [250; 4];
    const SHIFTED: [u64; 4] = [50, 100, 250, 600];

    fn counters(income: [u64; 4]) -> Counters {
        let counts = |counts: [u64; 4]| FeatureCounts { counts: counts.to_vec(), ..FeatureCounts::default() };
        Counters { predictions: 1000, features: vec![counts(SAME), counts(income)], ..Counters::default() }
    }

    fn window(all: Counters, trusted: Counters) -> Window {
        Window { span: (0, 60_000), all, trusted }
    }

    fn accuracy(rows: u64, state: PerformanceState) -> RealisedDay {
        let metric = Measured {
            name: "accuracy".to_owned(),
            value: 0.5,
            lower: None,
            upper: None,
            reference: None,
            state: Some(state),
        };
        let performance = Performance { kind: Kind::Realised, rows, rows_needed: 50, metrics: vec![metric] };
        RealisedDay { day_ms: 0, version: "1".to_owned(), browser: false, performance }
    }

    fn check(windows: &[Window], days: &[RealisedDay], expected: &str) {
        let mut alarm = Alarm {
            model: "m".to_owned(),
            version: "1".to_owned(),
            run_id: None,
            state: AlarmState::NoData,
            since_ms: 0,
            evaluated_ms: 0,
            trusted: true,
            causes: Vec::new(),
            window: None,
            features: Vec::new(),
            score: None,
            performance: Vec::new(),
        };
        let profile = profile();
        let sustained = Sustained { k: 2, n: 3 };
        judge(&Case { profile: Some(&profile), windows, days, sustained, margin: 0.05 }, &mut alarm);
        let trust = if alarm.trusted { "" } else { " (browsers alone)" };
        assert_eq!(format!("{}{trust} {}", alarm.state.name(), alarm.causes.join(" ")).trim(), expected);
        if alarm.state == AlarmState::Firing && alarm.causes[0].starts_with("drift") {
            assert_eq!(alarm.features[0].name, "income");
        }
    }

    #[test]
    fn the_right_feature_fires_when_it_stays() {
        let same = || window(counters(SAME), counters(SAME));
        let shifted = || window(counters(SHIFTED), counters(SHIFTED));
        let browser = || window(counters(SHIFTED), Counters::default());
        let idle = Window::default;
        check(&[], &[], "no_data");
        check(&[idle(), idle()], &[], "no_data");
        check(&[same(), same()], &[], "ok");
        check(&[shifted(), same(), same()], &[], "pending drift:income");
        check(&[shifted(), idle(), shifted()], &[], "firing drift:income");
        check(&[browser(), browser()], &[], "firing (browsers alone) drift:income");
        check(&[same()], &[accuracy(100, PerformanceState::Degraded)], "firing realised:accuracy");
        check(&[same()], &[accuracy(20, PerformanceState::Degraded)], "ok");
        check(
            &[shifted(), shifted()],
            &[accuracy(100, PerformanceState::Degraded)],
            "firing drift:income realised:accuracy",
        );
        check(&[idle()], &[accuracy(100, PerformanceState::Degraded)], "no_data");
    }
}
