//! When is a finding an alarm? When it is still there in `k` of the last `n` windows that could tell.

use contract::watch::AlarmState;

/// `k` of the last `n` windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sustained {
    /// Windows that must show it.
    pub k: u32,
    /// Windows looked at.
    pub n: u32,
}

/// What one window said of one thing: `None` when it had too little data.
pub type Finding = Option<bool>;

/// The state of one thing by its findings, newest first. Windows without enough data are passed over.
pub fn state(findings: &[Finding], sustained: Sustained) -> AlarmState {
    let (found, told) = tally(findings, sustained);
    match found {
        _ if told == 0 => AlarmState::NoData,
        0 => AlarmState::Ok,
        found if found >= sustained.k => AlarmState::Firing,
        _ => AlarmState::Pending,
    }
}

/// How many of the last windows that could tell show it, and how many there are.
pub fn tally(findings: &[Finding], sustained: Sustained) -> (u32, u32) {
    findings
        .iter()
        .flatten()
        .take(sustained.n as usize)
        .fold((0, 0), |(found, told), finding| (found + u32::from(*finding), told + 1))
}

/// The worst of several; nothing is known where nothing is known of any.
pub fn worst(states: impl IntoIterator<Item = AlarmState>) -> AlarmState {
    states.into_iter().max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k_of_the_last_n() {
        let check = |findings: &[Finding], expected| {
            assert_eq!(state(findings, Sustained { k: 2, n: 3 }), expected, "{findings:?}");
        };
        let (yes, no, few) = (Some(true), Some(false), None);
        check(&[], AlarmState::NoData);
        check(&[few, few], AlarmState::NoData);
        check(&[no, few], AlarmState::Ok);
        check(&[yes], AlarmState::Pending);
        check(&[yes, no, no], AlarmState::Pending);
        check(&[yes, few, yes], AlarmState::Firing);
        check(&[no, yes, yes], AlarmState::Firing);
        check(&[no, no, yes, yes], AlarmState::Pending);
        check(&[no, no, no, yes, yes], AlarmState::Ok);
        assert_eq!(worst([AlarmState::NoData, AlarmState::Ok]), AlarmState::Ok);
        assert_eq!(worst([]), AlarmState::NoData);
    }
}
